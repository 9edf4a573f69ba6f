"""The window on a screen of twice the density: the claims of `inside/dense_screen.py`, which leave screenshots to look at."""

from __future__ import annotations

import pytest

from .conftest import Gimp, claims

SCREEN = "1920x1080"


@pytest.mark.parametrize("claim", claims("dense_screen"))
@pytest.mark.usefixtures("drawing_server")
def test_on_a_dense_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove("dense_screen", claim, on_screen=SCREEN, GDK_SCALE="2")
