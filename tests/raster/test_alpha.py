"""Straight and premultiplied alpha, and the parts of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from acetate import raster
from acetate.vocabulary.box import Box
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Examples are small, and a busy machine may take its time over them."""

SIZE = st.tuples(st.integers(1, 7), st.integers(1, 7))
pictures_u8 = SIZE.flatmap(lambda size: arrays(np.uint8, (*size, 4), elements=st.sampled_from([0, 1, 2, 77, 128, 254, 255])))
three = SIZE.flatmap(lambda size: arrays(np.uint8, (3, *size, 4), elements=st.sampled_from([0, 1, 77, 128, 255])))


@UNTIMED
@given(pictures_u8)
def test_premultiplying_and_back_is_lossless_where_there_is_alpha_and_black_elsewhere(rgba: NDArray[np.uint8]) -> None:
    back = raster.to_u8(raster.unpremultiply(raster.premultiply(raster.to_float(rgba))))
    seen = rgba[..., 3] > 0
    assert np.array_equal(back[seen], rgba[seen])
    assert not back[~seen].any()


@UNTIMED
@given(three)
def test_composing_is_associative(pictures: NDArray[np.uint8]) -> None:
    """Compared premultiplied: the colour of what is nearly transparent is mostly rounding."""
    top, middle, bottom = (raster.to_float(picture) for picture in pictures)
    left = raster.over(raster.over(top, middle), bottom)
    right = raster.over(top, raster.over(middle, bottom))
    assert np.abs(raster.premultiply(left) - raster.premultiply(right)).max() < 1e-6


@UNTIMED
@given(pictures_u8)
def test_composing_with_nothing_is_the_picture_itself(rgba: NDArray[np.uint8]) -> None:
    picture, nothing = raster.to_float(rgba), np.zeros(rgba.shape, np.float32)
    seen = rgba[..., 3] > 0
    assert np.allclose(raster.over(picture, nothing)[seen], picture[seen], atol=1e-6)
    assert np.allclose(raster.over(nothing, picture), picture, atol=1e-6), "hidden colour of the bottom too"


@UNTIMED
@given(three)
def test_what_lies_under_something_opaque_does_not_show(pictures: NDArray[np.uint8]) -> None:
    top, bottom = raster.to_float(pictures[0]), raster.to_float(pictures[1])
    top[..., 3] = 1
    assert np.array_equal(raster.over(top, bottom), top)


def test_composing_is_source_over() -> None:
    top = np.array([[[1.0, 0.0, 0.0, 0.5]]], np.float32)
    bottom = np.array([[[0.0, 0.0, 1.0, 1.0]]], np.float32)
    assert np.allclose(raster.over(top, bottom), [[[0.5, 0.0, 0.5, 1.0]]])


@UNTIMED
@given(pictures_u8)
def test_composing_leaves_its_pictures_as_they_were(rgba: NDArray[np.uint8]) -> None:
    top, bottom = raster.to_float(rgba), raster.to_float(rgba[::-1])
    before = top.copy(), bottom.copy()
    raster.over(top, bottom)
    assert np.array_equal(top, before[0]) and np.array_equal(bottom, before[1])


@UNTIMED
@given(pictures_u8, st.integers(-9, 9), st.integers(-9, 9), st.integers(0, 9), st.integers(0, 9))
def test_a_crop_has_the_pictures_pixels_and_nothing_outside(
    rgba: NDArray[np.uint8], x: int, y: int, width: int, height: int
) -> None:
    wide = np.pad(rgba, ((20, 20), (20, 20), (0, 0)))
    assert np.array_equal(raster.crop(rgba, Box(x, y, width, height)), wide[20 + y :, 20 + x :][:height, :width])


@UNTIMED
@given(pictures_u8)
def test_trimming_keeps_everything_that_is_seen_and_no_empty_edge(rgba: NDArray[np.uint8]) -> None:
    trimmed = raster.trim(rgba)
    if trimmed is None:
        assert not rgba[..., 3].any()
        return
    part, box = trimmed
    back = raster.crop(part, Box(0, 0, rgba.shape[1], rgba.shape[0]).relative_to(box))
    seen = rgba[..., 3] > 0
    assert np.array_equal(back[seen], rgba[seen])
    assert part.flags.c_contiguous and part.shape[:2] == (box.height, box.width)
    for edge in (part[0], part[-1], part[:, 0], part[:, -1]):
        assert edge[..., 3].any()


@pytest.mark.parametrize("shape", [(0, 0, 4), (0, 3, 4), (3, 0, 4), (3, 3, 4)])
def test_there_is_nothing_to_trim_of_an_empty_picture(shape: tuple[int, int, int]) -> None:
    assert raster.trim(np.zeros(shape, np.uint8)) is None


def test_bounds_are_those_of_everything_above_zero() -> None:
    alpha = np.zeros((20, 30), np.uint8)
    alpha[5:9, 7:12] = 1
    assert raster.bounds(alpha) == Box(7, 5, 5, 4)
    assert raster.bounds(np.zeros((3, 3), np.uint8)) is None
