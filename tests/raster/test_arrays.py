"""The way of arrays between bytes and floats."""

from __future__ import annotations

import numpy as np
from acetate import raster
from acetate.raster.arrays import round_to_u8


def test_every_byte_survives_the_way_to_floats_and_back() -> None:
    rgba = np.arange(256, dtype=np.uint8).reshape(8, 8, 4)
    assert np.array_equal(raster.to_u8(raster.to_float(rgba)), rgba)
    assert np.array_equal(round_to_u8(rgba.astype(np.float32)), rgba)


def test_rounding_to_bytes_is_to_nearest_and_clips() -> None:
    assert raster.to_u8(np.array([-1.0, 0.4999 / 255, 0.5001 / 255, 1.0, 7.0], np.float32)).tolist() == [0, 0, 1, 255, 255]
    assert round_to_u8(np.array([-9.0, 0.49, 0.51, 255.0, 290.0], np.float32)).tolist() == [0, 0, 1, 255, 255]


def test_floats_are_single_and_the_ends_are_exact() -> None:
    found = raster.to_float(np.array([[0, 51, 255]], np.uint8))
    assert found.dtype == np.float32 and found.tolist() == [[0.0, np.float32(0.2), 1.0]]


def test_what_is_rounded_is_left_as_it_was() -> None:
    values = np.array([-9.0, 0.49, 290.0], np.float32)
    round_to_u8(values), raster.to_u8(values)
    assert values.tolist() == [-9.0, np.float32(0.49), 290.0]
