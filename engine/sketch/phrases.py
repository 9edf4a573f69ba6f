"""The words that the sketch model's memory goes by: a table of phrases in a hundred languages, and how a word is looked up in it.

Knows no prompt's grammar and no picture; imports nothing heavy.
"""

from __future__ import annotations

import re
import unicodedata
import zipfile
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

WORDS = "words.zip"
"""The file in a model's folder."""
_BETWEEN = re.compile(r"[\s\-‐-―_/·.,;:!?¡¿\"“”„«»()\[\]{}|*]+")
_APOSTROPHES = str.maketrans({"’": "'", "ʼ": "'", "`": "'"})
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
"""Letters of scripts that write words without a space, or with endings that are not kept apart from them."""
STEM = 4
"""Fewest letters that a word is known by when its ending is another."""
ENDINGS = (
    ("ies", "y"),
    ("ves", "f"),
    ("ves", "fe"),
    ("s", ""),
    ("es", ""),
    ("en", ""),
    ("er", ""),
    ("n", ""),
    ("e", ""),
    ("x", ""),
)
"""Plural and case endings, and what stands in their place in a table of singulars."""

NAME, PART, KEYWORD = 2, 1, 0
"""How a phrase means a subject: as its name, as a word of its name, as one of its keywords."""
_KINDS = {"n": NAME, "p": PART, "k": KEYWORD}


def normalised(text: str) -> str:
    """Lower case, one form of each letter, single spaces, no punctuation and no variation selectors."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES).replace("\ufe0f", "")
    return _BETWEEN.sub(" ", plain).strip()


def unspaced(word: str) -> bool:
    """Whether the word may hold several that are not kept apart."""
    return bool(_UNSPACED.search(word))


@dataclass(frozen=True)
class Meaning:
    """What a phrase can mean."""

    phrase: str
    """The phrase of the table, which may differ in its ending from the prompt's."""
    subjects: tuple[int, ...]
    """The numbers of the subjects that it means best."""
    kind: int
    """`NAME`, `PART` or `KEYWORD`."""


class Phrases:
    """The table in a file: lines of a phrase, a tab and numbers, sorted by their bytes.

    A zip archive of blocks, with the first phrase of each in the archive's `FIRST`: a lookup reads a block or two.
    """

    FIRST = "first"
    BLOCK = 4096
    """Lines of a block."""

    def __init__(self, path: Path) -> None:
        """Nothing is read before something is asked. Raises `OSError` or `BadZipFile` then, for a file that cannot be."""
        self.path = path
        self._block = lru_cache(maxsize=None)(self._read)

    @cached_property
    def _first(self) -> list[bytes]:
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(self.FIRST).splitlines()

    def _read(self, number: int) -> list[bytes]:
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(str(number)).splitlines()

    def exact(self, phrase: str) -> Meaning | None:
        """What a normalised phrase means as it stands."""
        wanted = phrase.encode() + b"\t"
        line = next(self._from(wanted), b"")
        return _meaning(line) if line.startswith(wanted) else None

    def of(self, phrase: str) -> Meaning | None:
        """What a normalised phrase means as it stands, or in its singular, or in another case."""
        found = self.exact(phrase)
        if found is not None:
            return found
        head, _, last = phrase.rpartition(" ")
        for ending, instead in ENDINGS:
            if last.endswith(ending) and len(last) - len(ending) >= STEM - 1:
                found = self.exact(f"{head} {last.removesuffix(ending)}{instead}".strip())
                if found is not None:
                    return found
        return None if head else self._related(last)

    def _related(self, word: str) -> Meaning | None:
        """A single word of the table that begins as this one does, and differs by two letters at its end at most."""
        for cut in (1, 2):
            stem = word[:-cut]
            if len(stem) < STEM or word.isascii():
                return None
            near = [line for line in self._beginning(stem.encode()) if len(_phrase(line)) <= len(stem) + 2]
            if near:
                return _meaning(min(near, key=lambda line: len(_phrase(line))))
        return None

    def compound(self, word: str) -> tuple[str, Meaning] | None:
        """A word that ends in a known one of at least four letters: what stands before it, and the meaning of that end."""
        for start in range(2, len(word) - STEM + 1):
            found = self.exact(word[start:]) or (self.of(word[start:]) if len(word) - start > STEM else None)
            if found is not None and found.kind > KEYWORD:
                return word[:start], found
        return None

    def within(self, text: str, longest: int = 10) -> tuple[int, int, Meaning] | None:
        """In a text without spaces the longest known part: its start, its end, and its meaning; of equals the first."""
        for length in range(min(longest, len(text)), 0, -1):
            for start in range(len(text) - length + 1):
                found = self.exact(text[start : start + length])
                if found is not None:
                    return start, start + length, found
        return None

    def _from(self, wanted: bytes) -> Iterator[bytes]:
        """The lines from `wanted` on."""
        first = max(0, bisect_right(self._first, wanted) - 1)
        for number in range(first, len(self._first)):
            lines = self._block(number)
            yield from lines[bisect_left(lines, wanted) if number == first else 0 :]

    def _beginning(self, stem: bytes) -> Iterator[bytes]:
        for line in self._from(stem):
            if not line.startswith(stem):
                return
            if b" " not in line.split(b"\t")[0]:
                yield line


def _phrase(line: bytes) -> str:
    return line.partition(b"\t")[0].decode()


def _meaning(line: bytes) -> Meaning:
    """The subjects of the strongest kind that the line holds."""
    phrase, _, said = line.decode().partition("\t")
    strongest = max(said.split(" "), key=lambda part: _KINDS[part[0]])
    return Meaning(phrase, tuple(int(number) for number in strongest[1:].split(",")), _KINDS[strongest[0]])
