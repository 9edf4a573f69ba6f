"""What effects need of a layer's alpha: how far each pixel is from its edge, softened copies, shifted copies."""

from __future__ import annotations

import numpy as np
from acetate.raster import Float
from numpy.typing import NDArray
from PIL import Image, ImageFilter

MAX_REACH = 250
"""Pixels; the largest size that Photoshop's dialogs take."""


def distance(alpha: Float, reach: float) -> Float:
    """How far each pixel of `(H, W)` lies outside the silhouette, in pixels, up to `reach`; the inside of an edge is negative.

    A pixel that is covered in part says where in it the edge runs: `0.5 - alpha` from its centre.
    """
    limit = int(min(max(reach, 0), MAX_REACH)) + 2
    covered = alpha > 0
    aside, column = _nearest_in_row(covered, limit)
    result: Float = np.where(alpha < 1, np.float32(limit), np.float32(-0.5))
    y, x = np.nonzero(_near(covered, limit) & (alpha < 1))
    best = np.full(len(y), np.float32(limit))
    for down in range(-limit, limit + 1):
        row = np.clip(y + down, 0, len(alpha) - 1)
        away, edge = aside[row, x], np.float32(0.5) - alpha[row, column[row, x]]
        found = np.hypot(away, (row - y).astype(np.float32)) + edge
        np.minimum(best, np.where(away < limit, found, best), out=best)
    result[y, x] = best
    return result


def grown(alpha: Float, radius: float) -> Float:
    """The silhouette `(H, W)` in [0, 1], larger by a radius in pixels, with an edge one pixel soft."""
    if radius <= 0:
        return alpha
    around = np.clip(np.float32(radius + 0.5) - distance(alpha, radius), 0, 1)
    larger: Float = np.maximum(alpha, around).astype(np.float32, copy=False)
    return larger


def softened(alpha: Float, size: float) -> Float:
    """`(H, W)` in [0, 1] blurred as Photoshop's effects of that size are: its edge is soft over twice the size."""
    if size <= 0:
        return alpha
    image = Image.fromarray(np.rint(alpha * 255).astype(np.uint8))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(size * SOFTNESS)))
    return blurred.astype(np.float32) / np.float32(255)


SOFTNESS = 0.5
"""Standard deviations to a pixel of size."""


def shifted(values: Float, right: float, down: float, outside: float = 0.0) -> Float:
    """`(H, W)` moved by whole pixels; what comes in is `outside`."""
    height, width = values.shape
    x, y = (int(np.clip(round(by), -side, side)) for by, side in ((right, width), (down, height)))
    result = np.full_like(values, outside)
    if abs(x) < width and abs(y) < height:
        result[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)] = values[
            max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)
        ]
    return result


def _near(covered: NDArray[np.bool_], limit: int) -> NDArray[np.bool_]:
    """Where a covered pixel lies within so many rows and columns."""
    near = covered
    for axis in (0, 1):
        total = np.cumsum(near, axis=axis, dtype=np.int32)
        after = np.take(total, np.minimum(np.arange(total.shape[axis]) + limit, total.shape[axis] - 1), axis=axis)
        before = np.arange(total.shape[axis]) - limit - 1
        shape = [-1 if one == axis else 1 for one in (0, 1)]
        until = np.take(total, np.maximum(before, 0), axis=axis) * (before >= 0).reshape(shape)
        near = after > until
    return near


def _nearest_in_row(covered: NDArray[np.bool_], limit: int) -> tuple[Float, NDArray[np.intp]]:
    """Distance to the nearest covered pixel of the same row, at most `limit`, and its column."""
    width = covered.shape[1]
    columns = np.arange(width)
    left = np.maximum.accumulate(np.where(covered, columns, -limit - 1), axis=1)
    right = np.minimum.accumulate(np.where(covered, columns, width + limit)[:, ::-1], axis=1)[:, ::-1]
    nearer_left = columns - left <= right - columns
    aside = np.minimum(np.where(nearer_left, columns - left, right - columns), limit).astype(np.float32)
    return aside, np.clip(np.where(nearer_left, left, right), 0, width - 1)
