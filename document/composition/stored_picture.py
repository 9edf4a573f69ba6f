"""The picture that a layered file stores beside its layers, held against what we draw from them.

Whoever wrote the file drew it with all that we do not know. Where the two differ, the file's is the truth; where they do not,
ours is kept, as it has the colour under thin transparency, which a picture laid over white has lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from acetate.raster import Float, Pixels, to_8_bits
from acetate.vocabulary.box import Box

from ..layer import Document, Layer, Node
from .compose import BAND, compose, render
from .rgb_space import RGBSpace

VISIBLE = 8
"""Levels by which a pixel over white may differ from rounding, dithering and other colour engines."""
TOLERATED = 0.005
"""The share of such pixels from which on a picture counts as another one."""
SAMPLED_PIXELS = 2**21
"""About how many pixels of a large canvas are compared."""


def judged(document: Document, stored: Pixels) -> Document:
    """The document, with the `(H, W, 4)` straight picture that its file stores where that looks different from what we draw."""
    share = difference(document.layers, stored, document.space)
    if share <= TOLERATED:
        return document
    part = "in less than 1 %" if share < 0.01 else f"in about {100 * share:.0f} %"
    note = f"the file's own picture looks different {part} of it; it is used wherever one flat picture is wanted"
    return document.as_stored(stored, note)


def with_change(before: Document, after: Document, changed: Box, on_top: Layer | None = None) -> Pixels:
    """The `(H, W, 4)` straight picture of `after`, which differs from `before` in a box, and where it says so only by a layer
    `on_top`; a stored picture stays as far as it can."""
    if before.picture is None:
        return compose(after)
    if on_top is not None:
        return compose(replace(after, layers=(Layer(before.picture), on_top)))
    box = changed.intersection(after.box)
    depth = 8 * before.picture.itemsize
    drawn, without = (render(document.layers, box, depth, document.space) for document in (after, before))
    picture = before.picture.copy()
    other = (drawn != without).any(axis=-1)
    picture[box.slices][other] = drawn[other]
    return picture


def difference(nodes: Sequence[Node], stored: Pixels, space: RGBSpace | None = None) -> float:
    """The share of pixels, in [0, 1], that look different from those of the stored `(H, W, 4)` straight picture.

    Of a large canvas it is estimated from bands of its rows.
    """
    height, width = stored.shape[:2]
    other = total = 0
    for rows in _bands(height, width):
        ours = render(nodes, Box(0, rows.start, width, rows.stop - rows.start), space=space)
        far = np.abs(_over_white(ours) - _over_white(stored[rows])).max(axis=-1) > VISIBLE
        other, total = other + int(far.sum()), total + far.size
    return other / total


def _bands(height: int, width: int) -> Iterator[slice]:
    wanted = max(1, min(-(-height // BAND), SAMPLED_PIXELS // (BAND * width)))
    for top in np.linspace(0, max(0, height - BAND), wanted).astype(int).tolist():
        yield slice(top, min(height, top + BAND))


def _over_white(rgba: Pixels) -> Float:
    rgba = to_8_bits(rgba)
    alpha = rgba[..., 3:] / np.float32(255)
    return (rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.float32, copy=False)
