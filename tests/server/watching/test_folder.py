"""Which files of a folder were saved, and are at rest."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.server.watching.folder import Folder, stamp


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "home" / "watched.json"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "chapter 1").mkdir(parents=True)
    (folder / ".backup").mkdir()
    for name in ("a.psd", "b.PSB", "chapter 1/c.ora", "photo.png", ".hidden.psd", ".backup/d.psd", "e.psd.tmp"):
        (folder / name).write_bytes(b"x")
    return folder


def names(folder: Folder, **how: bool) -> list[str]:
    return [path.relative_to(folder.path).as_posix() for path in folder.saved(**how)]


def test_layered_files_are_found_in_folders_within_it_too_and_hidden_ones_are_not(work: Path, record: Path) -> None:
    assert names(Folder(work, record), at_rest=False) == ["a.psd", "b.PSB", "chapter 1/c.ora"]


def test_a_file_that_grows_is_left_until_it_is_at_rest(work: Path, record: Path) -> None:
    folder = Folder(work, record)
    assert names(folder) == []
    (work / "a.psd").write_bytes(b"xx")
    assert names(folder) == ["b.PSB", "chapter 1/c.ora"]
    assert "a.psd" in names(folder)


def test_a_file_that_is_done_with_comes_back_when_it_is_saved(work: Path, record: Path) -> None:
    folder = Folder(work, record)
    folder.done(work / "a.psd", stamp(work / "a.psd"))
    assert "a.psd" not in names(folder, at_rest=False)
    (work / "a.psd").write_bytes(b"saved")
    assert "a.psd" in names(folder, at_rest=False)


def test_an_answered_file_is_known_after_a_new_start_and_one_that_was_only_looked_at_is_not(work: Path, record: Path) -> None:
    folder = Folder(work, record)
    folder.answered(work / "a.psd", stamp(work / "a.psd"))
    folder.done(work / "b.PSB", stamp(work / "b.PSB"))
    assert names(Folder(work, record), at_rest=False) == ["b.PSB", "chapter 1/c.ora"]


def test_two_watched_folders_share_the_record(work: Path, record: Path) -> None:
    inner, outer = Folder(work / "chapter 1", record), Folder(work, record)
    inner.answered(work / "chapter 1" / "c.ora", stamp(work / "chapter 1" / "c.ora"))
    outer.answered(work / "a.psd", stamp(work / "a.psd"))
    assert names(Folder(work, record), at_rest=False) == ["b.PSB"]


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"a": 3}'])
def test_a_damaged_record_means_that_files_are_asked_again(work: Path, record: Path, damage: str) -> None:
    record.parent.mkdir()
    record.write_text(damage)
    assert "a.psd" in names(Folder(work, record), at_rest=False)
