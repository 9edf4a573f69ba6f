"""GIMP on a screen, driven by keyboard, also where something goes wrong around our window; leaves screenshots to look at."""

from __future__ import annotations

import numpy as np
import pytest
from acetate import document

from .conftest import Gimp, claims

MODULES = "windows,window_faults"


@pytest.fixture(scope="module", autouse=True)
def given_file(gimp: Gimp) -> None:
    """An OpenRaster file of ours for a person to choose."""
    layers = [document.Layer(rgba=np.full((32, 48, 4), shade, np.uint8), x=shade, name=f"sheet {shade}") for shade in (90, 180)]
    document.write(document.Document(320, 240, layers), gimp.out / "chosen.ora")


@pytest.mark.parametrize("claim", claims(MODULES))
@pytest.mark.usefixtures("server")
def test_on_a_screen(gimp: Gimp, claim: str) -> None:
    gimp.prove(MODULES, claim, fake=True, on_screen=True)
