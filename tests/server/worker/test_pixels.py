from __future__ import annotations

import numpy as np
import pytest
from acetate.engine import BadRequest
from acetate.protocol import BYTES_PER_PIXEL
from acetate.server.worker import pixels
from acetate.server.worker.pixels import from_rgba8, to_mask, to_rgba8

EVERY = np.stack([np.arange(256), np.arange(256)[::-1], np.full(256, 77), np.arange(256)], axis=1).astype(np.uint8)
"""All values of red, green and alpha."""


def converted(rgba: bytes, format: str) -> bytes:
    there = bytearray(len(rgba) * BYTES_PER_PIXEL[format] // 4)
    from_rgba8(rgba, format, memoryview(there))
    return bytes(there)


@pytest.mark.parametrize("format", ["bgra8", "rgba16", "rgbaf32"])
def test_every_value_survives_the_way_to_a_format_and_back(format: str) -> None:
    there = converted(EVERY.tobytes(), format)

    assert np.array_equal(to_rgba8(there, format, 16, 16, "source").reshape(-1, 4), EVERY)


def test_bgra_swaps_red_and_blue_only() -> None:
    assert converted(bytes([1, 2, 3, 4, 5, 6, 7, 8]), "bgra8") == bytes([3, 2, 1, 4, 7, 6, 5, 8])


def test_sixteen_bits_become_light_without_losing_a_level() -> None:
    ramp = np.linspace(0, 65535, 1024).round().astype("<u2").repeat(4)
    floats = np.empty((1024, 4), "<f4")
    pixels.converted(ramp.tobytes(), "rgba16", "rgbaf32", memoryview(floats).cast("B"))

    values = ramp[::4] / 65535
    assert np.allclose(floats[:, 0], np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4), atol=1e-7)
    assert np.allclose(floats[:, 3], values, atol=1e-7)
    assert len(np.unique(floats[:, 0])) == 1024


def test_float_is_linear_light_and_alpha_is_not() -> None:
    grey = np.frombuffer(converted(bytes([188, 188, 188, 128]), "rgbaf32"), "<f4")

    assert grey[:3] == pytest.approx(0.5029, abs=1e-4)
    assert grey[3] == pytest.approx(128 / 255)


def test_values_beyond_white_are_clipped() -> None:
    bright = np.array([7.0, -1.0, 0.0, 2.0], "<f4").tobytes()

    assert to_rgba8(bright, "rgbaf32", 1, 1, "source").tolist() == [[[255, 0, 0, 255]]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused_by_the_pictures_name(bad: float) -> None:
    with pytest.raises(BadRequest, match="background holds NaN or infinity"):
        to_rgba8(np.array([0, bad, 0, 1], "<f4").tobytes(), "rgbaf32", 1, 1, "background")


def test_a_mask_is_gray_or_the_alpha_of_a_picture() -> None:
    assert to_mask(b"\x05\xff", "gray8", 2, 1, "mask").tolist() == [[5, 255]]
    assert to_mask(bytes([1, 2, 3, 9]), "rgba8", 1, 1, "mask").tolist() == [[9]]


def test_a_mask_is_no_picture() -> None:
    with pytest.raises(BadRequest, match="source is a gray8 picture"):
        to_rgba8(b"\0", "gray8", 1, 1, "source")
