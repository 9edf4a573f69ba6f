"""PSD out: a document as a new file.

8 bits per channel, RGBA, run-length encoded where that saves space, with our own merged picture: rendering it is what makes
psd-tools' own saving slow (tests/bench/psd_write.py). Only the modules called `psd_…` know psd-tools.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from psd_tools import PSDImage
from psd_tools.api.layers import GroupMixin, PixelLayer
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.constants import BlendMode, ChannelID, Compression, Resource, Tag
from psd_tools.psd.image_resources import ImageResource
from psd_tools.psd.layer_and_mask import ChannelData, ChannelDataList, ChannelInfo, LayerRecord

from ..composition.colour import srgb_profile
from ..composition.compose import render_over_white
from ..errors import TooLarge, UnwritableFile
from ..layer import PASS_THROUGH, Document, Layer, Node, walk
from ..naming import clean
from . import generation_metadata, xmp
from .limits import MAX_SIDE, PixelBudget, check_canvas
from .psd_reading import blend_name

BLEND_KEYS = {blend_name(mode): mode for mode in BlendMode}

WORTHWHILE_RUNS = 0.05
"""Share of pixels with two equal neighbours to the left, from which on run-length encoding is used."""


def write(document: Document, file: BinaryIO) -> None:
    """Write layers, merged picture and generation record. Raises `TooLarge` or `UnwritableFile` for what does not fit."""
    check_canvas("the document", document.width, document.height)
    _check_layers(document)
    merged = render_over_white(document.layers, document.box)
    psd = PSDImage.frompil(Image.fromarray(merged), compression=_compression(merged))
    layers: dict[generation_metadata.Id, generation_metadata.Entry | Layer] = {}
    _append(document.layers, psd, count(1), layers, something_below=False)
    # Negative: the fourth channel of the merged picture is its transparency. Positive would make it a spare channel.
    info = psd._record.layer_and_mask_information.layer_info
    if info is not None:
        info.layer_count = -abs(info.layer_count)
    attach(psd, Resource.ICC_PROFILE, srgb_profile())
    text = generation_metadata.text(document.width, document.height, layers)
    if text:
        attach(psd, Resource.XMP_METADATA, xmp.packet(text))
    psd._record.write(file)


def _append(
    nodes: Sequence[Node],
    parent: GroupMixin,
    numbers: Iterator[int],
    layers: dict[generation_metadata.Id, generation_metadata.Entry | Layer],
    *,
    something_below: bool,
) -> None:
    """Create the nodes in `parent`, bottom to top, each with the next layer id; `layers` collects the layers by id."""
    for node in nodes:
        number = next(numbers)
        if isinstance(node, Layer):
            layers[number] = node
            dress(_pixel_layer(parent, node), node, number)
        else:
            group = parent.create_group(name="group", blend_mode=BlendMode.NORMAL)
            dress(group, node, number)
            if node.blend_mode == PASS_THROUGH and not something_below:
                # It looks the same, as there is nothing to pass through to, and Krita 5 would render it blank.
                group.blend_mode = BlendMode.NORMAL
            through = something_below and node.blend_mode == PASS_THROUGH
            _append(node.children, group, numbers, layers, something_below=through)
        something_below = True


def _pixel_layer(parent: GroupMixin, layer: Layer) -> PixelLayer:
    """As psd-tools' `create_pixel_layer`, but each channel compressed as suits it."""
    box = layer.box
    entry, channels = LayerRecord(box.y, box.x, box.bottom, box.right, name="layer"), ChannelDataList()
    for channel, plane in ((ChannelID.TRANSPARENCY_MASK, 3), (ChannelID(0), 0), (ChannelID(1), 1), (ChannelID(2), 2)):
        values = np.ascontiguousarray(layer.rgba[..., plane])
        stored = ChannelData(_compression(values))
        if values.size:
            stored.set_data(values.tobytes(), box.width, box.height, 8)
        channels.append(stored)
        entry.channel_info.append(ChannelInfo(channel, len(stored.data) + 2))
    made = PixelLayer(parent, entry, channels)
    parent.append(made)
    return made


def _compression(values: NDArray[np.uint8]) -> Compression:
    """Run-length encoding, unless a sample of the rows shows too few runs to gain from it: encoding noise, such as film grain
    or the colour of generated pictures, takes most of the time of writing and leaves it as long as it was."""
    rows = values[::16].astype(np.int16)
    same = np.diff(rows, axis=1) == 0
    in_runs = same[:, 1:] & same[:, :-1]
    return Compression.RLE if in_runs.size == 0 or in_runs.mean() > WORTHWHILE_RUNS else Compression.RAW


def _check_layers(document: Document) -> None:
    """Refuse before the work begins what the format, or our own reading, could not hold."""
    budget = PixelBudget("the document")
    for node in walk(document.layers):
        if isinstance(node, Layer):
            budget.spend(node.box.width, node.box.height)
            check_place(node)


def check_place(layer: Layer) -> None:
    """Raise `TooLarge` or `UnwritableFile` for a layer that a PSD cannot hold where it is."""
    box = layer.box
    if max(box.width, box.height) > MAX_SIDE:
        raise TooLarge(f"the layer {layer.name!r} is {box.width} x {box.height} pixels; a PSD takes at most {MAX_SIDE} a side")
    if max(abs(box.x), abs(box.y)) >= 2**30:
        raise UnwritableFile(
            f"the layer {layer.name!r} lies at {box.x}, {box.y}; a PSD takes at most {2**30} pixels from the canvas"
        )


def dress(made: PSDLayer, node: Node, number: int) -> None:
    """Give a new layer the look of a node and the id `number`.

    The name is set last: creating a layer with one outside Mac Roman fails, while the setter writes the Unicode block."""
    made.opacity = round(node.opacity * 255)
    made.blend_mode = BLEND_KEYS[node.blend_mode]
    made.visible = node.visible
    made.name = clean(node.name)
    made.tagged_blocks.set_data(Tag.LAYER_ID, number)


def attach(psd: PSDImage, key: Resource, data: bytes) -> None:
    """Put a resource into the file, in place of an older one."""
    psd.image_resources[key] = ImageResource(key=key, data=data)
