"""Straight and premultiplied alpha, colour under transparency, and resizing that respects both.

Plain numpy on `(H, W, 4)` pictures; knows no network and no file. Straight alpha unless a name says premultiplied.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from ..values.request import RGBA, Mask

Float = NDArray[np.float32]

PYRAMID_RATIO = 1.2
"""Each level of `pad_rgb` is this much smaller than the one before (layerdiffuse.md 3.2)."""

Filter = Literal["area", "linear", "lanczos"]


class Box(NamedTuple):
    """A rectangle in pixels; the right and bottom edges are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top


def to_float(rgba_u8: RGBA) -> Float:
    """uint8 -> float32 in [0, 1]."""
    return rgba_u8.astype(np.float32) / np.float32(255)


def to_u8(values_01: Float) -> NDArray[np.uint8]:
    """float in [0, 1] -> uint8, rounded to nearest (truncation would darken by half a level)."""
    return cast(NDArray[np.uint8], (np.clip(values_01, 0, 1) * 255 + 0.5).astype(np.uint8))


def premultiply(straight: Float) -> Float:
    """`(H, W, 4)` straight in [0, 1] -> premultiplied."""
    result = straight.copy()
    result[..., :3] *= straight[..., 3:]
    return result


def unpremultiply(premultiplied: Float) -> Float:
    """`(H, W, 4)` premultiplied in [0, 1] -> straight; colour where alpha is 0 is black."""
    alpha = premultiplied[..., 3:]
    colour = np.divide(premultiplied[..., :3], alpha, out=np.zeros_like(premultiplied[..., :3]), where=alpha > 0)
    return np.concatenate([np.clip(colour, 0, 1), alpha], axis=2)


def pad_rgb(rgba_u8: RGBA) -> Float:
    """Fill the colour under transparency from its visible surroundings.

    `(H, W, 4)` uint8 straight -> `(H, W, 3)` float32 in [0, 1]. Opaque pixels stay exact, hidden colour has no influence,
    an empty picture becomes black. The alpha-weighted pyramid of layerdiffuse.md 3.2, the form the networks were trained on.
    """
    straight = to_float(rgba_u8)
    level = premultiply(straight)
    levels = [level]
    while min(level.shape[:2]) > 1:
        height, width = level.shape[:2]
        level = resample(level, int(width / PYRAMID_RATIO), int(height / PYRAMID_RATIO), "area")
        levels.append(level)
    coarsest = levels[-1].reshape(-1, 4).sum(axis=0)
    fill: Float = np.broadcast_to(coarsest[:3] / np.clip(coarsest[3], 1e-8, None), (1, 1, 3)).astype(np.float32)
    for level in reversed(levels):
        height, width = level.shape[:2]
        fill = level[..., :3] + resample(fill, width, height, "linear") * (1 - level[..., 3:])
    return fill


def over_grey(straight: Float) -> Float:
    """Composite over mid-grey: `(H, W, 4)` in [0, 1] -> `(H, W, 3)`. Alpha 0 gives exactly 0.5, alpha 1 the colour itself.

    The networks' condition images are prepared so (layerdiffuse.md 5.1); black instead is a known mistake.
    """
    return 0.5 + (straight[..., :3] - 0.5) * straight[..., 3:]


def over(top: Float, bottom: Float) -> Float:
    """Source-over of two straight `(H, W, 4)` pictures in [0, 1], straight."""
    alpha_top, alpha_bottom = top[..., 3:], bottom[..., 3:]
    alpha = alpha_top + alpha_bottom * (1 - alpha_top)
    colour = top[..., :3] * alpha_top + bottom[..., :3] * alpha_bottom * (1 - alpha_top)
    hidden = np.broadcast_to(bottom[..., :3], colour.shape).copy()
    return np.concatenate([np.divide(colour, alpha, out=hidden, where=alpha > 0), alpha], axis=2).astype(np.float32)


def resize(rgba_u8: RGBA, width: int, height: int) -> RGBA:
    """Resize straight RGBA without fringes: colour is padded under transparency first, alpha goes its own way.

    Averages over areas when shrinking and uses Lanczos when enlarging, each axis for itself. The same size is returned unchanged.
    """
    if rgba_u8.shape[1] == width and rgba_u8.shape[0] == height:
        return rgba_u8
    colour = pad_rgb(rgba_u8)
    alpha = to_float(rgba_u8[..., 3:])
    return to_u8(resample_auto(np.concatenate([colour, alpha], axis=2), width, height))


def resize_mask(mask: Mask, width: int, height: int) -> Mask:
    """Resize a `(H, W)` uint8 mask the way `resize` treats alpha."""
    return to_u8(resample_auto(to_float(mask)[..., None], width, height))[..., 0]


def resample_auto(picture: Float, width: int, height: int) -> Float:
    """`resample` with the filter chosen per axis: area when shrinking, Lanczos when enlarging."""
    rows: Filter = "area" if height < picture.shape[0] else "lanczos"
    columns: Filter = "area" if width < picture.shape[1] else "lanczos"
    return resample(resample(picture, picture.shape[1], height, rows), width, height, columns)


def fit(rgba_u8: RGBA, width: int, height: int, mode: Literal["crop", "stretch", "fill"]) -> RGBA:
    """Bring a picture to a size in one of the three resize modes of layerdiffuse.md 5.1.

    `stretch` ignores the aspect; `crop` scales to cover and cuts the middle out; `fill` scales to fit inside and surrounds
    it with the median of the border's pixels.
    """
    old_height, old_width = rgba_u8.shape[:2]
    if mode == "stretch" or (old_width, old_height) == (width, height):
        return resize(rgba_u8, width, height)
    choose = max if mode == "crop" else min
    ratio = choose(width / old_width, height / old_height)
    scaled = resize(rgba_u8, max(1, round(old_width * ratio)), max(1, round(old_height * ratio)))
    left, top = (scaled.shape[1] - width) // 2, (scaled.shape[0] - height) // 2
    if mode == "crop":
        return np.ascontiguousarray(scaled[max(top, 0) : max(top, 0) + height, max(left, 0) : max(left, 0) + width])
    border = np.concatenate([rgba_u8[0], rgba_u8[-1], rgba_u8[:, 0], rgba_u8[:, -1]])
    canvas = np.broadcast_to(np.median(border, axis=0).astype(np.uint8), (height, width, 4)).copy()
    canvas[-top : -top + scaled.shape[0], -left : -left + scaled.shape[1]] = scaled
    return canvas


def alpha_box(rgba_u8: RGBA) -> Box | None:
    """The smallest box that holds every pixel with alpha above 0, or `None` for an empty picture."""
    visible = rgba_u8[..., 3] > 0
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if rows.size == 0:
        return None
    return Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def crop(rgba_u8: RGBA, box: Box) -> RGBA:
    """Cut `box` out; what lies outside the picture is transparent black."""
    height, width = rgba_u8.shape[:2]
    result = np.zeros((box.height, box.width, rgba_u8.shape[2]), np.uint8)
    left, top, right, bottom = max(box.left, 0), max(box.top, 0), min(box.right, width), min(box.bottom, height)
    if left < right and top < bottom:
        result[top - box.top : bottom - box.top, left - box.left : right - box.left] = rgba_u8[top:bottom, left:right]
    return result


def trim(rgba_u8: RGBA) -> tuple[RGBA, Box]:
    """Cut to the alpha's box; an empty picture gives one transparent pixel at the origin."""
    box = alpha_box(rgba_u8) or Box(0, 0, 1, 1)
    return crop(rgba_u8, box), box


def resample(picture: Float, width: int, height: int, kind: Filter) -> Float:
    """Resample each channel of `(H, W, C)` alone, half-pixel centres, edges clamped.

    `area` and `linear` are the averages and interpolations that the reference takes from OpenCV, to float rounding.
    """
    for axis, size in ((0, height), (1, width)):
        if picture.shape[axis] != size:
            indices, weights = _taps(picture.shape[axis], size, kind)
            picture = _weighted_sum(picture, indices, weights, axis)
    return np.ascontiguousarray(picture, np.float32)


def _weighted_sum(picture: Float, indices: NDArray[np.intp], weights: Float, axis: int) -> Float:
    shape = [1, 1, 1]
    shape[axis] = -1
    total = picture.take(indices[0], axis=axis) * weights[0].reshape(shape)
    for index, weight in zip(indices[1:], weights[1:], strict=True):
        total += picture.take(index, axis=axis) * weight.reshape(shape)
    return cast(Float, total)


def _taps(old: int, new: int, kind: Filter) -> tuple[NDArray[np.intp], Float]:
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
