"""What effects need of a layer's alpha: how far each pixel is from its edge, softened copies, shifted copies."""

from __future__ import annotations

import numpy as np
from acetate.raster import Float
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
    height, width = alpha.shape
    best = np.full(alpha.shape, np.float32(limit))
    columns = np.arange(width)
    for down in range(-limit, limit + 1):
        here, there = slice(max(0, -down), height - max(0, down)), slice(max(0, down), height - max(0, -down))
        if here.start >= here.stop:
            continue
        rows = np.arange(there.start, there.stop)[:, None]
        x = column[there]
        edge = np.float32(0.5) - alpha[rows, x]
        found = np.hypot(aside[there], np.float32(down)) + edge
        found[aside[there] >= limit] = limit
        np.minimum(best[here], found, out=best[here])
    del columns
    return best


def grown(alpha: Float, radius: float) -> Float:
    """The silhouette `(H, W)` in [0, 1], larger by a radius in pixels, with an edge one pixel soft."""
    if radius <= 0:
        return alpha
    return np.maximum(alpha, np.clip(np.float32(radius + 0.5) - distance(alpha, radius), 0, 1))


def softened(alpha: Float, size: float) -> Float:
    """`(H, W)` in [0, 1] blurred as Photoshop's effects of that size are: its edge is soft over twice the size."""
    if size <= 0:
        return alpha
    image = Image.fromarray(np.rint(alpha * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(size * SOFTNESS))).astype(np.float32) / 255


SOFTNESS = 0.5
"""Standard deviations to a pixel of size."""


def shifted(values: Float, right: float, down: float, outside: float = 0.0) -> Float:
    """`(H, W)` moved by whole pixels; what comes in is `outside`."""
    x, y = round(right), round(down)
    result = np.full_like(values, outside)
    height, width = values.shape
    if abs(x) < width and abs(y) < height:
        result[max(0, y) : height + min(0, y), max(0, x) : width + min(0, x)] = values[
            max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)
        ]
    return result


def _nearest_in_row(covered: np.ndarray, limit: int) -> tuple[Float, np.ndarray]:
    """Distance to the nearest covered pixel of the same row, at most `limit`, and its column."""
    width = covered.shape[1]
    columns = np.arange(width)
    left = np.maximum.accumulate(np.where(covered, columns, -limit - 1), axis=1)
    right = np.minimum.accumulate(np.where(covered, columns, width + limit)[:, ::-1], axis=1)[:, ::-1]
    nearer_left = columns - left <= right - columns
    aside = np.minimum(np.where(nearer_left, columns - left, right - columns), limit).astype(np.float32)
    return aside, np.clip(np.where(nearer_left, left, right), 0, width - 1)
