"""Texts are looked up in the editor's language; whatever has no translation stays English."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from acetate.plugins.bridge import translations


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    yield
    translations.speak([])


def catalogue(folder: Path, language: str, texts: Mapping[str, str]) -> None:
    """Write a compiled catalogue as gettext lays it out: two tables of lengths and places, then the texts."""
    rows = sorted({"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n", **texts}.items())
    place, tables, data = 28 + 16 * len(rows), ([], []), b""
    for side in (0, 1):
        for row in rows:
            text = row[side].encode()
            tables[side].append(struct.pack("<2I", len(text), place + len(data)))
            data += text + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, 0)
    target = folder / language / "LC_MESSAGES" / "acetate.mo"
    target.parent.mkdir(parents=True)
    target.write_bytes(head + b"".join(tables[0] + tables[1]) + data)


def test_a_region_finds_its_language(tmp_path: Path) -> None:
    catalogue(tmp_path, "de", {"Stop": "Anhalten", "{count} layer\0{count} layers": "{count} Ebene\0{count} Ebenen"})
    translations.speak(["de_AT", "fr"], tmp_path)
    assert translations._("Stop") == "Anhalten"
    assert [translations.counted("{count} layer", "{count} layers", n) for n in (1, 3)] == ["1 Ebene", "3 Ebenen"]
    assert translations._("Not in it") == "Not in it"


def test_an_unknown_language_is_english_and_an_empty_text_is_empty(tmp_path: Path) -> None:
    translations.speak(["tlh"], tmp_path)
    assert translations._("Stop") == "Stop" and translations._("") == ""
    assert translations.counted("{count} layer", "{count} layers", 1) == "1 layer"
