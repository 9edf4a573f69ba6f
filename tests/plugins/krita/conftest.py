"""The fake Krita, and the stage on which the contract of the real one is played with it."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import pytest

from .fake_qt import installed

HERE = Path(__file__).parent
EDITORS = HERE.parents[1] / "editors" / "krita"


def loaded(name: str, path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


fake_krita = loaded("fake_krita", HERE / "fake_krita.py")


installed()


@pytest.fixture
def app() -> object:
    return fake_krita.App()


@pytest.fixture
def krita() -> types.ModuleType:
    return fake_krita
