"""The effects of a PSD's layer: which are shown, by the blocks of the file, and what we can draw of them.

Files by Photoshop CS6 to CC 2014 have no `present` in their descriptors, by which psd-tools goes; what shows is what is enabled.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

from acetate.vocabulary.box import Box
from psd_tools import PSDImage
from psd_tools.api.effects import ColorOverlay
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import Resource, Tag
from psd_tools.psd.descriptor import Bool, Descriptor, List

from ...effects.paints import Paint, Solid
from ...effects.style import Effect, Style
from ...formats.decoding import MALFORMED
from ...formats.limits import MAX_SIDE
from .descriptors import blend_name, child, colour_of, number, number_of, word
from .fills import gradient_of, has_translucent_fill, pattern_of, reference_point

TAGS = (
    Tag.OBJECT_BASED_EFFECTS_LAYER_INFO_V1,
    Tag.OBJECT_BASED_EFFECTS_LAYER_INFO,
    Tag.OBJECT_BASED_EFFECTS_LAYER_INFO_V0,
)
"""The blocks with effects; one with several of a kind comes first, as it holds the others, too."""
NAMES: Mapping[bytes, str] = {
    b"DrSh": "drop shadow",
    b"IrSh": "inner shadow",
    b"OrGl": "outer glow",
    b"IrGl": "inner glow",
    b"ebbl": "bevel & emboss",
    b"ChFX": "satin",
    b"SoFi": "color overlay",
    b"GrFl": "gradient overlay",
    b"patternFill": "pattern overlay",
    b"FrFX": "stroke",
}
"""Photoshop's names, by the class of the descriptor."""
OLD_NAMES: Mapping[bytes, str] = {
    b"dsdw": "drop shadow",
    b"isdw": "inner shadow",
    b"oglw": "outer glow",
    b"iglw": "inner glow",
    b"bevl": "bevel & emboss",
    b"sofi": "color overlay",
}
"""Those of the block that Photoshop 5 wrote, and newer ones write beside theirs."""
POSITIONS = {b"OutF": "outside", b"InsF": "inside", b"CtrF": "center"}


class Found(NamedTuple):
    """The effects that a layer shows."""

    style: Style | None
    """Those that we can draw, and the blocks of all."""
    undrawn: tuple[str, ...]
    """The names of the others."""


def read(layer: PSDLayer, psd: PSDImage) -> Found:
    """What the layer's blocks say."""
    effects, undrawn = [], set()
    for name, data in _shown(layer):
        try:
            made = _effect(name, data, layer, psd) if data is not None else None
        except MALFORMED:
            made = None
        if made is None:
            undrawn.add(name)
        else:
            effects.append(made)
    if not effects and not undrawn:
        return Found(None, ())
    own = all(data is None or b"Ptrn" not in data for _, data in _shown(layer))  # tiles lie elsewhere in the file
    blocks = tuple(_stored(layer, psd)) if own else ()
    together = bool(number_of(layer, Tag.BLEND_INTERIOR_ELEMENTS, 0))
    style = Style(tuple(effects), layer.fill_opacity / 255, together, blocks=blocks)
    return Found(style, tuple(sorted(undrawn)))


def _stored(layer: PSDLayer, psd: PSDImage) -> Iterator[tuple[bytes, bytes]]:
    """The block as another file can hold it: with the light of its own, not that of the file."""
    for tag in TAGS:
        if not isinstance(layer.tagged_blocks.get_data(tag), Descriptor):
            continue
        data = copy.deepcopy(layer.tagged_blocks.get_data(tag))
        for key in data:
            for one in data[key] if isinstance(data[key], List) else [data[key]]:
                if isinstance(one, Descriptor) and number(one, b"uglg", 0) and b"lagl" in one:
                    one[b"uglg"] = Bool(False)
                    one[b"lagl"].value = float(psd.image_resources.get_data(Resource.GLOBAL_ANGLE, 30))
        yield tag.value, data.tobytes()
        return
    if Tag.EFFECTS_LAYER in layer.tagged_blocks:
        yield Tag.EFFECTS_LAYER.value, layer.tagged_blocks[Tag.EFFECTS_LAYER].data.tobytes()


def shows_effects(layer: PSDLayer) -> bool:
    """Whether any effect is switched on."""
    return any(True for _ in _shown(layer))


def _shown(layer: PSDLayer) -> Iterator[tuple[str, Descriptor | None]]:
    """Name and descriptor of each enabled effect; those of one kind with the lowest first."""
    for tag in TAGS:
        data = layer.tagged_blocks.get_data(tag)
        if isinstance(data, Descriptor):
            if number(data, b"masterFXSwitch", 1):
                yield from _enabled(data)
            return
        if tag in layer.tagged_blocks:
            yield "of a kind that we cannot read", None
            return
    old = layer.tagged_blocks.get_data(Tag.EFFECTS_LAYER)
    for key, one in getattr(old, "items", dict)():
        name = OLD_NAMES.get(bytes(getattr(key, "value", key)))
        if name is not None and getattr(one, "enabled", False):
            yield name, None


def _enabled(data: Descriptor) -> Iterator[tuple[str, Descriptor]]:
    for key in data:
        value = data[key]
        for one in reversed(value) if isinstance(value, List) else [value]:
            if isinstance(one, Descriptor) and number(one, b"enab", 0):
                code = bytes(getattr(one.classID, "value", one.classID))
                yield NAMES.get(code, code.decode("ascii", "replace")), one


def _effect(name: str, data: Descriptor, layer: PSDLayer, psd: PSDImage) -> Effect | None:
    """The effect, unless it has something that we cannot draw."""
    contour = child(data, b"TrnS")
    if (contour is not None and not _is_straight(contour)) or number(data, b"Nose", 0) or name not in _KINDS:
        return None
    if has_translucent_fill(layer):  # its effects follow its path, and we go by what shows
        return None
    paint = _paint(name, data, layer, psd)
    if paint is None:
        return None
    mode = blend_name(ColorOverlay(data, psd.image_resources).blend_mode)
    spans = b"Algn" in data and not number(data, b"Algn", 1)
    made = partial(
        Effect,
        name,
        paint,
        opacity=min(max(number(data, b"Opct", 100) / 100, 0), 1),
        blend_mode=mode,
        area=Box(0, 0, psd.width, psd.height) if spans else None,
    )
    if name == "stroke":
        return made(size=number(data, b"Sz  ", 1), position=POSITIONS.get(word(data, b"Styl"), "outside"))
    if name.endswith("overlay"):
        return made()
    light = psd.image_resources.get_data(Resource.GLOBAL_ANGLE, 30) if number(data, b"uglg", 0) else number(data, b"lagl", 30)
    return made(
        size=number(data, b"blur", 0),
        spread=number(data, b"Ckmt", 0) / 100,
        range=min(max(number(data, b"Inpr", 50) / 100, 0.01), 1) if name.endswith("glow") else 1.0,
        distance=min(max(number(data, b"Dstn", 0), -MAX_SIDE), MAX_SIDE),
        angle=float(light),
        from_center=word(data, b"glwS") == b"SrcC",
        concealed=bool(number(data, b"layerConceals", 1)),
    )


_KINDS = {
    "drop shadow",
    "inner shadow",
    "outer glow",
    "inner glow",
    "color overlay",
    "gradient overlay",
    "pattern overlay",
    "stroke",
}


def _paint(name: str, data: Descriptor, layer: PSDLayer, psd: PSDImage) -> Paint | None:
    kind = word(data, b"PntT") if name == "stroke" else b""
    if name == "gradient overlay" or kind == b"GrFl":
        return gradient_of(data)
    if name == "pattern overlay" or kind == b"Ptrn":
        return pattern_of(data, psd, reference_point(layer))
    colour = colour_of(data.get(b"Clr "))
    return None if colour is None else Solid((colour[0], colour[1], colour[2]))


def _is_straight(contour: Descriptor) -> bool:
    points = [(number(one, b"Hrzn", 0), number(one, b"Vrtc", 0)) for one in contour.get(b"Crv ") or ()]
    return all(abs(x - y) < 1 for x, y in points)
