from __future__ import annotations

from dataclasses import dataclass

from acetate.server.schemas.descriptions import of_class, of_fields


@dataclass
class Kite:
    """What flies,
    on a string."""

    length: int
    """Of the string,
    or `None`."""
    colour: str
    tail: bool = True
    """Whether it has one."""


def test_a_field_is_described_by_the_text_below_it() -> None:
    assert of_fields(Kite) == {"length": "Of the string, or `null`.", "tail": "Whether it has one."}


def test_a_class_is_described_by_its_docstring() -> None:
    assert of_class(Kite) == "What flies, on a string."
