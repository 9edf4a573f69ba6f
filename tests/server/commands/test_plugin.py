"""`acetate plugin` as it is typed; what it puts where is the business of tests/plugins/test_install.py."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ..conftest import Command


def test_a_zip_is_written_where_asked(acetate: Command, tmp_path: Path) -> None:
    outcome = acetate("plugin", "zip", "krita", "-o", tmp_path)
    assert outcome.code == 0
    assert Path(outcome.out.strip()).is_file()


@pytest.mark.skipif(os.name == "nt", reason="links and modes as on Linux")
def test_a_plugin_is_switched_on_in_a_kritarc_that_stays_a_link_and_private(
    acetate: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    kept, config = tmp_path / "dotfiles", tmp_path / "config/kritarc"
    kept.write_text("[theme]\nTheme=Krita dark\n")
    kept.chmod(0o600)
    config.parent.mkdir()
    config.symlink_to(kept)
    assert acetate("plugin", "install", "krita", "--enable").code == 0
    assert kept.read_text() == "[theme]\nTheme=Krita dark\n\n[python]\nenable_acetate=true\n"
    assert config.is_symlink() and stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folder on Linux, without any editor; returns where editors keep their data."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # a GIMP of this machine would be started
    return tmp_path / "data"


def test_all_means_the_editors_that_are_there(acetate: Command, linux: Path) -> None:
    outcome = acetate("plugin", "install", "all")
    assert outcome.code == 2 and "neither Krita nor GIMP was found" in outcome.err
    assert not linux.exists(), "no folder is made for an editor that is not there"
    (linux / "krita").mkdir(parents=True)
    outcome = acetate("plugin", "install", "all")
    assert outcome.code == 0 and outcome.out.startswith("Krita: installed in ")
    assert "GIMP was not found" in outcome.err


@pytest.mark.parametrize(("words", "said"), [((), True), (("--enable",), False)])
def test_what_is_left_to_do_in_krita_is_said(acetate: Command, linux: Path, words: tuple[str, ...], said: bool) -> None:
    outcome = acetate("plugin", "install", "krita", *words)
    assert outcome.code == 0 and ("Python Plugin Manager" in outcome.err) == said
    steps = [line.removeprefix("note: Krita, ") for line in outcome.err.splitlines() if "Krita, " in line]
    assert [step[:2] for step in steps] == ["1.", "2.", "3."]
    assert "restart" in steps[0] and "Settings > Dockers > Acetate" in steps[1] and "Generate" in steps[2]


def test_what_is_left_to_do_in_gimp_is_said(acetate: Command, linux: Path, tmp_path: Path) -> None:
    (tmp_path / "config/GIMP/3.0").mkdir(parents=True)
    outcome = acetate("plugin", "install", "gimp")
    assert outcome.code == 0 and "note: GIMP, 1. restart it" in outcome.err and "the menu Filters" in outcome.err


def test_a_folder_that_is_not_there_is_named(acetate: Command, tmp_path: Path) -> None:
    outcome = acetate("plugin", "zip", "krita", "-o", tmp_path / "k.zip")
    assert outcome.code == 2
    assert "k.zip is not a folder" in outcome.err and "name the folder" in outcome.err
