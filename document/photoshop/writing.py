"""PSD and PSB out: a document as a new file. In a PSB the numbers are longer, all else is the same.

8 or 16 bits per channel, RGBA, run-length encoded where that saves space, with our own merged picture: rendering it is what
makes psd-tools' own saving slow (tests/bench/documents.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import BinaryIO, NamedTuple

import numpy as np
from acetate.raster import Pixels, to_16_bits
from psd_tools import PSDImage
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import BlendMode, ChannelID, Clipping, Compression, Resource, SectionDivider, Tag
from psd_tools.psd.document import PSD
from psd_tools.psd.header import FileHeader
from psd_tools.psd.image_data import ImageData
from psd_tools.psd.image_resources import ImageResource, ImageResources
from psd_tools.psd.layer_and_mask import (
    ChannelData,
    ChannelDataList,
    ChannelInfo,
    GlobalLayerMaskInfo,
    LayerInfo,
    LayerRecord,
)
from psd_tools.psd.tagged_blocks import TaggedBlock, TaggedBlocks

from ..composition.colour import srgb_profile
from ..composition.compose import render_over_white
from ..errors import TooLarge, UnwritableFile
from ..formats import generation_metadata
from ..formats.limits import MAX_DISTANCE, MAX_SIDE, SCALE_DOWN, check_canvas, check_layers
from ..layer import PASS_THROUGH, Document, Group, Layer, Node, walk
from ..naming import clean
from .looks import masks
from .looks.descriptors import blend_name
from .properties import put_marks, put_metadata
from .writable import blocks_of, writable

BLEND_KEYS = {blend_name(mode): mode for mode in BlendMode}

PSD_VERSION, PSB = 1, 2
MAX_PSD_SIDE = 30_000
"""Pixels; what is larger is a PSB by Adobe's specification."""
MAX_PSD_BYTES = 2**31
"""Photoshop opens no larger file of version 1."""

WORTHWHILE_RUNS = 0.05
"""Share of pixels with two equal neighbours to the left, from which on run-length encoding is used."""


def write(document: Document, file: BinaryIO, *, large: bool = False) -> tuple[str, ...]:
    """Write layers, merged picture and generation record; returns what the person has to know of the file.

    `large` is PSB. Raises `TooLarge` or `UnwritableFile` for what does not fit.
    """
    check_canvas("the document", document.width, document.height)
    _check_layers(document.layers)
    reason = f"over {MAX_PSD_SIDE:,} pixels a side" if _longest_side(document) > MAX_PSD_SIDE else ""
    made = _made(document, PSB if large or reason else PSD_VERSION)
    if made.version == PSD_VERSION and _bytes(made) > MAX_PSD_BYTES:
        reason = f"of more than {MAX_PSD_BYTES:,} bytes"
        made = _made(document, PSB)
    made._record.write(file)
    if large or not reason:
        return ()
    return (f"it is {reason}, so it was written in the form of a PSB; some programs want it to be called .psb",)


def _longest_side(document: Document) -> int:
    boxes = [document.box, *(node.box for node in walk(document.layers) if isinstance(node, Layer))]
    return max(max(box.width, box.height) for box in boxes)


def _bytes(psd: PSDImage) -> int:
    """About how long the file will be; all else in it is small."""
    layers = sum(len(channel.data) for _, channels in psd._record._iter_layers() for channel in channels)
    return layers + len(psd._record.image_data.data)


def _made(document: Document, version: int) -> PSDImage:
    """The file as psd-tools knows it. The records are made here and not by psd-tools' layers, which sort the whole file anew for
    each of them."""
    merged = render_over_white(document.layers, document.box, document.depth, document.space)
    header = FileHeader(version=version, height=document.height, width=document.width, depth=document.depth)
    picture = ImageData(_compression(merged))
    picture.set_data([_samples(plane) for plane in np.moveaxis(merged, -1, 0)], header)
    psd = PSDImage(PSD(header=header, image_data=picture, image_resources=ImageResources.new()))
    layers: dict[generation_metadata.Id, generation_metadata.Entry | Layer] = {}
    records = list(_records(document.layers, count(1), layers, header, something_below=False))
    if records:
        # Negative: the fourth channel of the merged picture is its transparency. Positive would make it a spare channel.
        info = LayerInfo(-len(records))
        info.layer_records.extend(one.record for one in records)
        info.channel_image_data.extend(one.channels for one in records)
        stored = psd._record.layer_and_mask_information
        stored.layer_info, stored.global_layer_mask_info = info, GlobalLayerMaskInfo()
        if document.depth == 16:  # where Photoshop keeps layers that are deeper
            stored.layer_info, stored.tagged_blocks = LayerInfo(), TaggedBlocks()
            stored.tagged_blocks.set_data(Tag.SAVING_MERGED_TRANSPARENCY16)
            stored.tagged_blocks.set_data(Tag.LAYER_16, info.layer_count, info.layer_records, info.channel_image_data)
    attach(psd, Resource.ICC_PROFILE, srgb_profile())
    put_metadata(psd, document.metadata, generation_metadata.text(document.width, document.height, layers))
    return psd


class _Stored(NamedTuple):
    """A layer, or one end of a group, as the file lists it."""

    record: LayerRecord
    channels: ChannelDataList


def _records(
    nodes: Sequence[Node],
    numbers: Iterator[int],
    layers: dict[generation_metadata.Id, generation_metadata.Entry | Layer],
    header: FileHeader,
    *,
    something_below: bool,
) -> Iterator[_Stored]:
    """The nodes, bottom to top, each with the next layer id; a group is its end, its children, its head. `layers` collects
    the layers by id."""
    for node in writable(nodes):
        number = next(numbers)
        if isinstance(node, Layer):
            layers[number] = node
            stored, mode = _pixels(node, header), BLEND_KEYS[node.blend_mode]
        else:
            # With nothing below to pass through to, it looks the same, and Krita 5 would render it blank.
            through = node.blend_mode == PASS_THROUGH and something_below
            normal = node.blend_mode == PASS_THROUGH and not something_below
            mode = BlendMode.NORMAL if normal else BLEND_KEYS[node.blend_mode]
            end = _divider(SectionDivider.BOUNDING_SECTION_DIVIDER, "</Layer group>")
            end.record.tagged_blocks.set_data(Tag.LAYER_ID, next(numbers))
            yield end
            yield from _records(node.children, numbers, layers, header, something_below=through)
            stored = _divider(SectionDivider.OPEN_FOLDER, "", mode)
            mode = BlendMode.NORMAL if mode == BlendMode.PASS_THROUGH else mode
        record = stored.record
        record.opacity, record.blend_mode, record.flags.visible = round(node.opacity * 255), mode, node.visible
        record.clipping = Clipping(node.clipped)
        if not node.blends_clipped:
            record.tagged_blocks.set_data(Tag.BLEND_CLIPPING_ELEMENTS, 0)
        if node.mask is not None:
            masks.attach(node.mask, stored.record, stored.channels, header.depth)
        for key, data in blocks_of(node):
            record.tagged_blocks[Tag(key)] = TaggedBlock(key=Tag(key), data=data)
        if node.style is not None:
            record.tagged_blocks.set_data(Tag.BLEND_FILL_OPACITY, round(node.style.fill * 255))
        _name(record, clean(node.name))
        record.tagged_blocks.set_data(Tag.LAYER_ID, number)
        put_marks(record, node)
        yield stored
        something_below = True


def _pixels(layer: Layer, header: FileHeader) -> _Stored:
    """A layer's place and its four channels, each compressed as suits it."""
    box, rgba = layer.box, to_16_bits(layer.rgba) if header.depth == 16 else layer.rgba
    record, channels = LayerRecord(box.y, box.x, box.bottom, box.right), ChannelDataList()
    for channel, plane in ((ChannelID.TRANSPARENCY_MASK, 3), (ChannelID(0), 0), (ChannelID(1), 1), (ChannelID(2), 2)):
        values = rgba[..., plane]
        stored = ChannelData(_compression(values))
        if values.size:
            stored.set_data(_samples(values), box.width, box.height, header.depth, header.version)
        channels.append(stored)
        record.channel_info.append(ChannelInfo(channel, len(stored.data) + 2))
    return _Stored(record, channels)


def _samples(values: Pixels) -> bytes:
    """Samples as the file has them, the high byte first."""
    return values.astype(values.dtype.newbyteorder(">")).tobytes()


def _divider(kind: SectionDivider, name: str, mode: BlendMode | None = None) -> _Stored:
    record = LayerRecord(channel_info=[ChannelInfo(ChannelID(number - 1), 2) for number in range(4)])
    record.tagged_blocks.set_data(Tag.SECTION_DIVIDER_SETTING, kind, None if mode is None else b"8BIM", mode)
    _name(record, name)
    channels = ChannelDataList()
    channels.extend(ChannelData(Compression.RAW) for _ in range(4))
    return _Stored(record, channels)


def _name(record: LayerRecord, name: str) -> None:
    """The whole name in the Unicode block; the old field, which Photoshop still wants, holds Mac Roman only."""
    try:
        name.encode("macroman")
        record.name = name
    except UnicodeEncodeError:
        record.name = "?"
    record.tagged_blocks.set_data(Tag.UNICODE_LAYER_NAME, name)


def _compression(values: Pixels) -> Compression:
    """Run-length encoding, unless a sample of the rows shows too few runs to gain from it: encoding noise, such as film grain
    or the colour of generated pictures, takes most of the time of writing and leaves it as long as it was."""
    rows = values[::16].astype(np.int32)
    same = np.diff(rows, axis=1) == 0
    if values.dtype == np.uint16:  # it is bytes that are counted
        same &= (rows >> 8 == rows & 255)[:, 1:]
    in_runs = same[:, 1:] & same[:, :-1]
    return Compression.RLE if in_runs.size == 0 or in_runs.mean() > WORTHWHILE_RUNS else Compression.RAW


def _check_layers(nodes: Sequence[Node]) -> None:
    """Refuse before the work begins what the format, or our own reading, could not hold."""
    check_layers("the document", _all_writable(nodes))
    for node in walk(nodes):
        if isinstance(node, Layer):
            check_place(node, PSB)


def _all_writable(nodes: Sequence[Node]) -> tuple[Node, ...]:
    found = writable(nodes)
    return tuple(replace(node, children=_all_writable(node.children)) if isinstance(node, Group) else node for node in found)


def check_place(layer: Layer, version: int) -> None:
    """Raise `TooLarge` or `UnwritableFile` for a layer that a file of this version cannot hold where it is."""
    box = layer.box
    kind, most = ("PSB", MAX_SIDE) if version == PSB else ("PSD", MAX_PSD_SIDE)
    if max(box.width, box.height) > most:
        size = f"{box.width} x {box.height} pixels"
        raise TooLarge(f"the layer {layer.name!r} is {size}; a {kind} takes at most {most:,} a side", SCALE_DOWN)
    if max(abs(box.x), abs(box.y)) >= MAX_DISTANCE:
        raise UnwritableFile(
            f"the layer {layer.name!r} lies at {box.x}, {box.y}; a PSD takes at most {MAX_DISTANCE} pixels from the canvas"
        )


def dress(made: PSDLayer, node: Node, number: int) -> None:
    """Give a new layer the look of a node and the id `number`.

    The name is set last: creating a layer with one outside Mac Roman fails, while the setter writes the Unicode block."""
    made.opacity = round(node.opacity * 255)
    made.blend_mode = BLEND_KEYS[node.blend_mode]
    made.visible = node.visible
    made.clipping = node.clipped
    made.name = clean(node.name)
    made.tagged_blocks.set_data(Tag.LAYER_ID, number)


def attach(psd: PSDImage, key: Resource, data: bytes) -> None:
    """Put a resource into the file, in place of an older one."""
    psd.image_resources[key] = ImageResource(key=key, data=data)
