"""Types of values: what is right for a parameter, and the sentence about a value that is not.

Every type knows its own limits; none knows which parameter it belongs to. They are not compared: every start of a command or an
editor makes these classes, and `__eq__` and `__repr__` would take half of that time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .names import UNCLEAN

LONGEST_NAME = 200
"""The most characters that the name of a model, a network or a layer may have."""
MOST_BLOCKS = 26
"""The most weights of single blocks that a LoRA may have."""
_WORD = rf"(?!\.)[^/\\{UNCLEAN}]+"
NAME_PATTERN = rf"(?![A-Za-z]:){_WORD}(/{_WORD}){{0,3}}"
"""Two models of one name are told apart by their folder's: `portraits/soft`."""
_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True)
class Complaint:
    """The first thing that is wrong with a request: the value, and what would be right."""

    message: str
    hint: str = ""
    too_large: bool = False
    """Whether the value is wrong only because it is too long, or has too many entries."""


class ValueType:
    """What values a parameter takes."""

    @property
    def right(self) -> str:
        """What would be right, after "it must be"; the base class raises `NotImplementedError`."""
        raise NotImplementedError

    def admits(self, value: Any) -> bool:
        """Whether the value is right; the base class raises `NotImplementedError`."""
        raise NotImplementedError

    def complaint(self, name: str, value: Any) -> Complaint | None:
        """What is wrong with `value` for the parameter `name`; `None` when nothing is."""
        return None if self.admits(value) else Complaint(f"{name} is {shown(value)}; it must be {self.right}")


@dataclass(frozen=True, eq=False, repr=False)
class Whole(ValueType):
    """A whole number."""

    least: int
    most: int

    @property
    def right(self) -> str:
        return f"a whole number from {self.least} to {self.most}"

    def admits(self, value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most


@dataclass(frozen=True, eq=False, repr=False)
class Number(ValueType):
    """A number that need not be whole."""

    least: int
    most: int

    @property
    def right(self) -> str:
        return f"a number from {self.least} to {self.most}"

    def admits(self, value: Any) -> bool:
        return _is_number(value) and self.least <= value <= self.most


@dataclass(frozen=True, eq=False, repr=False)
class Choice(ValueType):
    """One of a few values, equal in type too: 1 is not `True`."""

    choices: tuple[Any, ...]

    @property
    def right(self) -> str:
        return f"one of {', '.join(map(str, self.choices))}"

    def admits(self, value: Any) -> bool:
        return any(type(value) is type(choice) and value == choice for choice in self.choices)


class Flag(ValueType):
    """True or false."""

    @property
    def right(self) -> str:
        return "true or false"

    def admits(self, value: Any) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True, eq=False, repr=False)
class FreeText(ValueType):
    """Words, at most so many characters."""

    most: int

    @property
    def right(self) -> str:
        return "text"

    def admits(self, value: Any) -> bool:
        return isinstance(value, str)

    def complaint(self, name: str, value: Any) -> Complaint | None:
        if not isinstance(value, str):
            return super().complaint(name, value)
        if len(value) > self.most:
            message = f"{name} has {len(value)} characters; at most {self.most} are taken"
            return Complaint(message, "shorten it", too_large=True)
        if _is_broken(value):
            return Complaint(f"{name} has half a surrogate pair, which is not a character")
        if "\0" in value:
            return Complaint(f"{name} has a NUL character, at which most programs take a text to end", "remove it")
        return None


class ListedName(ValueType):
    """The name of something that is installed, never a path: a client has no business with the server's folders.

    It finds one file, so it is refused rather than cleaned.
    """

    @property
    def right(self) -> str:
        return f"a name that `acetate models` lists, of at most {LONGEST_NAME} characters, not a path"

    def admits(self, value: Any) -> bool:
        return isinstance(value, str) and len(value) <= LONGEST_NAME and bool(_NAME.fullmatch(value))


@dataclass(frozen=True, eq=False, repr=False)
class TextOfEach(ValueType):
    """A text for some of a few keys."""

    keys: tuple[str, ...]
    text: FreeText

    @property
    def right(self) -> str:
        return f"texts by {', '.join(self.keys)}"

    def complaint(self, name: str, value: Any) -> Complaint | None:
        if not isinstance(value, Mapping):
            return Complaint(f"{name} is {shown(value)}; it must be {self.right}")
        for key, text in value.items():
            if key not in self.keys:
                return Complaint(f"{name} are for an unknown layer {shown(key)}", f"one of {', '.join(self.keys)}")
            if wrong := self.text.complaint(f"prompt of {key}", text):
                return wrong
        return None


@dataclass(frozen=True, eq=False, repr=False)
class WeightedNames(ValueType):
    """LoRAs: names, each with a weight; then the text encoders' where that differs, then a list of weights of single blocks."""

    weight: Number
    most: int

    @property
    def right(self) -> str:
        return f"pairs of a name and a weight {self.weight.right.removeprefix('a number ')}"

    def complaint(self, name: str, value: Any) -> Complaint | None:
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(map(_is_weighted, value)):
            return Complaint(f"{name} is {shown(value)}; it must be {self.right}")
        if len(value) > self.most:
            return Complaint(f"{name} has {len(value)} entries; at most {self.most} are taken", too_large=True)
        for named, *weights in value:
            if wrong := ListedName().complaint(f"{name}: the name", named):
                return wrong
            for weight in (*weights[:2], *(weights[2] if len(weights) > 2 else ())):
                if wrong := self.weight.complaint(f"{name}: the weight of LoRA {shown(named)}", weight):
                    return wrong
        return None


@dataclass(frozen=True, eq=False, repr=False)
class NamedValues(ValueType):
    """Named values, each of its own type."""

    types: Mapping[str, ValueType]

    @property
    def right(self) -> str:
        return f"values by {', '.join(sorted(self.types))}"

    def complaint(self, name: str, value: Any) -> Complaint | None:
        if not isinstance(value, Mapping):
            return Complaint(f"{name} is {shown(value)}; it must be {self.right}")
        for option, found in value.items():
            if option not in self.types:
                return Complaint(f"{name}: unknown option {shown(option)}", f"one of {', '.join(sorted(self.types))}")
            if wrong := self.types[option].complaint(f"{name}: {option}", found):
                return wrong
        return None


def shown(value: Any) -> str:
    """A value as a message names it: in Python's notation, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) or isinstance(value, float) and math.isfinite(value)


def _is_weighted(value: Any) -> bool:
    if not isinstance(value, (tuple, list)) or not 2 <= len(value) <= 4:
        return False
    name, *weights = value
    blocks = weights[2] if len(weights) > 2 else ()
    return (
        isinstance(name, str)
        and all(isinstance(weight, (int, float)) for weight in weights[:2])
        and isinstance(blocks, (tuple, list))
        and len(blocks) <= MOST_BLOCKS
    )


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
