"""Measures of transparency without a reference."""

import numpy as np
import pytest
from acetate.engine.pixels import quality
from numpy.typing import NDArray


def disc(radius: float = 20, inside: int = 255, outside: int = 0) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:64, 0:64]
    picture = np.full((64, 64, 4), 90, np.uint8)
    picture[..., 3] = np.where(np.hypot(x - 31.5, y - 31.5) < radius, inside, outside)
    return picture


def test_a_clean_cut_out_has_a_clear_border_and_a_solid_core() -> None:
    measured = quality.measure(disc())
    assert measured["border"] == 1
    assert measured["core"] == 1
    assert measured["haze"] == 0
    assert quality.warnings(measured) == ()


def test_haze_around_the_subject_is_seen_and_said() -> None:
    measured = quality.measure(disc(outside=8))
    assert measured["haze"] > 0.5
    assert measured["border"] == 0
    assert any("haze" in warning for warning in quality.warnings(measured))


def test_a_see_through_body_has_no_solid_core() -> None:
    assert quality.measure(disc(inside=180))["core"] == 0
    assert quality.measure(disc(inside=180))["subject_alpha"] == pytest.approx(180 / 255)


@pytest.mark.parametrize(("alpha", "word"), [(255, "opaque"), (0, "empty")])
def test_constant_alpha_is_a_warning(alpha: int, word: str) -> None:
    picture = np.full((32, 32, 4), alpha, np.uint8)
    (warning,) = quality.warnings(quality.measure(picture))
    assert word in warning


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2)])
def test_tiny_pictures_can_be_measured(size: tuple[int, int]) -> None:
    assert set(quality.measure(np.zeros((*size, 4), np.uint8))) >= {"border", "haze", "core", "constant"}


def test_what_else_helps_with_a_model_is_said_where_its_background_is_opaque_and_only_there() -> None:
    remedy = "take injection convolution"
    opaque, solid = (np.full((64, 64, 4), 255, np.uint8) for _ in range(2))
    opaque[20:30, 20:30, 3] = 0
    clear = solid.copy()
    clear[:, :, 3] = 0
    clear[20:40, 20:40, 3] = 255
    for rgba, said in ((opaque, True), (solid, True), (clear, False)):
        assert any(remedy in text for text in quality.warnings(quality.measure(rgba), remedy)) is said
