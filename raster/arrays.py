"""The kinds of arrays that pictures are, and the way between bytes and floats."""

from __future__ import annotations

from typing import TypeVar, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

RGBA = NDArray[np.uint8]
"""`(H, W, 4)` uint8, straight alpha, 255 = opaque, sRGB, colour kept under alpha 0."""

RGBA16 = NDArray[np.uint16]
"""As `RGBA`, with 16 bits: 65535 = opaque."""

Pixels = RGBA | RGBA16
"""A picture of either depth. 16 bits are only spent where a file has them."""

Picture = TypeVar("Picture", bound=Pixels)
"""For functions whose answer has the depth of what they were given."""

Deep = NDArray[np.uint16] | NDArray[np.float32]
"""`(H, W, 4)` straight alpha in more than 8 bits: uint16 with 65535 = opaque, or float32 with 1 = opaque and colours that may lie
beyond [0, 1]. In whatever colour space: what takes such a picture only averages its numbers."""

RGB = NDArray[np.uint8]
"""`(H, W, 3)` uint8, sRGB, opaque."""

Mask = NDArray[np.uint8]
"""`(H, W)` uint8, 255 = selected, or opaque where it is an alpha channel."""

Float = NDArray[np.float32]
"""float32 in [0, 1], of the shape that its function says."""


def to_float(values_u8: NDArray[np.uint8]) -> Float:
    """uint8 of any shape -> float32 in [0, 1]."""
    return values_u8.astype(np.float32) / np.float32(255)


def to_u8(values_01: Float) -> NDArray[np.uint8]:
    """Floats of any shape -> uint8, clipped to [0, 1] and rounded to nearest (truncation would darken by half a level)."""
    return cast(NDArray[np.uint8], (np.clip(values_01, 0, 1) * 255 + 0.5).astype(np.uint8))


def scale_of(values: Pixels) -> int:
    """The value that is opaque, or white: 255 or 65535."""
    return 65535 if values.dtype == np.uint16 else 255


def to_8_bits(values: Pixels) -> NDArray[np.uint8]:
    """Of any shape, rounded to nearest: 65535 becomes 255. The array itself where it has 8 bits already."""
    if values.dtype == np.uint8:
        return cast(NDArray[np.uint8], values)
    return ((values + np.uint32(128)) // np.uint32(257)).astype(np.uint8)


def to_16_bits(values: Pixels) -> NDArray[np.uint16]:
    """Of any shape: 255 becomes 65535, and `to_8_bits` gives the same values back. The array itself where it has 16 bits."""
    if values.dtype == np.uint16:
        return cast(NDArray[np.uint16], values)
    return values * np.uint16(257)


def rounded(values: NDArray[np.float32], dtype: DTypeLike) -> Pixels:
    """Floats of any shape in 0..255 or 0..65535, which filters may overshoot -> uint8 or uint16, to nearest and clipped."""
    shifted = values + np.float32(0.5)
    return cast(Pixels, np.clip(shifted, 0, np.iinfo(dtype).max, out=shifted).astype(dtype))


def round_to_u8(values_255: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Floats of any shape in 0..255, which filters may overshoot -> uint8, rounded to nearest and clipped."""
    return cast(NDArray[np.uint8], rounded(values_255, np.uint8))
