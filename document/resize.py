"""Resizing straight-alpha pictures without fringes.

Colour is weighted by alpha before it is filtered, so transparent neighbours do not bleed in. Knows no layers' places.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .layer import RGBA

Filter = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]
FILTERS: tuple[Filter, ...] = get_args(Filter)

_RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

_LEAST_ALPHA = 0.5 / 255
"""Below this the result's alpha rounds to 0 and colour divided by it would be noise."""


def resize(rgba: RGBA, width: int, height: int, filter: Filter = "lanczos") -> RGBA:
    """`(H, W, 4)` straight -> `(height, width, 4)` straight; colour under alpha 0 is resized too, unweighted."""
    if width < 1 or height < 1:
        raise ValueError(f"the target size is {width} x {height}; width and height must be at least 1")
    if filter not in FILTERS:
        raise ValueError(f"the filter is {filter!r}; it must be one of {', '.join(FILTERS)}")
    if rgba.shape[:2] == (height, width):
        return rgba.copy()
    if rgba.size == 0:
        return np.zeros((height, width, 4), np.uint8)
    size, resampling = (width, height), _RESAMPLING[filter]
    if resampling == Image.Resampling.NEAREST or int(rgba[..., 3].min()) == 255:  # nothing to weight: 8-bit in one go
        bands = [Image.fromarray(np.ascontiguousarray(rgba[..., i])).resize(size, resampling) for i in range(4)]
        return np.stack([np.asarray(band) for band in bands], axis=-1)
    return _resize_weighted(rgba, size, resampling)


def _resize_weighted(rgba: RGBA, size: tuple[int, int], resampling: Image.Resampling) -> RGBA:
    """One float plane at a time, so that beside the result only three of them are held."""

    def scaled(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(Image.fromarray(plane).resize(size, resampling))

    alpha = rgba[..., 3] * np.float32(1 / 255)
    scaled_alpha = scaled(alpha)  # not clipped yet: where the filter overshoots, weighted colour does as well
    covered = scaled_alpha >= _LEAST_ALPHA
    divisor = np.where(covered, scaled_alpha, 1)
    result = np.empty((size[1], size[0], 4), np.uint8)
    for channel in range(3):
        plane = rgba[..., channel].astype(np.float32)
        colour = np.where(covered, scaled(plane * alpha) / divisor, scaled(plane))
        result[..., channel] = np.clip(colour + 0.5, 0, 255).astype(np.uint8)
    result[..., 3] = np.clip(scaled_alpha * 255 + 0.5, 0, 255).astype(np.uint8)
    return result
