"""A home of its own, without any variable of the person who runs the tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for variable in [name for name in os.environ if name.startswith("ACETATE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def write(home: Path) -> Callable[[str], Path]:
    """Write the settings file."""

    def written(text: str) -> Path:
        path = home / "settings.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return written
