"""PSD in: a file of Photoshop, Krita, GIMP or anyone as a document, within bounds of size.

What a `Layer` cannot hold is worked into its pixels or left out, and said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from acetate.raster import Pixels
from acetate.vocabulary.box import Box
from PIL import Image
from psd_tools import PSDImage
from psd_tools.api.layers import AdjustmentLayer, Artboard, FillLayer, ShapeLayer, SmartObjectLayer, TypeLayer
from psd_tools.api.layers import Group as PSDGroup
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import ChannelID, ColorMode, Resource

from ..adjustment import Adjustment
from ..composition.colour import is_srgb, open_profile, to_rgba
from ..composition.rgb_space import RGBSpace, space_of, srgb
from ..composition.stored_picture import judged
from ..effects.silhouettes import MAX_REACH
from ..effects.style import Style
from ..formats import generation_metadata, xmp
from ..formats.decoding import MALFORMED, DamagedError
from ..formats.limits import MAX_DISTANCE, MAX_ONE_LAYER
from ..layer import PASS_THROUGH, Document, Group, Layer, Node
from ..mask import Mask
from . import deep_pixels, plain_pixels
from .looks import adjustments, blocks, effects, fills, masks
from .looks.records import clipping_of, layer_name, look_of, name_encoding, reaches
from .merged_picture import StoredPicture
from .opening import has_unnamed_transparency, open_psd, psd_decoding, spare_channels
from .properties import marks_of, metadata_of

KINDS = {TypeLayer: "text", ShapeLayer: "a shape", SmartObjectLayer: "a smart object", FillLayer: "a fill"}

_NOTHING = np.zeros((0, 0, 4), np.uint8)
_WHOLE_RANGE = [(0, 65535), (0, 65535)]


def blending_space(psd: PSDImage) -> RGBSpace | None:
    """In what the file's program blends; `None` for sRGB, and where we cannot: gray, CMYK, Lab, profiles of tables."""
    icc = psd.image_resources.get_data(Resource.ICC_PROFILE)
    if psd.color_mode == ColorMode.RGB and psd.depth == 32:
        return (icc and space_of(icc) or srgb()).linear
    space = space_of(icc) if icc and psd.color_mode == ColorMode.RGB and open_profile(icc, "RGB") else None
    return None if space is None or is_srgb(icc) or not space.holds(srgb()) else space


def nodes_in(psd: PSDImage, box: Box) -> tuple[Node, ...]:
    """The layers of an open file, as far as they show in the box; the others have no pixels."""
    return tuple(_Reader(psd, box).nodes(psd))


def read(file: BinaryIO, name: str) -> Document:
    """The document in a PSD `file`; `name` is what messages call it. Raises a `DocumentError`."""
    with psd_decoding(name):
        damage: list[str] = []
        psd = open_psd(file, name, damage)
        reader = _Reader(psd, damage=damage)
        nodes = tuple(reader.nodes(psd) if len(psd) else reader.merged_picture())
        stored = reader.sound_picture() if len(psd) and psd.has_preview() else None
        if damage and not nodes and stored is None:
            raise DamagedError(f"no layer and no picture of it can be read; {damage[0]}")
        notes = (*damage, *reader.document_notes(), *reader.notes)
        document = Document(psd.width, psd.height, nodes, notes, metadata_of(psd), blending_space(psd))
        return document if stored is None else judged(document, stored)


class _Reader:
    """Reads the records of one file; remembers what concerns the document as a whole."""

    def __init__(self, psd: PSDImage, within: Box | None = None, damage: list[str] | None = None) -> None:
        self._psd, self._within, self._plain = psd, within, plain_pixels.is_plain(psd)
        self._damage = [] if damage is None else damage
        self._icc: bytes | None = psd.image_resources.get_data(Resource.ICC_PROFILE)
        packet = psd.image_resources.get_data(Resource.XMP_METADATA)
        self._entries = generation_metadata.parse(xmp.record_text(packet)) if isinstance(packet, bytes) else {}
        self._colour_notes: dict[str, None] = {}
        """Each once, in the order of reading."""
        self.notes: list[str] = []
        """What the layers that were read have lost."""

    def document_notes(self) -> list[str]:
        notes = list(self._colour_notes)
        if self._psd.depth == 32:
            notes.insert(0, "32 bits per channel became 16: linear light, by the curve of sRGB")
        encodings = sorted({encoding for layer in self._psd.descendants() if (encoding := name_encoding(layer))})
        if encodings:
            notes.append(f"the file does not say how its layer names are encoded; they were read as {' and '.join(encodings)}")
        spare = spare_channels(self._psd)
        if spare:
            notes.append(f"saved selections and spot colours were left out: {spare}")
        return notes

    def nodes(self, layers: Iterable[PSDLayer]) -> Iterator[Node]:
        """What the records hold, bottom to top; one that holds nothing we can draw, or is damaged, is left out."""
        lost = ""
        for layer in layers:
            node = self._node(layer)
            if not layer._record.clipping:
                lost = "" if node is not None else layer_name(layer)
            if node is None:
                continue
            if lost:
                self.notes.append(f"{node.name!r} was clipped to {lost!r} and is now free of it")
                node = replace(node, clipped=False)
            yield replace(node, **marks_of(layer._record))

    def _node(self, layer: PSDLayer) -> Node | None:
        try:
            return self._group(layer) if isinstance(layer, PSDGroup) else self._layer(layer)
        except MALFORMED:
            self._damage.append(f"{layer_name(layer)!r} is damaged and was left out")
            return None

    def merged_picture(self) -> Iterator[Node]:
        """A file without layers has only its merged picture; without one, or with an empty one, the document is empty."""
        rgba = self.stored_picture()
        if rgba is not None and rgba[..., 3].any():
            yield Layer(rgba, name="Background")

    def sound_picture(self) -> Pixels | None:
        """The picture beside the layers, or none where it cannot be decoded: it is there to compare with."""
        if not self._psd._record.image_data.data:
            return None
        if self._psd.width * self._psd.height > MAX_ONE_LAYER:
            self._damage.append("its merged picture is too large to be compared with its layers")
            return None
        try:
            return self.stored_picture()
        except MALFORMED:
            self._damage.append("its merged picture is damaged, so it was not used")
            return None

    def stored_picture(self) -> Pixels | None:
        """What the program that wrote the file drew, white taken out of it again; `None` where there is none."""
        if self._is_deep():
            return self._deep(deep_pixels.of_merged_picture(self._psd, self._icc), "the merged picture")
        if self._plain and self._psd.has_preview() and not has_unnamed_transparency(self._psd):
            return plain_pixels.of_merged_picture(self._psd)
        if self._psd.depth == 16:  # in a mode that is read as the gray of its first channel
            self._colour_notes["16 bits per channel were reduced to 8"] = None
        image, alpha = self._psd.topil(apply_icc=False), None
        if self._psd.depth == 8 and has_unnamed_transparency(self._psd):
            planes = StoredPicture(self._psd).read(Box(0, 0, self._psd.width, self._psd.height))
            alpha = Image.fromarray(planes[-1].astype(np.uint8))
        return None if image is None else self._converted(image, alpha)

    def _group(self, layer: PSDGroup) -> Group:
        style = self._style(layer)
        self._note_losses(layer)
        self.notes += masks.notes(layer, layer_name(layer))
        look = {**look_of(layer), **clipping_of(layer)}
        if style is not None:
            look["opacity"] = layer.opacity / 255
            style = replace(style, within=Box(0, 0, self._psd.width, self._psd.height).grown(2 * MAX_REACH))
        if look["blend_mode"] == PASS_THROUGH and layer.fill_opacity < 255:  # as Photoshop draws it: by itself, then faded
            look["blend_mode"] = "normal"
            self.notes.append(f"the fill opacity of the group {look['name']!r} is drawn as if its mode were normal")
        children, mask = tuple(self.nodes(layer)), self._mask(layer)
        board = fills.artboard(layer) if isinstance(layer, Artboard) else None
        if board is not None:
            mask, ground = board
            children = (*((ground,) if ground is not None else ()), *children)
            look["blend_mode"] = "normal"
            said = "a group with a mask" + (", its colour a layer" if ground is not None else "")
            self.notes.append(f"the artboard {layer_name(layer)!r} became {said}")
        return Group(children=children, mask=mask, style=style, **look)

    def _layer(self, layer: PSDLayer) -> Layer | None:
        """Stored pixels where there are any; psd-tools draws what has only a description, as far as it can."""
        look = look_of(layer)
        clipping = clipping_of(layer)
        if self._within is not None and not reaches(layer, self._within):
            return Layer(_NOTHING, **look, **clipping)
        self._note_losses(layer)
        kind = adjustments.kind_of(layer)
        if kind is not None and (layer.width <= 0 or layer.height <= 0):
            return self._adjustment(layer, kind, {**look, **clipping})
        x, y = layer.left, layer.top
        if max(abs(x), abs(y)) >= MAX_DISTANCE:
            raise ValueError("it lies where no program puts a layer")
        mask = None
        rgba = self._pixels(layer)
        if rgba is None and fills.is_fill(layer):
            drawn = fills.draw(layer, self._psd)
            if drawn is not None:
                rgba, x, y = drawn[0], drawn[1].x, drawn[1].y
        if rgba is not None:
            mask = self._mask(layer)
            self.notes += masks.notes(layer, look["name"])
        elif not isinstance(layer, AdjustmentLayer | FillLayer):
            rgba = self._drawn(layer)
            look["opacity"] = 1.0  # already in the drawing
            if rgba is not None and _needs_drawing(layer):
                self.notes.append(f"the vector mask of {look['name']!r} was applied to its transparency")
        if rgba is None:
            self._leave_out(look["name"], words(type(layer).__name__))
            return None
        style = self._style(layer)
        if style is not None:
            look["opacity"] = layer.opacity / 255
        self.notes += [f"{look['name']!r} was {kind} and is now pixels" for cls, kind in KINDS.items() if isinstance(layer, cls)]
        made = Layer(rgba, x, y, mask=mask, style=style, **look, **clipping)
        return generation_metadata.applied(made, self._entries.get(layer.layer_id))

    def _mask(self, layer: PSDLayer) -> Mask | None:
        try:
            return masks.read(layer)
        except MALFORMED:
            self._damage.append(f"the mask of {layer_name(layer)!r} is damaged and was left out")
            return None

    def _pixels(self, layer: PSDLayer) -> Pixels | None:
        if isinstance(layer, AdjustmentLayer) or _needs_drawing(layer):
            return None
        if layer.width <= 0 or layer.height <= 0:
            return None if isinstance(layer, ShapeLayer | FillLayer) else _NOTHING
        if self._is_deep() and layer.has_pixels():
            found = deep_pixels.of_layer(layer, self._icc)
            return None if found is None else self._deep(found, repr(layer_name(layer)))
        if self._plain and layer.has_pixels() and (rgba := plain_pixels.of_layer(layer)) is not None:
            if self._within is None:
                plain_pixels.forget(layer)
            return rgba
        image = layer.topil(apply_icc=False) if layer.has_pixels() else None
        if image is None:
            return None
        alpha = None if image.mode in ("RGBA", "LA") else layer.topil(ChannelID.TRANSPARENCY_MASK)
        return self._converted(image, alpha)

    def _is_deep(self) -> bool:
        return self._psd.depth in deep_pixels.SAMPLES and self._psd.color_mode in deep_pixels.MODES

    def _deep(self, found: deep_pixels.DeepPixels, name: str) -> Pixels:
        self._colour_notes |= dict.fromkeys(found.notes)
        if found.cut:
            part = "less than 1 %" if found.cut < 0.01 else f"about {100 * found.cut:.0f} %"
            self._colour_notes[f"{part} of {name} was brighter than white or outside sRGB, and was cut"] = None
        return found.rgba

    def _drawn(self, layer: PSDLayer) -> Pixels | None:
        try:
            image = layer.composite(force=_needs_drawing(layer), layer_filter=lambda other: other is layer)
        except ImportError:  # strokes and gradients need optional libraries of psd-tools
            return None
        if image is not None and self._psd.depth > 8 and layer.has_pixels():
            self.notes.append(f"{layer_name(layer)!r} was drawn in 8 bits per channel")
        return None if image is None else np.array(image.convert("RGBA"))

    def _converted(self, image: Image.Image, alpha: Image.Image | None) -> Pixels:
        if image.mode in ("P", "1"):
            image = image.convert("RGB")
        rgba, note = to_rgba(image, self._icc, alpha)
        if note:
            self._colour_notes[note] = None
        return rgba

    def _adjustment(self, layer: PSDLayer, kind: str, look: dict[str, Any]) -> Adjustment | None:
        settings = adjustments.parameters_of(layer, self._psd.color_mode)
        stored = adjustments.stored(layer)
        try:
            if settings is not None and self._psd.color_mode == ColorMode.GRAYSCALE:
                ramp = self._converted(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), None)[0, :, 0].astype(np.uint8)
                self.notes.append(f"{look['name']!r} ({kind}) became curves, as the document was gray")
                kind, settings, stored = "curves", adjustments.in_rgb(kind, settings, ramp), ()
            if settings is not None:
                made = Adjustment(mask=self._mask(layer), kind=kind, settings=settings, blocks=stored, **look)
                self.notes += masks.notes(layer, look["name"])
                return made
        except MALFORMED:  # its numbers are not those of such a change
            pass
        self._leave_out(look["name"], kind)
        return None

    def _leave_out(self, name: str, kind: str) -> None:
        self.notes.append(f"{name!r} ({kind}) has no pixels of its own and was left out")

    def _style(self, layer: PSDLayer) -> Style | None:
        style, undrawn = effects.read(layer, self._psd)
        if undrawn:
            fate = "are kept, but not drawn" if style is not None and style.blocks else "were left out"
            self.notes.append(f"the effects of {layer_name(layer)!r} ({', '.join(undrawn)}) {fate}")
        return style

    def _note_losses(self, layer: PSDLayer) -> None:
        name = layer_name(layer)
        ranges = layer._record.blending_ranges.composite_ranges
        if ranges and any(any(pair) for pair in ranges) and [tuple(pair) for pair in ranges] != _WHOLE_RANGE:
            self.notes.append(f"the blend-if ranges of {name!r} were left out")
        if layer.visible:
            self.notes += [f"{name!r} {part}" for part in blocks.undrawn(layer)]


def _needs_drawing(layer: PSDLayer) -> bool:
    """A vector mask over pixels, of which the file holds no rendered version. A shape's stored pixels are already cut out."""
    return masks.has_vector_mask(layer) and not isinstance(layer, ShapeLayer | FillLayer) and not masks.is_drawn(layer)


def words(camel: str) -> str:
    """`HueSaturation` -> `hue saturation`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", camel).lower()
