"""`acetate plugin` as it is typed; what it puts where is the business of tests/plugins/test_install.py."""

from __future__ import annotations

from pathlib import Path

from .conftest import Command


def test_a_zip_is_written_where_asked(acetate: Command, tmp_path: Path) -> None:
    outcome = acetate("plugin", "zip", "krita", "-o", tmp_path)
    assert outcome.code == 0
    assert Path(outcome.out.strip()).is_file()


def test_a_folder_that_is_not_there_is_named(acetate: Command, tmp_path: Path) -> None:
    outcome = acetate("plugin", "zip", "krita", "-o", tmp_path / "k.zip")
    assert outcome.code == 2
    assert "k.zip is no folder" in outcome.err and "name the folder" in outcome.err
