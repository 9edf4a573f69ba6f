"""Layer names as layered files take them: the program's rule, cut at the shortest limit of a format. Knows no format."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

from acetate.vocabulary import names

MAX_NAME = 255
"""UTF-16 units, of which an emoji takes two; the limit of PSD."""
JOINER = "\u200d"
SKIN_TONES = range(0x1F3FB, 0x1F400)
FLAG_LETTERS = range(0x1F1E6, 0x1F200)

EAST_ASIAN = (("cp932", "shift_jis", 0x98), ("gbk", "gb2312", 0xD8))
"""What to read with, the standard within it, and where its first level, the ideographs of daily use, ends."""
SHORTEST_GUESS = 4
"""Bytes: two ideographs."""


def clean(name: str) -> str:
    """The name as `names.clean` leaves it, cut at `MAX_NAME`, before the last character that a person would see whole."""
    cleaned = names.clean(name)
    units, end = 0, 0
    while end < len(cleaned):
        units += 1 + (cleaned[end] > "\uffff")
        if units > MAX_NAME:
            break
        end += 1
    while end < len(cleaned) and end and _goes_on(cleaned, end):
        end -= 1
    return cleaned[:end]


def _goes_on(text: str, place: int) -> bool:
    """Whether what stands at `place` is drawn into the character before it: accents, parts of an emoji, half a flag."""
    here, before = text[place], text[place - 1]
    if unicodedata.category(here).startswith("M") or JOINER in (here, before) or ord(here) in SKIN_TONES:
        return True  # the category holds variation selectors, too
    letters = 0
    while letters < place and ord(text[place - 1 - letters]) in FLAG_LETTERS:
        letters += 1
    return ord(here) in FLAG_LETTERS and letters % 2 == 1


def guessed(name: bytes) -> tuple[str, str]:
    """A name whose encoding nobody noted, and the encoding that it seems to have: UTF-8 where it is that, Shift-JIS or GBK where
    most of it makes sense so, else Mac Roman.

    Western names have an accent here and there; in Japanese and Chinese ones most bytes lie above ASCII. A short one may be
    either, and stays Western.
    """
    with suppress(UnicodeDecodeError):
        return name.decode("utf-8"), "UTF-8"
    if len(name) >= SHORTEST_GUESS and 2 * sum(byte > 127 for byte in name) > len(name):
        sense, encoding = max((_sense(name, *row), row[0]) for row in EAST_ASIAN)
        if sense > 0.9:
            return name.decode(encoding), encoding.upper()
    return name.decode("mac-roman"), "Mac Roman"


def _sense(name: bytes, encoding: str, plain: str, last: int) -> float:
    """The share of the characters that people of that country write with; kana speak for Japanese."""
    try:
        text = name.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    kana = [character for character in text if "\u3040" <= character <= "\u30ff"]
    common = sum(character.isascii() or _is_common(character, plain, last) for character in text)
    return common / len(text) + 0.01 * bool(kana)


def _is_common(character: str, plain: str, last: int) -> bool:
    try:
        return character.encode(plain)[0] < last
    except UnicodeEncodeError:
        return False
