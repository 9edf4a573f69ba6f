"""Layered files of ours opened by the real GIMP itself: the same layers, and the same picture within a level."""

from __future__ import annotations

import json

import numpy as np
import pytest
from acetate import document
from numpy.typing import NDArray

from .conftest import Gimp

WIDTH, HEIGHT = 96, 80
LARGEST_DIFFERENCE = 1


def scene() -> document.Document:
    """An opaque ground and soft discs, one of them faded and one partly beside the canvas."""
    random = np.random.default_rng(3)
    ground = random.integers(0, 256, (HEIGHT, WIDTH, 4), np.uint8)
    ground[..., 3] = 255
    layers = [document.Layer(rgba=ground, name="ground")]
    for x, y, side, opacity in ((10, 8, 50, 1.0), (60, 40, 48, 1.0), (-6, 30, 40, 0.6)):
        rgba = random.integers(0, 256, (side, side, 4), np.uint8)
        row, column = np.mgrid[0:side, 0:side]
        distance = np.hypot(column - side / 2, row - side / 2) / side
        rgba[..., 3] = np.clip((0.5 - distance) * 600, 0, 255).astype(np.uint8)
        layers.append(document.Layer(rgba=rgba, x=x, y=y, name=f"disc {side} 🍎", opacity=opacity))
    return document.Document(WIDTH, HEIGHT, layers)


@pytest.fixture(scope="module", autouse=True)
def given_files(gimp: Gimp) -> None:
    for suffix in ("psd", "ora"):
        assert document.write(scene(), gimp.out / f"ours.{suffix}") == ()


@pytest.mark.parametrize(("suffix", "claim"), [("psd", "a_psd_of_ours_opens"), ("ora", "an_openraster_file_of_ours_opens")])
def test_gimp_opens_what_we_wrote(gimp: Gimp, suffix: str, claim: str) -> None:
    """Each layer, and the picture in the blend space that the files are made for."""
    gimp.prove("files", claim)
    name, wanted = f"ours.{suffix}", scene()
    found = json.loads((gimp.out / f"{name}.json").read_text())
    assert found["size"] == [WIDTH, HEIGHT]
    layers = [one for one in reversed(wanted.layers) if isinstance(one, document.Layer)]
    assert found["layers"] == [[one.name, one.x, one.y, one.rgba.shape[1], one.rgba.shape[0]] for one in layers]
    for number, layer in enumerate(layers):
        assert difference(gimp, f"{name}-{number}.rgba", layer.rgba) <= LARGEST_DIFFERENCE
    assert difference(gimp, f"{name}.rgba", document.compose(wanted)) <= LARGEST_DIFFERENCE


def difference(gimp: Gimp, name: str, wanted: NDArray[np.uint8]) -> int:
    """Between what GIMP left and `wanted`, colour only where something shows."""
    found = np.fromfile(gimp.out / name, np.uint8).reshape(wanted.shape).astype(int)
    apart = np.abs(found - wanted)
    return int(max(apart[..., 3].max(), apart[wanted[..., 3] > 0].max(initial=0)))
