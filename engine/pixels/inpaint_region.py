"""Where a repaint works, and how its result goes back without touching what was not selected."""

from __future__ import annotations

import numpy as np
from acetate.raster import RGBA, Mask, bounds, premultiply, to_float, to_u8, unpremultiply
from acetate.vocabulary.box import Box
from acetate.vocabulary.surroundings import surrounded


def region_around(mask: Mask, native: int) -> Box:
    """The selection of a mask `(H, W)` with its context: near square, at least `native` wide where there is room."""
    selected = bounds(mask)
    assert selected is not None, "validation refuses a mask in which nothing is selected"
    height, width = mask.shape
    return surrounded(selected, Box(0, 0, width, height), native)


def paste(source: RGBA, painted: RGBA, mask: Mask, region: Box) -> RGBA:
    """`painted`, of the region's size, into `source`, both straight uint8 `(h, w, 4)`, through `mask`, `(H, W)`.

    Where the mask is 0 every byte stays, hidden colour included; where it is 255 the painted bytes stand; soft edges are blended
    premultiplied, so that no colour of transparent pixels bleeds in.
    """
    result = source.copy()
    old, amount = source[region.slices], mask[region.slices]
    share = to_float(amount[..., None])
    blended = premultiply(to_float(painted)) * share + premultiply(to_float(old)) * (1 - share)
    straight = to_u8(unpremultiply(blended))
    empty = (straight[..., 3:] == 0) & (amount[..., None] > 0)
    straight = np.where(empty, np.concatenate([painted[..., :3], straight[..., 3:]], axis=2), straight)
    result[region.slices] = np.where(amount[..., None] == 0, old, np.where(amount[..., None] == 255, painted, straight))
    return result
