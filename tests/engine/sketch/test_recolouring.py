from __future__ import annotations

import colorsys

import numpy as np
import pytest
from acetate.engine.sketch.recolouring import HUES, MATERIALS, recoloured

Plane = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@pytest.fixture
def drawing() -> Plane:
    """A red square with a white and a black part, `(48, 48, 4)`."""
    made = np.zeros((48, 48, 4), np.float32)
    made[8:40, 8:40] = (0.8, 0.1, 0.1, 1)
    made[8:14, 8:40, :3] = 1
    made[34:40, 8:40, :3] = 0
    return made


@pytest.mark.parametrize("colour", ["orange", "yellow", "green", "blue", "purple", "pink"])
def test_what_is_coloured_takes_the_colour(drawing: Plane, colour: str) -> None:
    hue = colorsys.rgb_to_hsv(*(float(v) for v in recoloured(drawing, colour)[24, 24, :3]))[0] * 360
    assert hue == pytest.approx(HUES[colour], abs=4)


def test_whites_blacks_and_alpha_stay(drawing: Plane) -> None:
    made = recoloured(drawing, "blue")
    assert np.allclose(made[10, 24], 1, atol=0.02)
    assert np.allclose(made[36, 24], (0, 0, 0, 1), atol=0.02)
    assert (made[..., 3] == drawing[..., 3]).all()


def test_a_grey_drawing_is_tinted() -> None:
    grey = np.full((16, 16, 4), 0.5, np.float32) * (1, 1, 1, 2)
    red, green, blue, _ = recoloured(grey.astype(np.float32), "green")[8, 8]
    assert green > 1.5 * max(red, blue)


@pytest.mark.parametrize(("colour", "least", "most"), [("black", 0.0, 0.3), ("white", 0.8, 1.0), ("grey", 0.4, 0.75)])
def test_colours_without_a_hue_are_so_bright(drawing: Plane, colour: str, least: float, most: float) -> None:
    pixel = recoloured(drawing, colour)[24, 24, :3]
    assert least <= pixel.min() <= pixel.max() <= most
    assert np.ptp(pixel) < 0.15


def test_glass_is_seen_through_and_metal_is_not(drawing: Plane) -> None:
    glass, metal = MATERIALS["glass"](drawing), MATERIALS["metal"](drawing)
    assert 0.15 < glass[24, 24, 3] < 0.6
    assert metal[24, 24, 3] == 1
    assert np.ptp(metal[24, 24, :3]) < np.ptp(drawing[24, 24, :3]) / 3


@pytest.mark.parametrize("material", MATERIALS)
def test_colour_stays_within_alpha_and_nothing_appears_outside(drawing: Plane, material: str) -> None:
    made = MATERIALS[material](drawing)
    assert (made[..., :3] <= made[..., 3:] + 1e-5).all()
    assert not made[:7].any()
