"""Letters for the keyboard: the labels that stand beside every task's fields, and how a button gets a letter that is free.

No two labels that are seen at once underline the same letter, in no language: see `tests/plugins/gimp/widgets/test_mnemonics.py`.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Iterable

from acetate.plugins.bridge.translations import _, marked

KEEP, CLOSE = marked("_Keep to this image"), marked("_Close")
TASK, STYLE, DETAILS, STOP = marked("_Task"), marked("St_yle"), marked("_Details"), marked("Stop _Job")
LOAD, SAVE, RESET = marked("_Load Saved Settings"), marked("_Save Settings"), marked("_Reset")
BESIDE_FIELDS = (KEEP, CLOSE, TASK, STYLE, DETAILS, STOP, LOAD, SAVE, RESET)
"""What the page with the forms shows, whichever task is chosen."""


def with_mnemonic(text: str, taken: Collection[str]) -> str:
    """The text with its first letter underlined that no other mnemonic takes; with one behind it where it has no letters, as in
    Japanese; unchanged when all its letters are taken."""
    for place, letter in enumerate(text):
        if letter.lower() != letter.upper() and letter.lower() not in taken:
            return f"{text[:place]}_{text[place:]}"
    if any(letter.lower() != letter.upper() for letter in text):
        return text
    return next((f"{text}(_{letter.upper()})" for letter in string.ascii_lowercase if letter not in taken), text)


def letters_of(labels: Iterable[str]) -> set[str]:
    """The letters that are underlined in these labels, in lower case."""
    return {after[0].lower() for _before, _mark, after in (label.partition("_") for label in labels) if after}


def letters_beside_fields() -> set[str]:
    """The letters that a task's own labels leave to the page."""
    return letters_of(map(_, BESIDE_FIELDS))
