"""What the sketch model makes of a prompt: subjects, what they are made of, and the words that it does not know.

Rules for any language: the longest known phrase first, plurals and compounds; a colour beside a subject is a colour, alone it
may be an orange. Knows the table of phrases and no picture; imports nothing heavy.
"""

from __future__ import annotations

import difflib
import random
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .phrases import KEYWORD, NAME, Meaning, Phrases, normalised, unspaced

ATTRIBUTES = Path(__file__).parent / "data" / "attributes.toml"
MOST = 2
"""Subjects that are drawn at most."""
LONGEST = 6
"""Words of a phrase at most."""
VAGUE = 12
"""A keyword of more subjects than this means none in particular, and is taken where nothing else was found."""
_CLAUSES = re.compile(r"[,;.\n、，。；]")
_EMOJI = re.compile(
    r"(?:[\U0001f1e6-\U0001faff\u2190-\u2bff\u3030\u303d][\ufe0f\u20e3\U0001f3fb-\U0001f3ff]*(?:\u200d[^\s]\ufe0f?)*)"
)


@dataclass(frozen=True)
class Wanted:
    """One thing to be drawn."""

    meaning: Meaning
    said: str
    """The prompt's own words."""
    colour: str | None = None
    material: str | None = None

    def subject(self, seed: int) -> int:
        """The subject's number; among equals another seed may choose another."""
        choices = self.meaning.subjects
        return choices[random.Random(seed).randrange(len(choices))]


@dataclass(frozen=True)
class Understood:
    """What was found in a prompt."""

    wanted: tuple[Wanted, ...] = ()
    """At most `MOST`, in the order of the prompt."""
    places: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Words that mean nothing here."""


@dataclass(frozen=True)
class _Piece:
    """A run of the prompt: a subject, an attribute, or a word between."""

    said: str
    kind: str
    """`subject`, `colours`, `materials`, `places`, `and`, `two`, `nothing` or `unknown`."""
    value: str = ""
    meaning: Meaning | None = None


class Vocabulary:
    """The table of phrases and the words between."""

    def __init__(self, phrases: Phrases, attributes: Path) -> None:
        """Raises `OSError` or `ValueError` where the file of attributes cannot be read."""
        self.phrases = phrases
        told: Mapping[str, Mapping[str, str]] = tomllib.loads(attributes.read_text(encoding="utf-8"))
        self._attributes: dict[str, tuple[str, str]] = {}
        for kind in ("colours", "materials", "places"):
            for value, words in told[kind].items():
                for word in words.split():
                    self._attributes.setdefault(normalised(word), (kind, value))
        self._between = {normalised(word): name for name, words in told["between"].items() for word in words.split()}
        self._between |= {word: "and" for word in "&+"}

    def understand(self, prompt: str) -> Understood:
        """Read a prompt: subjects with their colours and materials, places, and what is not known."""
        wanted: list[Wanted] = []
        spare: list[Wanted] = []
        places: list[str] = []
        unknown: list[str] = []
        for clause in _CLAUSES.split(prompt):
            pieces = list(self._pieces(clause))
            places += [piece.value for piece in pieces if piece.kind == "places"]
            unknown += [piece.said for piece in pieces if piece.kind == "unknown"]
            for found in _joined(pieces):
                vague = found.meaning.kind == KEYWORD and len(found.meaning.subjects) > VAGUE
                (spare if vague else wanted).append(found)
        chosen = _chosen(wanted or spare)
        if not chosen:
            alone = [self._alone(word) for word in places]
            chosen = tuple(found for found in alone if found is not None)[:1]
        return Understood(chosen, tuple(places), tuple(dict.fromkeys(unknown)))

    def nearest(self, word: str, names: Sequence[str], count: int = 3) -> list[str]:
        """The names that are spelled most like an unknown word."""
        return difflib.get_close_matches(normalised(word), names, count, 0.5)

    def _alone(self, word: str) -> Wanted | None:
        meaning = self.phrases.of(word)
        return None if meaning is None else Wanted(meaning, word)

    def _pieces(self, clause: str) -> Iterator[_Piece]:
        """The clause cut into runs, attributes only where a subject is left for them."""
        spaced = _EMOJI.sub(lambda match: f" {match[0]} ", clause).replace("&", " & ").replace("+", " + ")
        words = normalised(spaced).split(" ") if spaced.strip() else []
        found: list[_Piece] = []
        position = 0
        while position < len(words):
            length, pieces = self._longest(words[position:])
            found += pieces
            position += length
        if not any(piece.kind == "subject" for piece in found):
            found = [self._as_subject(piece) for piece in found]
        yield from found

    def _longest(self, words: Sequence[str]) -> tuple[int, list[_Piece]]:
        """How many words the first run takes, and what it is."""
        for length in range(min(LONGEST, len(words)), 1, -1):
            phrase = " ".join(words[:length])
            meaning = self.phrases.of(phrase)
            if meaning is not None and not (meaning.kind == KEYWORD and self._word(words[0]) is not None):
                return length, [_Piece(phrase, "subject", meaning=meaning)]
        word = words[0]
        known = self._word(word)
        if known is not None:
            return 1, [known]
        meaning = self.phrases.of(word)
        if meaning is not None:
            return 1, [_Piece(word, "subject", meaning=meaning)]
        return 1, list(self._parts(word))

    def _word(self, word: str) -> _Piece | None:
        """An attribute, or a word between."""
        if word in self._attributes:
            kind, value = self._attributes[word]
            return _Piece(word, kind, value)
        if word in self._between:
            name = self._between[word]
            return _Piece(word, "nothing" if name == "dressing" else name)
        return None

    def _parts(self, word: str) -> Iterator[_Piece]:
        """A word that is not known as a whole: the parts of a text without spaces, or of a compound."""
        if unspaced(word):
            yield from self._unspaced(word)
            return
        ends = self.phrases.compound(word)
        if ends is None:
            yield _Piece(word, "nothing" if word.isdigit() or len(word) < 3 else "unknown")
            return
        before, meaning = ends
        yield self._word(before) or self._word(before.removesuffix("s")) or _Piece(before, "nothing")
        yield _Piece(word, "subject", meaning=meaning)

    def _unspaced(self, text: str) -> Iterator[_Piece]:
        """Cut a text of a script without spaces at its longest known parts."""
        if not text:
            return
        for length in range(min(10, len(text)), 0, -1):
            for start in range(len(text) - length + 1):
                part = text[start : start + length]
                piece = self._word(part)
                if piece is None and (meaning := self.phrases.exact(part)) is not None:
                    piece = _Piece(part, "subject", meaning=meaning)
                if piece is not None:
                    yield from self._unspaced(text[:start])
                    yield piece
                    yield from self._unspaced(text[start + length :])
                    return
        yield _Piece(text, "unknown" if len(text) > 1 else "nothing")

    def _as_subject(self, piece: _Piece) -> _Piece:
        if piece.kind not in ("colours", "materials"):
            return piece
        meaning = self.phrases.of(piece.said)
        return piece if meaning is None else replace(piece, kind="subject", meaning=meaning)


def _joined(pieces: Sequence[_Piece]) -> list[Wanted]:
    """Subjects with the colours and materials that stand before them, or, in other languages, after them."""
    found: list[Wanted] = []
    colour = material = None
    twice = False
    for piece in pieces:
        if piece.kind == "subject" and piece.meaning is not None:
            one = Wanted(piece.meaning, piece.said, colour, material)
            found += [one, one] if twice else [one]
            colour, material, twice = None, None, False
        elif piece.kind == "and":
            colour = material = None
            found.append(_JOINT)
        elif piece.kind == "two":
            twice = True
        elif piece.kind == "colours":
            if found and found[-1] is not _JOINT and found[-1].colour is None and not _follows(pieces, piece):
                found[-1] = replace(found[-1], colour=piece.value)
            else:
                colour = piece.value
        elif piece.kind == "materials":
            if found and found[-1] is not _JOINT and found[-1].material is None and not _follows(pieces, piece):
                found[-1] = replace(found[-1], material=piece.value)
            else:
                material = piece.value
    return found


def _follows(pieces: Sequence[_Piece], piece: _Piece) -> bool:
    """Whether a subject comes after the attribute, before an `and`."""
    for later in pieces[list(pieces).index(piece) + 1 :]:
        if later.kind in ("subject", "and"):
            return later.kind == "subject"
    return False


def _chosen(found: Sequence[Wanted]) -> tuple[Wanted, ...]:
    """The subject that is meant most surely, with the one that `and` or `two` joins to it."""
    groups: list[list[Wanted]] = [[]]
    for index, one in enumerate(found):
        if one is _JOINT:
            continue
        joined = index > 0 and (found[index - 1] is _JOINT or found[index - 1] is one)
        if groups[-1] and not joined:
            groups.append([])
        groups[-1].append(one)
    groups = [group for group in groups if group]
    if not groups:
        return ()
    best = max(groups, key=lambda group: (len(group) > 1, max(one.meaning.kind for one in group) == NAME, -groups.index(group)))
    return tuple(best[:MOST])


_JOINT = Wanted(Meaning("", (), NAME), "")
"""Stands for an `and` between two subjects."""
