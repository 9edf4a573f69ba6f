"""What the annotations of messages can say about a value beside its type. Knows no check: `schema.py` makes those."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Between:
    """A number from `low` to `high`, both included."""

    low: float
    high: float


@dataclass(frozen=True)
class AtMost:
    """A text of at most so many characters, a tuple or mapping of at most so many entries."""

    count: int


@dataclass(frozen=True)
class Matching:
    """A text that fully matches `pattern`; `meaning` says in an error what would be right."""

    pattern: str
    meaning: str


@dataclass(frozen=True)
class Known:
    """A text that is one of these today, and may be another one in a newer version: any is taken."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Fields:
    """Limits of a dataclass's numbers, by field, for one that is declared elsewhere and whose numbers may be others there."""

    limits: tuple[tuple[str, Between], ...]
