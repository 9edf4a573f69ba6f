"""Layers in the real GIMP: the claims of `inside/insertion.py`, and what other programs find in the files it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from acetate import document

from .conftest import Gimp, claims

LARGEST_DIFFERENCE = 1


@pytest.mark.parametrize("claim", claims("insertion"))
@pytest.mark.usefixtures("drawing_server")
def test_in_gimp(gimp: Gimp, claim: str) -> None:
    gimp.prove("insertion", claim)


def stack(folder: Path, kind: str) -> document.Document:
    """The layers that GIMP left as raw pixels, lowest first; their file names say the rest."""
    layers = []
    for file in sorted(folder.glob(f"{kind}-[0-9]*.rgba")):
        _, _, x, y, width, height, opacity = file.stem.replace("--", "-m").split("-")
        rgba = np.fromfile(file, np.uint8).reshape(int(height), int(width), 4)
        place = [int(value.replace("m", "-")) for value in (x, y)]
        layers.append(document.Layer(rgba=rgba, x=place[0], y=place[1], opacity=int(opacity) / 100))
    base = layers[0].rgba
    return document.Document(base.shape[1], base.shape[0], layers)


@pytest.mark.parametrize(
    ("kind", "claim"), [("soft", "soft_edges_blend_in_encoded_values"), ("group", "a_group_blends_as_its_layers_do")]
)
@pytest.mark.usefixtures("drawing_server")
def test_what_gimp_shows_equals_our_own_composition(gimp: Gimp, kind: str, claim: str) -> None:
    gimp.prove("insertion", claim)
    ours = document.compose(stack(gimp.out, kind)).astype(int)
    shown = np.fromfile(gimp.out / f"{kind}-shown.rgba", np.uint8).reshape(ours.shape).astype(int)
    assert np.abs(ours - shown).max() <= LARGEST_DIFFERENCE
    assert len(np.unique(ours)) > 100, "there are soft edges to compare"


@pytest.mark.usefixtures("drawing_server")
def test_our_reader_finds_the_layer_in_a_psd_that_gimp_exported(gimp: Gimp) -> None:
    gimp.prove("insertion", "a_psd_exported_by_gimp_keeps_layers_and_places")
    wanted = json.loads((gimp.out / "exported.json").read_text())
    layer = document.read(gimp.out / "exported.psd").layers[-1]
    assert isinstance(layer, document.Layer)
    x, y, width, height = wanted["box"]
    assert (layer.name, layer.x, layer.y, layer.rgba.shape[1], layer.rgba.shape[0]) == (wanted["name"], x, y, width, height)
    ours = np.fromfile(gimp.out / "exported.rgba", np.uint8).reshape(height, width, 4)
    opaque = ours[..., 3] > 0
    assert (layer.rgba[..., 3] == ours[..., 3]).all()
    assert (layer.rgba[opaque] == ours[opaque]).all()
