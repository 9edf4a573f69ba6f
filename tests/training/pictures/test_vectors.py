from __future__ import annotations

import json
from pathlib import Path

import pytest

from training.pictures import vectors, words

ICONS = {
    "cat": ("1f431", "Animals & Nature"),
    "middle-finger": ("1f595", "People & Body"),
    "person-running": ("1f3c3", "People & Body"),
    "man-running": ("1f3c3-200d-2642-fe0f", "People & Body"),
    "man-dancing": ("1f57a", "People & Body"),
    "person-running-dark": ("1f3c3-1f3ff", "People & Body"),
    "flag-france": ("1f1eb-1f1f7", "Flags"),
    "letter-a": ("1f1e6", "Symbols"),
    "infinity": ("267e-fe0f", "Symbols"),
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    told: dict[str, object] = {
        "icons": {"icons": {name: {"body": "<path/>"} for name in ICONS}},
        "chars": {point: name for name, (point, _) in ICONS.items()},
        "metadata": {"categories": {kind: [n for n, (_, k) in ICONS.items() if k == kind] for _, kind in ICONS.values()}},
    }
    for name, value in told.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return tmp_path


def test_flags_letters_tones_offences_and_second_forms_of_a_subject_are_left_out(package: Path) -> None:
    assert [vector.name for vector in vectors.read(package)] == ["cat", "infinity", "man-dancing", "person-running"]


def test_a_phrase_keeps_the_strongest_way_in_which_any_language_means_it(tmp_path: Path) -> None:
    for language, said in (("en", {"tts": ["cat"], "default": ["pet"]}), ("xx", {"tts": ["pet"], "default": ["cat"]})):
        (tmp_path / language).mkdir()
        told = {"annotations": {"annotations": {"🐱": said}}}
        (tmp_path / language / "annotations.json").write_text(json.dumps(told), encoding="utf-8")
    table = words.build([tmp_path], ["🐱"], {0: ["kitty"]})
    assert table == {"cat": {0: "n"}, "pet": {0: "n"}, "kitty": {0: "n"}}
