"""GIMP on a screen, driven by keyboard: the claims of `inside/windows.py`, which leave screenshots to look at."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims


@pytest.mark.parametrize("claim", claims("windows"))
@pytest.mark.usefixtures("server")
def test_on_a_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove("windows", claim, on_screen=True)
