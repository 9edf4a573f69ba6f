"""A home folder, and the editors that a person has in it."""

import sys

import pytest


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home folder of a person on Linux."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # a GIMP of this machine would be started
    for variable in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "GIMP3_DIRECTORY"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


@pytest.fixture
def gimp(home):
    """`gimp(version)`: the configuration folder of a GIMP that was started once."""

    def start(version="3.0"):
        folder = home / ".config/GIMP" / version
        folder.mkdir(parents=True)
        return folder

    return start
