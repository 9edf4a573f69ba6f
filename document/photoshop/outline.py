"""The layer list of a PSD, read without a byte of its pixels: they are most of the file, and a list needs none of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from typing import BinaryIO

from acetate.vocabulary.box import Box
from psd_tools import PSDImage
from psd_tools.api.layers import Artboard, PixelLayer
from psd_tools.api.layers import Group as PSDGroup
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import Compression, Resource, Tag
from psd_tools.psd.bin_utils import read_fmt
from psd_tools.psd.color_mode_data import ColorModeData
from psd_tools.psd.document import PSD
from psd_tools.psd.header import FileHeader
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResources
from psd_tools.psd.layer_and_mask import (
    ChannelData,
    ChannelDataList,
    LayerAndMaskInformation,
    LayerInfo,
    LayerRecords,
)
from psd_tools.psd.parse_limits import parse_context

from ..formats import generation_metadata, xmp
from ..outline import Entry, Outline
from .looks import adjustments, effects
from .looks.records import look_of
from .opening import HEADER, LIMITS, check_header, psd_decoding
from .reading import KINDS

DEEP = {Tag.LAYER_16.value, Tag.LAYER_32.value}
"""The blocks in which files of 16 and 32 bits keep their layers."""
LONG = {tag.value for tag in (Tag.LAYER_16, Tag.LAYER_32, Tag.USER_MASK, Tag.LINKED_LAYER1, Tag.LINKED_LAYER2, Tag.LINKED_LAYER3)}
"""Blocks whose length takes eight bytes in a PSB, as far as they stand before the layers."""


def read(file: BinaryIO, name: str) -> Outline:
    """The list in a PSD `file` that can be sought in; `name` is what messages call it. Raises a `DocumentError`."""
    with psd_decoding(name):
        check_header(file.read(HEADER.size), name)
        file.seek(0)
        with parse_context(LIMITS):
            psd = _without_pixels(file)
        packet = psd.image_resources.get_data(Resource.XMP_METADATA)
        made = generation_metadata.parse(xmp.record_text(packet)) if isinstance(packet, bytes) else {}
        return Outline(width=psd.width, height=psd.height, entries=tuple(_entries(psd, made)))


def _entries(layers: Iterable[PSDLayer], made: Mapping[generation_metadata.Id, generation_metadata.Entry]) -> Iterator[Entry]:
    for layer in layers:
        known = made.get(layer.layer_id) or generation_metadata.Entry()
        children = tuple(_entries(layer, made)) if isinstance(layer, PSDGroup) else None
        if children is None:
            box = Box(layer.left, layer.top, max(0, layer.width), max(0, layer.height))
        else:  # psd-tools passes over hidden ones
            box = reduce(Box.union, (child.box for child in children), Box(0, 0, 0, 0))
        has = tuple(_has(layer))
        seen = Entry(**look_of(layer), box=box, mask=_shown(layer), has=has, children=children)
        yield replace(seen, role=known.role, parameters=known.parameters)


def _shown(layer: PSDLayer) -> Box | None:
    """What the layer's mask leaves to be seen: programs crop it to that."""
    mask = layer.mask
    if mask is None or mask.disabled or mask.background_color:
        return None
    return Box(mask.left, mask.top, max(0, mask.width), max(0, mask.height))


def _has(layer: PSDLayer) -> Iterator[str]:
    if isinstance(layer, Artboard):
        yield "artboard"
    elif (kind := adjustments.kind_of(layer)) is not None:
        yield kind
    elif not isinstance(layer, PSDGroup | PixelLayer):
        yield next((kind.removeprefix("a ") for cls, kind in KINDS.items() if isinstance(layer, cls)), "other")
    if layer._record.clipping:
        yield "clipped"
    if layer.has_mask():
        yield "mask"
    if layer.has_vector_mask():
        yield "vector mask"
    if effects.shows_effects(layer):
        yield "effects"


def _without_pixels(file: BinaryIO) -> PSDImage:
    """The file as psd-tools knows it, with empty channels."""
    header = FileHeader.read(file)
    ColorModeData.read(file)
    resources = ImageResources.read(file)
    information = LayerAndMaskInformation(layer_info=_layer_info(file, header.version))
    picture = ImageData(Compression.RAW, b"")
    return PSDImage(PSD(header=header, image_resources=resources, layer_and_mask_information=information, image_data=picture))


def _layer_info(file: BinaryIO, version: int) -> LayerInfo | None:
    """The records of the layers, wherever in the section they stand."""
    size = ("I", "Q")[version - 1]
    (length,) = read_fmt(size, file)
    end = file.tell() + length
    if not length:
        return None
    (length,) = read_fmt(size, file)
    if length:
        return _records(file, version)
    (length,) = read_fmt("I", file)  # the global layer mask
    file.seek(length, 1)
    while file.tell() + 12 <= end:
        signature, key = read_fmt("4s4s", file)
        if signature not in (b"8BIM", b"8B64"):
            break
        (length,) = read_fmt("Q" if version == 2 and key in LONG else "I", file)
        if key in DEEP:
            return _records(file, version)
        file.seek(-(-length // 4) * 4, 1)
    return None


def _records(file: BinaryIO, version: int) -> LayerInfo:
    (count,) = read_fmt("h", file)
    info = LayerInfo(count, LayerRecords.read(file, count, "macroman", version))
    for record in info.layer_records:
        channels = ChannelDataList()
        channels.extend(ChannelData(Compression.RAW, b"") for _ in record.channel_info)
        info.channel_image_data.append(channels)
    return info
