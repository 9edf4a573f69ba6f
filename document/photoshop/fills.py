"""What a PSD describes and does not hold as pixels: fill layers, shapes, the ground of an artboard."""

from __future__ import annotations

import numpy as np
from acetate.raster import RGBA, to_u8
from acetate.vocabulary.box import Box
from psd_tools import PSDImage
from psd_tools.api.layers import Artboard
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.composite.vector import draw_vector_mask
from psd_tools.constants import Tag
from psd_tools.psd.descriptor import Descriptor

from ..formats.decoding import MALFORMED
from ..layer import Layer
from ..mask import Mask
from .descriptors import child, colour_of, number
from .masks import has_vector_mask
from .paints import gradient_of, paint_of

FILLS = (Tag.SOLID_COLOR_SHEET_SETTING, Tag.GRADIENT_FILL_SETTING, Tag.PATTERN_FILL_SETTING, Tag.VECTOR_STROKE_CONTENT_DATA)
ARTBOARDS = (Tag.ARTBOARD_DATA1, Tag.ARTBOARD_DATA2, Tag.ARTBOARD_DATA3)
GROUNDS = {1: (255.0, 255.0, 255.0), 2: (0.0, 0.0, 0.0)}
"""Colours of an artboard by number; 3 is none, and 4 its own."""


def is_fill(layer: PSDLayer) -> bool:
    """Whether a paint is all that the layer is."""
    return any(tag in layer.tagged_blocks for tag in FILLS)


def has_translucent_fill(layer: PSDLayer) -> bool:
    """Whether the paint of a shape shows what lies below it."""
    data = _paint_data(layer)
    paint = gradient_of(data) if data is not None and b"Grad" in data else None
    return paint is not None and any(alpha[0] < 1 for _, _, alpha in paint.alphas)


def draw(layer: PSDLayer, psd: PSDImage) -> tuple[RGBA, Box] | None:
    """A fill or a filled shape as `(H, W, 4)` uint8 straight pixels and their place; `None` where we cannot draw it."""
    data = _paint_data(layer)
    canvas = Box(0, 0, psd.width, psd.height)
    try:
        cut = draw_vector_mask(layer, (0, 0, psd.width, psd.height))[..., 0] if has_vector_mask(layer) else None
        box = canvas if cut is None else _covered(cut)
        paint = None if data is None or box.empty else paint_of(data, psd, (box.x, box.y))
        if paint is None:
            return None
        colour, alpha = paint.draw(box, box)
    except MALFORMED:
        return None
    if cut is not None:
        alpha = alpha * cut[box.slices]
    return to_u8(np.concatenate([np.moveaxis(colour, 0, -1), alpha[..., None]], axis=-1).astype(np.float32)), box


def artboard(layer: Artboard) -> tuple[Mask, Layer | None] | None:
    """What cuts an artboard, and its ground as a layer; `None` where the file does not say where it lies."""
    data = next((found for tag in ARTBOARDS if isinstance(found := layer.tagged_blocks.get_data(tag), Descriptor)), None)
    edges = None if data is None else child(data, b"artboardRect")
    if data is None or edges is None:
        return None
    left, top, right, bottom = (round(number(edges, key, 0)) for key in (b"Left", b"Top ", b"Rght", b"Btom"))
    visible = Box.between(left, top, right, bottom).intersection(Box(0, 0, layer._psd.width, layer._psd.height))
    mask = Mask(np.full((visible.height, visible.width), 255, np.uint8), visible.x, visible.y, outside=0)
    kind = int(number(data, b"artboardBackgroundType", 3))
    colour = colour_of(data.get(b"Clr ")) if kind == 4 else GROUNDS.get(kind)
    if colour is None or visible.empty:
        return mask, None
    pixels = np.full((visible.height, visible.width, 4), 255, np.uint8)
    pixels[..., :3] = np.rint(colour)
    return mask, Layer(pixels, visible.x, visible.y, "Artboard Background")


def _paint_data(layer: PSDLayer) -> Descriptor | None:
    return next((found for tag in FILLS if isinstance(found := layer.tagged_blocks.get_data(tag), Descriptor)), None)


def _covered(cut: np.ndarray) -> Box:
    """The smallest box around what a path covers."""
    rows, columns = np.flatnonzero(cut.any(axis=1)), np.flatnonzero(cut.any(axis=0))
    if rows.size == 0:
        return Box(0, 0, 0, 0)
    return Box.between(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
