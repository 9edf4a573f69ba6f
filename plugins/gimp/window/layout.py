"""Distances, and letters for the keyboard: what the window's parts have in common."""

from __future__ import annotations

from collections.abc import Collection

SPACING = 6
"""Pixels between neighbours; GIMP's dialogs have the same."""


def with_mnemonic(text: str, taken: Collection[str]) -> str:
    """The text with its first letter underlined that no other mnemonic takes; unchanged when all its letters are taken."""
    for place, letter in enumerate(text):
        if letter.isalpha() and letter.lower() not in taken:
            return f"{text[:place]}_{text[place:]}"
    return text


def letter_of(label: str) -> str:
    """The letter that is underlined in a label, in lower case; empty without one."""
    before, mark, after = label.partition("_")
    return after[:1].lower() if mark else ""
