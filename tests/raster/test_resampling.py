"""Resampling against the same sums in double precision, and what transparency must not do to colour."""

from __future__ import annotations

import numpy as np
import pytest
from acetate.raster import lanczos, resample, resize
from acetate.raster.resampling import FILTERS, Filter, Taps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Examples are small, and a busy machine may take its time over them."""


def exact(picture: NDArray[np.uint8], new: int, axis: int) -> NDArray[np.float64]:
    """One axis by the textbook: a window of three lobes, as wide as the larger of both grids asks."""
    old = picture.shape[axis]
    scale = old / new
    width = max(scale, 1.0)
    centre = (np.arange(new)[:, None] + 0.5) * scale - 0.5
    distance = (np.arange(old)[None] - centre) / width
    weight = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.moveaxis(np.tensordot(weight, picture, axes=(1, axis)), 0, axis)


@pytest.mark.parametrize("size", [(40, 60), (160, 90), (23, 200), (41, 61)])
@pytest.mark.parametrize("shape", [(60, 40), (60, 40, 3)])
def test_lanczos_is_the_separable_sum_rounded_once(size: tuple[int, int], shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    expected = exact(exact(picture, size[0], 1), size[1], 0)

    assert np.abs(lanczos(picture, size) - np.clip(expected, 0, 255)).max() <= 0.51


def test_lanczos_at_the_same_size_is_the_picture_itself() -> None:
    picture = np.zeros((3, 5), np.uint8)
    assert lanczos(picture, (5, 3)) is picture


sides = st.integers(1, 40)


@UNTIMED
@given(sides, sides, sides, sides, st.sampled_from(["area", "linear", "lanczos", "auto"]))
def test_a_constant_picture_stays_constant(height: int, width: int, new_height: int, new_width: int, kind: Taps) -> None:
    constant = np.full((height, width, 2), (0.25, 1), np.float32)
    result = resample(constant, new_width, new_height, kind)
    assert result.shape == (new_height, new_width, 2)
    assert np.allclose(result, (0.25, 1), atol=1e-6)


@UNTIMED
@given(sides, sides, st.sampled_from([(0, 255, 7), (128, 128, 128)]))
def test_lanczos_of_a_constant_picture_is_constant(width: int, height: int, colour: tuple[int, ...]) -> None:
    assert (lanczos(np.full((9, 11, 3), colour, np.uint8), (width, height)) == colour).all()


def test_auto_averages_the_axis_that_shrinks_and_interpolates_the_one_that_grows() -> None:
    values = np.random.default_rng(1).random((60, 30, 3)).astype(np.float32)
    expected = resample(resample(values, 30, 20, "area"), 90, 20, "lanczos")
    assert np.array_equal(resample(values, 90, 20, "auto"), expected)


def test_area_averaging_keeps_the_mean() -> None:
    values = np.random.default_rng(1).random((60, 90, 3)).astype(np.float32)
    small = resample(values, 30, 20, "area")
    assert np.allclose(small, values.reshape(20, 3, 30, 3, 3).mean(axis=(1, 3)), atol=1e-6)


def test_both_ways_to_lanczos_agree_away_from_the_borders() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (40, 50, 1)).astype(np.uint8)
    one = resample(picture.astype(np.float32), 115, 100, "lanczos")[10:-10, 10:-10]
    other = lanczos(picture, (115, 100))[10:-10, 10:-10]
    assert np.abs(np.clip(one, 0, 255) - other).max() <= 0.51


def noise(height: int, width: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (height, width, 4)).astype(np.uint8)


def edge() -> NDArray[np.uint8]:
    """White on the left, and transparent *black* on the right: the classic source of dark fringes."""
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, :8] = 255
    return rgba


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("size", [(37, 23), (5, 7)])
def test_transparent_neighbours_do_not_bleed_into_the_colour(filter: Filter, size: tuple[int, int]) -> None:
    result = resize(edge(), *size, filter)
    seen = result[..., 3] > 0
    assert result.shape == (size[1], size[0], 4)
    assert seen.any()
    assert result[..., :3][seen].min() == 255


def test_an_opaque_picture_stays_opaque_and_in_range() -> None:
    rgba = noise(9, 9)
    rgba[..., 3] = 255
    assert (resize(rgba, 20, 31)[..., 3] == 255).all()


@pytest.mark.parametrize("filter", FILTERS)
def test_a_flat_colour_stays_exactly_that_colour_under_any_alpha(filter: Filter) -> None:
    rgba = noise(12, 12)
    rgba[..., :3] = (13, 177, 240)
    result = resize(rgba, 29, 17, filter)
    assert np.abs(result[..., :3].astype(int) - (13, 177, 240)).max() <= 1


def test_colour_under_alpha_zero_survives() -> None:
    rgba = np.full((8, 8, 4), (90, 60, 30, 0), np.uint8)
    assert resize(rgba, 3, 5)[2, 1].tolist() == [90, 60, 30, 0]


def test_resizing_to_the_same_size_is_a_copy() -> None:
    rgba = noise(4, 5)
    result = resize(rgba, 5, 4)
    assert np.array_equal(result, rgba)
    assert not np.shares_memory(result, rgba)


def test_an_empty_picture_becomes_a_transparent_one() -> None:
    assert not resize(np.zeros((0, 0, 4), np.uint8), 3, 2).any()


def test_halving_averages_premultiplied_colour() -> None:
    rgba = np.array([[[255, 0, 0, 255], [0, 0, 255, 85]]], np.uint8)
    assert resize(rgba, 1, 1, "box")[0, 0].tolist() == [191, 0, 64, 170]


@pytest.mark.parametrize(("width", "height", "filter"), [(0, 4, "box"), (4, -1, "box"), (4, 4, "sinc")])
def test_wrong_sizes_and_filters_are_named(width: int, height: int, filter: Filter) -> None:
    with pytest.raises(ValueError, match=r"at least 1|must be one of nearest"):
        resize(edge(), width, height, filter)
