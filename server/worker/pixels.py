"""Pixel formats of the wire to and from arrays, straight alpha: 8-bit sRGB mostly, and deeper ones as they are. Knows no job."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
from acetate.engine import RGBA, BadRequest
from acetate.protocol import BYTES_PER_PIXEL
from acetate.raster import Deep, to_8_bits
from numpy.typing import NDArray

Bytes = bytes | bytearray | memoryview

DEEP: Mapping[str, str] = {"rgba16": "<u2", "rgbaf32": "<f4"}
"""The formats with more than 8 bits, and what their values are to numpy."""


def converted(stored: Bytes, stored_format: str, format: str, into: memoryview) -> None:
    """Write a layer's pixels, any whole number, into bytes of another format; of `rgba16` into `rgbaf32` as
    they are, between other depths through 8 bits."""
    if (stored_format, format) == ("rgba16", "rgbaf32"):
        values = np.frombuffer(stored, "<u2").reshape(-1, 4)
        floats = np.frombuffer(into, "<f4").reshape(values.shape)
        np.take(_linear_of_srgb(65535), values, out=floats, mode="clip")
        np.divide(values[:, 3], np.float32(65535), out=floats[:, 3])
        return
    if stored_format in DEEP:
        pixels = len(stored) // BYTES_PER_PIXEL[stored_format]
        stored = np.ascontiguousarray(to_rgba8(stored, stored_format, pixels, 1, "the layer")).data.cast("B")
    if format == "rgba8":
        into[:] = stored
    else:
        from_rgba8(stored, format, into)


def to_deep(data: Bytes, format: str, width: int, height: int) -> Deep | None:
    """An uploaded picture's own numbers, `(H, W, 4)`, where it has more than 8 bits; `None` for others."""
    return np.frombuffer(data, DEEP[format]).reshape(height, width, 4) if format in DEEP else None


def format_of(pixels: RGBA | Deep) -> str:
    """The wire's name for such an array."""
    return {"uint8": "rgba8", "uint16": "rgba16", "float32": "rgbaf32"}[pixels.dtype.name]


def from_rgba8(rgba: Bytes, format: str, into: memoryview) -> None:
    """Write `rgba8` pixels, any whole number, into bytes of another layer format. Raises `ValueError` for an unknown one."""
    pixels = np.frombuffer(rgba, np.uint8).reshape(-1, 4)
    if format == "bgra8":
        # As 32-bit words: 4 times faster than fancy indexing of channels.
        words, result = pixels.view("<u4").reshape(-1), np.frombuffer(into, "<u4")
        red = np.bitwise_and(words, np.uint32(0xFF))
        np.left_shift(red, 16, out=red)
        np.bitwise_and(words, np.uint32(0xFF00FF00), out=result)
        np.bitwise_or(result, red, out=result)
        blue = np.right_shift(words, 16, out=red)
        np.bitwise_and(blue, np.uint32(0xFF), out=blue)
        np.bitwise_or(result, blue, out=result)
    elif format == "rgba16":
        np.multiply(pixels, np.uint16(257), out=np.frombuffer(into, "<u2").reshape(pixels.shape), dtype="<u2")
    elif format == "rgbaf32":
        floats = np.frombuffer(into, "<f4").reshape(pixels.shape)
        np.take(_linear_of_srgb(255), pixels, out=floats, mode="clip")  # alpha as well, which is faster than leaving it out
        np.divide(pixels[:, 3], np.float32(255), out=floats[:, 3])
    else:
        raise ValueError(f"the layer format is {format!r}; known are bgra8, rgba16, rgbaf32")


def to_rgba8(data: Bytes, format: str, width: int, height: int, name: str) -> RGBA:
    """An uploaded picture as `(H, W, 4)` uint8. Raises `BadRequest`, which calls it `name`, for one without alpha."""
    if format in ("rgba8", "bgra8"):
        rgba = np.frombuffer(data, np.uint8).reshape(height, width, 4)
        return rgba if format == "rgba8" else np.ascontiguousarray(rgba[..., [2, 1, 0, 3]])
    if format == "rgba16":
        return to_8_bits(np.frombuffer(data, "<u2").reshape(height, width, 4))
    if format == "rgbaf32":
        return _from_linear(np.frombuffer(data, "<f4").reshape(height, width, 4), name)
    raise BadRequest(f"{name} is a {format} picture; a picture with colour and alpha is needed")


def to_mask(data: Bytes, format: str, width: int, height: int, name: str) -> NDArray[np.uint8]:
    """An uploaded mask as `(H, W)` uint8, 255 = selected; for a picture with alpha, that is its alpha."""
    if format == "gray8":
        return np.frombuffer(data, np.uint8).reshape(height, width)
    return to_rgba8(data, format, width, height, name)[..., 3]


def _from_linear(linear: NDArray[np.float32], name: str) -> RGBA:
    if not np.isfinite(linear).all():
        raise BadRequest(f"{name} holds NaN or infinity; every value must be finite", hint="Check the layer for broken pixels.")
    clipped = np.clip(linear, 0, 1)
    colour = clipped[..., :3]
    srgb = np.where(colour <= 0.0031308, colour * 12.92, 1.055 * np.power(colour, 1 / 2.4) - 0.055)
    values = np.concatenate([srgb, clipped[..., 3:]], axis=2)
    return (values * 255 + 0.5).astype(np.uint8)


@cache
def _linear_of_srgb(white: int) -> NDArray[np.float32]:
    """The values of 8- or 16-bit sRGB, 0 to white, in linear light (IEC 61966-2-1)."""
    srgb = np.arange(white + 1) / white
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4).astype(np.float32)
