"""The way of arrays between bytes and floats."""

from __future__ import annotations

import numpy as np
from acetate import raster
from acetate.raster.arrays import round_to_u8, rounded


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


def test_sixteen_bits_are_rounded_to_eight_and_eight_come_back_from_sixteen() -> None:
    every = np.arange(65536, dtype=np.uint16)
    assert np.array_equal(raster.to_8_bits(every), np.rint(every / 257))
    levels = np.arange(256, dtype=np.uint8)
    assert raster.to_16_bits(levels)[[0, 1, 255]].tolist() == [0, 257, 65535]
    assert np.array_equal(raster.to_8_bits(raster.to_16_bits(levels)), levels)
    assert raster.to_8_bits(levels) is levels and raster.to_16_bits(every) is every


def test_rounding_to_sixteen_bits_is_to_nearest_and_clips() -> None:
    values = np.array([-9.0, 0.49, 1000.5, 65534.6, 70000.0], np.float32)
    assert rounded(values, np.uint16).tolist() == [0, 0, 1001, 65535, 65535]


def test_what_is_rounded_is_left_as_it_was() -> None:
    values = np.array([-9.0, 0.49, 290.0], np.float32)
    round_to_u8(values), raster.to_u8(values)
    assert values.tolist() == [-9.0, np.float32(0.49), 290.0]
