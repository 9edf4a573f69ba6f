"""Names that every editor, file, terminal and file system can hold: one rule for layers, groups, clients and file names.

A name that a person typed is cleaned, as it should fail no job; an identifier is refused where cleaning would change it. Knows
characters; knows no format and no editor. Text from right to left stays as it is: only what can make a name look like another
one, or end it early, goes.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

_BREAKS = r"\u0009\u000a\u000d\u2028\u2029"
"""Line breaks and tabs: they become spaces."""
_CONTROLS = r"\u0000-\u001f\u007f-\u009f"
_ORDERS = r"\u202a-\u202e\u2066-\u2069"
"""Embeddings, overrides and isolates of bidirectional text: they reorder what is shown, also beyond the name's end."""
_NO_CHARACTERS = r"\ud800-\udfff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff" + "".join(
    chr(plane << 16 | last) for plane in range(1, 17) for last in (0xFFFE, 0xFFFF)
)
"""Halves of surrogate pairs, marks of annotations, and the codes that stand for nothing for ever."""
UNCLEAN = _BREAKS + _CONTROLS + _ORDERS + _NO_CHARACTERS
"""What a clean name does not have, as the inside of a class of characters in a regular expression of Python or ECMAScript."""
_BREAK, _UNCLEAN = re.compile(f"[{_BREAKS}]"), re.compile(f"[{UNCLEAN}]")
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
"""What Windows takes for a device, whatever the suffix."""
LONGEST_FILE_STEM = 60


class Clean:
    """Marks a text that is taken as `clean` leaves it."""


Label = Annotated[str, Clean()]
"""A name that is only shown: a layer's, a group's, a client's."""


def clean(name: str) -> str:
    """The name on one line, without control characters, orders to turn the text round, lone surrogates and noncharacters."""
    return _UNCLEAN.sub("", _BREAK.sub(" ", name))


def is_clean(name: str) -> bool:
    """Whether `clean` would leave the name as it is."""
    return _UNCLEAN.search(name) is None


def file_stem(name: str, otherwise: str) -> str:
    """A file's name without its suffix that no file system takes for a path or a device; `otherwise` when nothing is left."""
    words = "".join(character if _is_part_of_word(character) or character in " -_." else " " for character in clean(name))
    stem = " ".join(words.split()).lstrip(" .")[:LONGEST_FILE_STEM].rstrip(" .")
    if stem.partition(".")[0].rstrip().lower() in _RESERVED:
        stem = f"{otherwise} {stem}"
    return stem or otherwise


def _is_part_of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")  # vowels and accents that stand on others
