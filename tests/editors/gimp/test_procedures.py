"""Every procedure in the real GIMP, called as scripts call it: what it does, takes, refuses and gives back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from acetate import document

from .conftest import Gimp, claims

MODULES = "procedures,calls,scripts,scenes"


@pytest.fixture(scope="module", autouse=True)
def given_file(gimp: Gimp) -> None:
    """A PSD of ours for the plug-in to insert, and what is in it."""
    random = np.random.default_rng(7)
    layers = []
    for number, (x, y, width, height) in enumerate(((0, 0, 24, 16), (-5, 30, 10, 12), (60, 3, 9, 9))):
        rgba = random.integers(0, 256, (height, width, 4), dtype=np.uint8)
        rgba[..., 3] |= 1
        layers.append(document.Layer(rgba=rgba, x=x, y=y, name=f"sheet {number} 🍎", opacity=(100, 60, 20)[number] / 100))
    document.write(document.Document(96, 80, layers), gimp.out / "given.psd")
    expected = [
        {
            "name": layer.name,
            "place": [layer.x, layer.y],
            "size": [layer.rgba.shape[1], layer.rgba.shape[0]],
            "opacity": round(layer.opacity * 100),
            "rgba": layer.rgba.tobytes().hex(),
        }
        for layer in layers
    ]
    (gimp.out / "given.json").write_text(json.dumps(expected))


@pytest.mark.parametrize("claim", claims(MODULES))
@pytest.mark.usefixtures("drawing_server")
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove(MODULES, claim)
