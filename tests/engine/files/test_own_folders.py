"""Where the program keeps what is its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate.engine.files.own_folders import cache_folder, models_folder, settings_folder


def test_one_variable_holds_them_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    assert (models_folder(), settings_folder(), cache_folder()) == (tmp_path / "models", tmp_path, tmp_path / "cache")
    assert list(tmp_path.iterdir()) == [], "asking creates nothing"


def test_without_it_they_are_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACETATE_HOME", "")
    folders = (models_folder(), settings_folder(), cache_folder())
    assert all(folder.is_absolute() and "acetate" in folder.parts for folder in folders)
