"""Layer names that every format and editor can hold. Knows no format."""

from __future__ import annotations

import unicodedata

MAX_NAME = 255
"""Characters; the limit of PSD."""


def clean(name: str) -> str:
    """Line breaks become spaces; control characters, lone surrogates and noncharacters go; the rest is cut at `MAX_NAME`."""
    spaced = "".join(" " if character in "\t\n\r" else character for character in name)
    return "".join(character for character in spaced if _is_text(character))[:MAX_NAME]


def _is_text(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs") and ord(character) & 0xFFFE != 0xFFFE
