"""The fake GIMP, in the place where the plug-in looks for the real one."""

from __future__ import annotations

import types

import pytest

from .fake_gimp import installed

GIMP = installed()


@pytest.fixture
def gimp() -> types.ModuleType:
    GIMP.shown.clear()
    return GIMP
