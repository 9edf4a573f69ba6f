"""The table of words: which subjects a phrase can mean, in the languages of Unicode's CLDR.

Read from npm's packages `cldr-annotations-full` and `cldr-annotations-derived-full`, unpacked (Unicode licence). Knows files and
subjects' characters; knows no picture.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from zipfile import ZIP_LZMA, ZipFile, ZipInfo

from acetate.engine.sketch.phrases import Phrases, normalised

LANGUAGES = 100
"""How many languages are taken, those with the most words first."""
VARIANT = "\ufe0f"
NAME, PART, KEYWORD = "n", "p", "k"
"""A phrase is a subject's name, is a word of its name, or is one of its keywords."""
LONGEST = 40
"""Letters of a phrase that is still a word or two."""


def build(folders: list[Path], characters: list[str], own: Mapping[int, list[str]]) -> dict[str, dict[int, str]]:
    """Phrase -> subject's number -> how it is meant. `own` are names by this program, also of drawings beyond the characters."""
    table: dict[str, dict[int, str]] = defaultdict(dict)
    numbers = {character.replace(VARIANT, ""): number for number, character in enumerate(characters)}
    for told in _languages(folders):
        for character, said in told.items():
            number = numbers.get(character.replace(VARIANT, ""))
            if number is None:
                continue
            for name in said.get("tts", ()):
                _note(table, name, number, NAME)
            for word in said.get("default", ()):
                within = any(word.casefold() in name.casefold() for name in said.get("tts", ()))
                _note(table, word, number, PART if within else KEYWORD)
    for number, names in own.items():
        for name in names:
            _note(table, name, number, NAME)
    return table


def write(table: Mapping[str, Mapping[int, str]], path: Path) -> None:
    """In blocks, as `Phrases` reads them: a phrase, a tab, and for each kind its letter and numbers. Equal for equal tables."""
    lines = []
    for phrase, found in table.items():
        kinds = [f"{kind}{','.join(str(n) for n in sorted(found) if found[n] == kind)}" for kind in (NAME, PART, KEYWORD)]
        lines.append(f"{phrase}\t{' '.join(kind for kind in kinds if len(kind) > 1)}".encode())
    lines.sort()
    blocks = [lines[start : start + Phrases.BLOCK] for start in range(0, len(lines), Phrases.BLOCK)]
    with ZipFile(path, "w", ZIP_LZMA) as archive:
        archive.writestr(ZipInfo(Phrases.FIRST), b"\n".join(block[0] for block in blocks), ZIP_LZMA)
        for number, block in enumerate(blocks):
            archive.writestr(ZipInfo(str(number)), b"\n".join(block), ZIP_LZMA)


def _languages(folders: list[Path]) -> Iterator[dict[str, dict[str, list[str]]]]:
    """What each language says of each character, of those that say the most."""
    sizes: dict[str, int] = {}
    for folder in folders:
        for path in folder.glob("*/annotations.json"):
            if "-" not in path.parent.name or path.parent.name == "zh-Hant":
                sizes[path.parent.name] = sizes.get(path.parent.name, 0) + path.stat().st_size
    chosen = sorted(sizes, key=lambda name: -sizes[name])[:LANGUAGES]
    for name in sorted(set(chosen) | {"en"}):
        for folder in folders:
            path = folder / name / "annotations.json"
            if path.exists():
                top = next(iter(json.loads(path.read_text("utf-8")).values()))
                yield top["annotations"]


def _note(table: dict[str, dict[int, str]], phrase: str, number: int, kind: str) -> None:
    """Keep the strongest kind."""
    plain = normalised(phrase)
    if 1 < len(plain) <= LONGEST or (plain and ord(plain[0]) > 0x2E7F):
        order = (NAME, PART, KEYWORD)
        before = table[plain].get(number, KEYWORD)
        table[plain][number] = min(before, kind, key=order.index)
