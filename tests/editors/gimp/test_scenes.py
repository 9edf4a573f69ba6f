"""Scenes, objects and backgrounds in the real GIMP: the claims of `inside/scenes.py`."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("scenes"))
@pytest.mark.usefixtures("server")
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("scenes", claim)
