"""Resampling: channels by themselves, or straight-alpha pictures without fringes.

There are two ways to the same sums. `resample` lays out its taps itself: the averages and interpolations that the reference takes
from OpenCV, borders repeated. `lanczos` and `resize` leave the sums to Pillow, which is faster on large pictures, widens its
filter when it shrinks and cuts it off at the borders. They differ in the last bits, and at the borders by more, so each serves
what it was measured with.
"""

from __future__ import annotations

from typing import Literal, TypeVar, cast, get_args

import numpy as np
from numpy.typing import NDArray

from .arrays import RGBA, Deep, Float, Picture, Pixels, round_to_u8, rounded, scale_of

Taps = Literal["area", "linear", "lanczos", "auto"]

Filter = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]
FILTERS: tuple[Filter, ...] = get_args(Filter)

Level = TypeVar("Level", np.uint8, np.uint16, np.float32)

_LEAST_DEEP_ALPHA = 0.5 / 65535
"""Below this the result's alpha rounds to 0 in 16 bits and colour divided by it would be noise; float32 has no fewer."""


def resample(picture: Float, width: int, height: int, kind: Taps) -> Float:
    """Resample each channel of `(H, W, C)` alone, half-pixel centres, edges clamped.

    `area` averages, `linear` and `lanczos` interpolate (three lobes, for enlarging); `auto` takes `area` on an axis that shrinks
    and `lanczos` on one that grows.
    """
    for axis, size in ((0, height), (1, width)):
        old = picture.shape[axis]
        if old != size:
            chosen = ("area" if size < old else "lanczos") if kind == "auto" else kind
            indices, weights = _taps(old, size, chosen)
            picture = _weighted_sum(picture, indices, weights, axis)
    return np.ascontiguousarray(picture, np.float32)


def lanczos(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`(H, W)` or `(H, W, C)` uint8 at `size`, width first, each channel alone; the picture itself where that is its size.

    Sums are rounded once: Pillow rounds and clips 8-bit pictures between its two passes, which moved the alpha of thin strands
    by up to 27 levels. Colour under transparency must be filled before.
    """
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    result = np.empty((height, width, *picture.shape[2:]), np.uint8)
    channels = [(picture, result)] if picture.ndim == 2 else [(picture[..., i], result[..., i]) for i in range(picture.shape[2])]
    for channel, target in channels:
        target[:] = round_to_u8(scaled(channel.astype(np.float32), size, "lanczos"))
    return result


def resize(rgba: Picture, width: int, height: int, filter: Filter = "lanczos") -> Picture:
    """`(H, W, 4)` straight -> `(height, width, 4)` straight of the same depth, a new array.

    Colour is weighted by alpha before it is filtered, so that transparent neighbours do not bleed in; colour under alpha 0 is
    resized too, unweighted. Raises `ValueError` for a size below 1 and an unknown filter.
    """
    if width < 1 or height < 1:
        raise ValueError(f"the target size is {width} x {height}; width and height must be at least 1")
    if filter not in FILTERS:
        raise ValueError(f"the filter is {filter!r}; it must be one of {', '.join(FILTERS)}")
    if rgba.shape[:2] == (height, width):
        return cast(Picture, rgba.copy())
    if rgba.size == 0:
        return cast(Picture, np.zeros((height, width, 4), rgba.dtype))
    size = (width, height)
    opaque = rgba.dtype == np.uint8 and int(rgba[..., 3].min()) == 255  # nothing to weight: 8-bit in one go
    if filter == "nearest" or opaque:
        planes = [scaled(cast(RGBA, np.ascontiguousarray(rgba[..., i])), size, filter) for i in range(4)]
        return cast(Picture, np.stack(planes, axis=-1))
    return cast(Picture, _resize_weighted(rgba, size, filter))


def _resize_weighted(rgba: Pixels, size: tuple[int, int], filter: Filter) -> Pixels:
    """Resize one float plane at a time, so that only three of them are held besides the result."""
    scale = scale_of(rgba)
    alpha = rgba[..., 3] * np.float32(1 / scale)
    scaled_alpha = scaled(alpha, size, filter)  # not clipped yet: where the filter overshoots, weighted colour does as well
    covered = scaled_alpha >= 0.5 / scale  # below, the result's alpha rounds to 0 and colour divided by it would be noise
    divisor = np.where(covered, scaled_alpha, 1)
    result = np.empty((size[1], size[0], 4), rgba.dtype)
    for channel in range(3):
        plane = rgba[..., channel].astype(np.float32)
        weighted = np.where(covered, scaled(plane * alpha, size, filter) / divisor, scaled(plane, size, filter))
        result[..., channel] = rounded(weighted, rgba.dtype)
    result[..., 3] = rounded(scaled_alpha * np.float32(scale), rgba.dtype)
    return result


def resize_deep(deep: Deep, width: int, height: int) -> Deep:
    """`(H, W, 4)` straight at another size by Lanczos, of the same type, a new array unless it has that size already.

    Weighted by alpha as in `resize`; no channel leaves the range of its own values, so that highlights do not ring. Where a pixel
    and all its neighbours are empty, or opaque, the result is exactly so.
    """
    if deep.shape[:2] == (height, width):
        return deep
    size = (width, height)
    top = np.float32(65535 if deep.dtype == np.uint16 else 1)
    alpha = np.clip(deep[..., 3].astype(np.float32) / top, 0, 1)
    large = scaled(alpha, size, "lanczos")  # not clipped yet: where the filter overshoots, weighted colour does as well
    covered = large >= _LEAST_DEEP_ALPHA
    divisor = np.where(covered, large, 1)
    result = np.empty((height, width, 4), deep.dtype)
    for channel in range(3):
        plane = deep[..., channel].astype(np.float32)
        weighted = np.where(covered, scaled(plane * alpha, size, "lanczos") / divisor, scaled(plane, size, "lanczos"))
        _put(result[..., channel], np.clip(weighted, plane.min(), plane.max()))
    opacity = np.clip(large, 0, 1)
    for extreme in (0, 1):
        opacity[_settled(alpha == extreme, size)] = extreme
    _put(result[..., 3], opacity * top)
    return result


def _put(target: Deep, values: NDArray[np.float32]) -> None:
    target[...] = np.rint(values) if target.dtype == np.uint16 else values


def _settled(extreme: NDArray[np.bool_], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a pixel and all its neighbours are extreme, at `size`."""
    from PIL import Image, ImageFilter

    inner = Image.fromarray(extreme.astype(np.uint8)).filter(ImageFilter.MinFilter(3))
    return np.asarray(inner.resize(size, Image.Resampling.NEAREST)).astype(np.bool_)


def scaled(plane: NDArray[Level], size: tuple[int, int], filter: Filter) -> NDArray[Level]:
    """One `(H, W)` channel at `size`, width first, by Pillow; it keeps its type, and floats are not clipped."""
    from PIL import Image  # only here: whoever imports the engine to ask for help needs no Pillow

    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling[filter.upper()]))


def _weighted_sum(picture: Float, indices: NDArray[np.intp], weights: Float, axis: int) -> Float:
    shape = [1, 1, 1]
    shape[axis] = -1
    total = picture.take(indices[0], axis=axis) * weights[0].reshape(shape)
    for index, weight in zip(indices[1:], weights[1:], strict=True):
        total += picture.take(index, axis=axis) * weight.reshape(shape)
    return cast(Float, total)


def _taps(old: int, new: int, kind: Taps) -> tuple[NDArray[np.intp], Float]:
    """Indices into the old axis and their weights, both `(taps, new)`."""
    scale = old / new
    position = np.arange(new)
    if kind == "area":
        start, end = position * scale, np.minimum((position + 1) * scale, old)
        first = np.floor(start + 1e-9).astype(np.intp)
        cells = first + np.arange(int(np.ceil(scale)) + 1)[:, None]
        weights = np.clip(np.minimum(end, cells + 1) - np.maximum(start, cells), 0, None)
    else:
        radius = 1 if kind == "linear" else 3
        centre = (position + 0.5) * scale - 0.5
        cells = np.floor(centre).astype(np.intp) + np.arange(1 - radius, radius + 1)[:, None]
        distance = np.abs(centre - cells)
        weights = np.clip(1 - distance, 0, None) if radius == 1 else np.sinc(distance) * np.sinc(distance / 3) * (distance < 3)
    return np.clip(cells, 0, old - 1), (weights / weights.sum(axis=0)).astype(np.float32)
