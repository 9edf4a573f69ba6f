"""Where a repaint works, and how its result goes back without touching what was not selected."""

from __future__ import annotations

import numpy as np

from ..values.request import RGBA, Mask
from .alpha import Box, premultiply, to_float, to_u8, unpremultiply

CONTEXT = 0.5
"""The surroundings that the networks see, as a share of the selection's longer side on each side."""


def region_around(mask: Mask, native: int) -> Box:
    """The part of the canvas to work on: the selection with context, near square, at least `native` wide where there is room."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    side = max(round(max(right - left, bottom - top) * (1 + 2 * CONTEXT)), native)
    height, width = mask.shape
    left, right = _span(left, right, side, width)
    top, bottom = _span(top, bottom, side, height)
    return Box(left, top, right, bottom)


def _span(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    """`length` centred on [start, end), moved inside [0, limit) and cut to it."""
    length = min(max(length, end - start), limit)
    first = min(max((start + end - length) // 2, 0), limit - length)
    return first, first + length


def paste(source: RGBA, painted: RGBA, mask: Mask, region: Box) -> RGBA:
    """`painted` (the region's size) into `source` through the mask.

    Where the mask is 0 every byte stays, hidden colour included; where it is 255 the painted bytes stand; soft edges are
    blended premultiplied, so that no colour of transparent pixels bleeds in.
    """
    result = source.copy()
    inside = (slice(region.top, region.bottom), slice(region.left, region.right))
    old, amount = source[inside], mask[inside]
    share = to_float(amount[..., None])
    blended = premultiply(to_float(painted)) * share + premultiply(to_float(old)) * (1 - share)
    straight = to_u8(unpremultiply(blended))
    empty = (straight[..., 3:] == 0) & (amount[..., None] > 0)
    straight = np.where(empty, np.concatenate([painted[..., :3], straight[..., 3:]], axis=2), straight)
    result[inside] = np.where(amount[..., None] == 0, old, np.where(amount[..., None] == 255, painted, straight))
    return result
