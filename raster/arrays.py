"""The kinds of arrays that pictures are, and the way between bytes and floats."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

RGBA = NDArray[np.uint8]
"""`(H, W, 4)` uint8, straight alpha, 255 = opaque, sRGB, colour kept under alpha 0."""

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


def round_to_u8(values_255: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Floats of any shape in 0..255, which filters may overshoot -> uint8, rounded to nearest and clipped."""
    shifted = values_255 + np.float32(0.5)
    return np.clip(shifted, 0, 255, out=shifted).astype(np.uint8)
