"""Small files that people write: read or refused by name, and never seen half-written."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.engine import ModelBroken
from acetate.engine.files.json_files import read_json, write_json


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "of" / "one.json"
    for value in ({"a": [1, None]}, {"ä": "ö"}):
        write_json(path, value)
        assert read_json(path) == value
    assert [file.name for file in path.parent.iterdir()] == ["one.json"]


@pytest.mark.parametrize(
    ("text", "named"),
    [("{", "is not valid JSON"), ("[1]", "holds a list"), ("[" * 100_000, "is not valid JSON"), (b"\xff", "is not valid JSON")],
    ids=["torn", "list", "deep", "binary"],
)
def test_what_is_no_object_is_named(text: str | bytes, named: str, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ModelBroken, match=f"one.json {named}"):
        read_json(path)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match="one.json cannot be read: No such file"):
        read_json(tmp_path / "one.json")


def test_a_value_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})

    assert read_json(path) == {"a": 1} and [file.name for file in tmp_path.iterdir()] == ["one.json"]
