"""The texts that a translator gets are those of the code, with blanks that have names."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def texts() -> ModuleType:
    """tools/texts.py, which is a script and no part of a package."""
    specification = importlib.util.spec_from_file_location("texts", ROOT / "tools/texts.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("raise RequestError('no layer is active')", ["no layer is active"]),
        ("raise RequestError(f'{name} is {size[0]} x {size[1]} pixels')", ["{name} is {value} x {value2} pixels"]),
        ("raise RequestError(f'{one.name} is not {one.name}', hint='take another')", ["{name} is not {name}", "take another"]),
        ("raise RequestError('no such layer' if gone else 'no layer yet', f'{a}: {b}')", ["no such layer", "no layer yet"]),
        ("raise ValueError('a mistake of ours')", []),
        ("log.info('the server has started')", []),
    ],
)
def test_sentences_of_errors_have_named_blanks(texts: ModuleType, code: str, found: list[str]) -> None:
    assert list(texts.of_sentences(code, everywhere=False)) == found


def test_where_warnings_are_made_every_sentence_counts(texts: ModuleType) -> None:
    code = """'What this is about.'\nKIND = 'a kind'\nnote(f'{name} was left out: {kind}')\nlog.warning('so it is: %s', 1)\n"""
    assert list(texts.of_sentences(code, everywhere=False)) == []
    assert list(texts.of_sentences(code, everywhere=True)) == ["{name} was left out: {kind}"]


def test_an_update_keeps_translations_drops_what_is_gone_and_changes_nothing_twice(texts: ModuleType, tmp_path: Path) -> None:
    wanted = Catalog()
    for text in ("Stop", "Start", ("{count} layer", "{count} layers")):
        wanted.add(text, locations=[("plugins/a.py", None)])
    path = tmp_path / "de.po"
    head = b'# German.\nmsgid ""\nmsgstr ""\n"Language: de\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"'
    path.write_bytes(head + b'\n\nmsgid "Gone"\nmsgstr "Fort"\n\nmsgid "Stop"\nmsgstr "Anhalten"\n')
    texts.write(path, texts.updated(path, wanted))
    first = path.read_bytes()
    texts.write(path, texts.updated(path, wanted))
    assert path.read_bytes() == first and first.startswith(head + b"\n\n")
    with path.open("rb") as file:
        catalogue = read_po(file, locale="de")
    assert {message.id: message.string for message in catalogue if message.id} == {
        "Stop": "Anhalten",
        "Start": "",
        ("{count} layer", "{count} layers"): ("", ""),
    }
