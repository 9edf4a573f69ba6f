"""What fill layers, overlays and strokes of a PSD are painted with: gradients and patterns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image
from psd_tools import PSDImage
from psd_tools.api.numpy_io import get_pattern, get_pattern_color_channels
from psd_tools.constants import ColorMode
from psd_tools.psd.descriptor import Descriptor

from ..composition.colour import to_srgb
from ..effects.paints import Gradient, Paint, Pattern, Solid
from ..formats.limits import MAX_LAYER_PIXELS
from .descriptors import child, colour_of, number, point, stops_of, word

KINDS: Mapping[bytes, str] = {b"Lnr ": "linear", b"Rdl ": "radial", b"Angl": "angle", b"Rflc": "reflected", b"Dmnd": "diamond"}
MODES = {ColorMode.GRAYSCALE: "L", ColorMode.RGB: "RGB", ColorMode.CMYK: "CMYK"}
"""The colour modes of patterns that we read, as Pillow calls them."""


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
    gradient, kind = child(data, b"Grad"), KINDS.get(word(data, b"Type") or b"Lnr ")
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
    """`None` where the file does not hold the tile, holds it in a mode that we do not read, or scales it."""
    reference = child(data, b"Ptrn")
    if reference is None:
        return None
    name = str(getattr(reference.get(b"Idnt"), "value", reference.get(b"Idnt"))).rstrip("\0")
    found = psd._get_pattern(name)
    mode = MODES.get(found.image_mode) if found is not None else None
    if found is None or mode is None:
        return None
    planes = get_pattern(found, MAX_LAYER_PIXELS)
    if not planes.size:
        return None
    scale = number(data, b"Scl ", 100) / 100
    if scale != 1:  # Photoshop's own scaled tiles begin elsewhere than its help says
        return None
    across, down = point(data, b"phase")
    linked = bool(number(data, b"Algn", number(data, b"Lnkd", 1)))
    origin = (corner[0] + across, corner[1] + down) if linked else (across, down)
    return Pattern(_tile(planes, get_pattern_color_channels(found), mode), origin)


def _tile(planes: np.ndarray, colours: int, mode: str) -> np.ndarray:
    """`(H, W, planes)` in [0, 1] as `(H, W, 4)` uint8 straight."""
    values = np.rint(np.clip(planes, 0, 1) * 255).astype(np.uint8)
    shown: Sequence[np.ndarray] = [values[..., number] for number in range(min(colours, len(mode)))]
    if mode == "CMYK":  # PSD counts the ink that is left out
        shown = [255 - plane for plane in shown]
    colour = to_srgb(Image.merge(mode, [Image.fromarray(plane) for plane in shown]), None).image
    alpha = values[..., -1] if values.shape[2] > colours else np.full(values.shape[:2], 255, np.uint8)
    return np.dstack([np.asarray(colour), alpha])
