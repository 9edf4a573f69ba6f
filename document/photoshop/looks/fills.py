"""What a PSD describes and does not hold as pixels: gradients, patterns, fill layers, shapes, the ground of an artboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from acetate.raster import RGBA, to_u8
from acetate.vocabulary.box import Box
from PIL import Image
from psd_tools import PSDImage
from psd_tools.api.layers import Artboard
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.api.numpy_io import get_pattern, get_pattern_color_channels
from psd_tools.composite.vector import draw_vector_mask
from psd_tools.constants import ColorMode, Tag
from psd_tools.psd.descriptor import Descriptor

from ...composition.colour import to_srgb
from ...composition.rgb_space import srgb
from ...effects.paints import Gradient, Paint, Pattern, Solid
from ...formats.decoding import MALFORMED
from ...formats.limits import MAX_LAYER_PIXELS, MAX_SIDE
from ...layer import Layer
from ...mask import Mask
from .descriptors import child, colour_of, number, point, stops_of, word
from .masks import has_vector_mask

GRADIENTS: Mapping[bytes, str] = {
    b"Lnr ": "linear",
    b"Rdl ": "radial",
    b"Angl": "angle",
    b"Rflc": "reflected",
    b"Dmnd": "diamond",
}
TILES = {ColorMode.GRAYSCALE: "L", ColorMode.RGB: "RGB", ColorMode.CMYK: "CMYK"}
"""The colour modes of patterns that we read, as Pillow calls them."""


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
    if psd.depth == 32:  # whose numbers are light
        colour = srgb().linear.converted(colour, srgb())
    if cut is not None:
        alpha = alpha * cut[box.slices]
    return to_u8(np.concatenate([np.moveaxis(colour, 0, -1), alpha[..., None]], axis=-1).astype(np.float32)), box


def paint_of(data: Descriptor, psd: PSDImage, corner: tuple[int, int]) -> Paint | None:
    """The paint of a fill layer whose pixels begin at `corner`; `None` for one that we cannot draw."""
    if b"Grad" in data:
        return gradient_of(data)
    if b"Ptrn" in data:
        return pattern_of(data, psd, corner)
    colour = colour_of(data.get(b"Clr "))
    return None if colour is None else Solid((colour[0], colour[1], colour[2]))


def gradient_of(data: Descriptor) -> Gradient | None:
    """`None` for gradients of noise, which only Photoshop can draw, bursts along a shape, and colours that we do not know."""
    gradient, kind = child(data, b"Grad"), GRADIENTS.get(word(data, b"Type") or b"Lnr ")
    if gradient is None or kind is None or word(gradient, b"GrdF") not in (b"", b"CstS"):
        return None
    colours = stops_of(gradient, b"Clrs", lambda stop: colour_of(stop.get(b"Clr ")))
    if colours is None:
        return None
    alphas = stops_of(gradient, b"Trns", lambda stop: [number(stop, b"Opct", 100) / 100])
    across, down = point(data, b"Ofst")
    return Gradient(
        kind,
        colours,
        alphas or ((0.0, 0.5, (1.0,)),),
        angle=number(data, b"Angl", 0),
        scale=max(number(data, b"Scl ", 100) / 100, 0.001),
        reverse=bool(number(data, b"Rvrs", 0)),
        offset=(across / 100, down / 100),
    )


def pattern_of(data: Descriptor, psd: PSDImage, corner: tuple[int, int]) -> Pattern | None:
    """`None` where the file does not hold the tile, holds it in a mode that we do not read, or shows it smaller."""
    reference = child(data, b"Ptrn")
    if reference is None:
        return None
    name = str(getattr(reference.get(b"Idnt"), "value", reference.get(b"Idnt"))).rstrip("\0")
    found = psd._get_pattern(name)
    mode = TILES.get(found.image_mode) if found is not None else None
    if found is None or mode is None:
        return None
    planes = get_pattern(found, MAX_LAYER_PIXELS)
    if not planes.size:
        return None
    scale = number(data, b"Scl ", 100) / 100
    if scale < 1:  # how Photoshop makes a tile smaller is not known
        return None
    across, down = point(data, b"phase")
    linked = bool(number(data, b"Algn", number(data, b"Lnkd", 1)))
    origin = (corner[0] + across, corner[1] + down) if linked else (across, down)
    return Pattern(_tile(planes, get_pattern_color_channels(found), mode), origin, scale)


def reference_point(layer: PSDLayer) -> tuple[int, int]:
    """Where the tiles of a pattern begin that is linked to the layer."""
    found = layer.tagged_blocks.get_data(Tag.REFERENCE_POINT) or (layer.left, layer.top)
    across, down = (round(min(max(value, -MAX_SIDE), MAX_SIDE)) for value in (*found, 0, 0)[:2])
    return across, down


def _tile(planes: np.ndarray, colours: int, mode: str) -> np.ndarray:
    """`(H, W, planes)` in [0, 1] as `(H, W, 4)` uint8 straight."""
    values = np.rint(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    shown: Sequence[np.ndarray] = [values[..., number] for number in range(min(colours, len(mode)))]
    if mode == "CMYK":  # PSD counts the ink that is left out
        shown = [255 - plane for plane in shown]
    colour = to_srgb(Image.merge(mode, [Image.fromarray(plane) for plane in shown]), None).image
    alpha = values[..., -1] if values.shape[2] > colours else np.full(values.shape[:2], 255, np.uint8)
    return np.dstack([np.asarray(colour), alpha])


def artboard(layer: Artboard) -> tuple[Mask, Layer | None] | None:
    """What cuts an artboard, a mask `(H, W)`, and its ground as a layer; `None` where the file does not say where it lies."""
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
