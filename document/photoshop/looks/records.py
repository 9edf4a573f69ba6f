"""What a layer's record says in plain fields: name, opacity, mode, clipping, place; and what it has that we cannot draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acetate.vocabulary.box import Box
from psd_tools import PSDImage
from psd_tools.api.layers import FillLayer
from psd_tools.api.layers import Group as PSDGroup
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import Tag

from ...naming import clean, guessed
from . import adjustments, blocks, effects
from .descriptors import blend_name


def layer_name(layer: PSDLayer) -> str:
    """A layer's name, without the NUL that Krita puts at its end.

    The old name field has no encoding: psd-tools reads it as Mac Roman, other programs wrote that of their country.
    """
    encoding = name_encoding(layer)
    return clean(layer.name if encoding is None else guessed(layer.name.encode("macroman"))[0])


def name_encoding(layer: PSDLayer) -> str | None:
    """How the name seems to be encoded; `None` where the file leaves no doubt."""
    if Tag.UNICODE_LAYER_NAME in layer.tagged_blocks or layer.name.isascii():
        return None
    return guessed(layer.name.encode("macroman"))[1]


def look_of(layer: PSDLayer) -> dict[str, Any]:
    """Name, opacity, blend mode and visibility. Fill opacity differs from opacity only for effects, which are not drawn."""
    return {
        "name": layer_name(layer),
        "opacity": layer.opacity * layer.fill_opacity / 255**2,
        "blend_mode": blend_name(layer.blend_mode),
        "visible": layer.visible,
    }


def clipping_of(layer: PSDLayer) -> dict[str, Any]:
    """psd-tools' own answer is that groups are never clipped; Clip Studio, SAI and newer Photoshop clip them."""
    together = layer.tagged_blocks.get_data(Tag.BLEND_CLIPPING_ELEMENTS, 1)
    return {"clipped": bool(layer._record.clipping), "blends_clipped": bool(together)}


def live_parts(psd: PSDImage, within: Box | None = None) -> Iterator[str]:
    """What the picture, or its part `within` a box, depends on but we cannot draw."""
    for layer in psd.descendants():
        if within is not None and not reaches(layer, within):
            continue
        kind = adjustments.kind_of(layer)
        if kind is not None and adjustments.parameters_of(layer, psd.color_mode) is None:
            yield f"{layer_name(layer)!r} ({kind})"
        undrawn = effects.read(layer, psd).undrawn
        if undrawn:
            yield f"the effects of {layer_name(layer)!r} ({', '.join(undrawn)})"
        yield from (f"what {layer_name(layer)!r} has: it {part}" for part in blocks.undrawn(layer))


def reaches(layer: PSDLayer, box: Box) -> bool:
    """Whether the layer can show in the box. What has no pixels of its own, and effects, may reach anywhere."""
    if not layer.visible:
        return False
    if isinstance(layer, FillLayer) or adjustments.kind_of(layer) is not None or effects.shows_effects(layer):
        return True
    if isinstance(layer, PSDGroup):
        return any(reaches(child, box) for child in layer)
    return not Box(layer.left, layer.top, layer.width, layer.height).intersection(box).empty
