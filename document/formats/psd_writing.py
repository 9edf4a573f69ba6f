"""PSD out: a document as a new file, and one more layer in somebody else's file.

8 bits per channel, RGBA, run-length encoded where that saves space, with our own merged picture: rendering it is what makes
psd-tools' own saving slow (tests/bench/psd_write.py). Only this module and `psd_reading` know psd-tools.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import count
from typing import BinaryIO

import numpy as np
from acetate.raster import RGBA
from numpy.typing import NDArray
from PIL import Image, ImageChops
from psd_tools import PSDImage
from psd_tools.api.layers import Group as PSDGroup
from psd_tools.api.layers import GroupMixin, PixelLayer
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.api.numpy_io import encode_image_data
from psd_tools.api.utils import has_transparency
from psd_tools.constants import BlendMode, ChannelID, ColorMode, Compression, Resource, Tag
from psd_tools.psd.image_resources import ImageResource
from psd_tools.psd.layer_and_mask import ChannelData, ChannelDataList, ChannelInfo, LayerRecord

from .. import tree
from ..composition.colour import from_srgb, srgb_profile
from ..composition.compose import render, render_over_white
from ..errors import TooLarge, UnsupportedFile, UnwritableFile
from ..layer import PASS_THROUGH, Document, Layer, Node, walk
from ..naming import clean
from . import generation_metadata, xmp
from .limits import MAX_SIDE, PixelBudget, check_canvas
from .psd_reading import blend_name, layer_name, live_parts, open_psd, psd_decoding, read, spare_channels

BLEND_KEYS = {blend_name(mode): mode for mode in BlendMode}

MODES = {ColorMode.RGB: "RGB", ColorMode.GRAYSCALE: "L", ColorMode.CMYK: "CMYK", ColorMode.LAB: "LAB"}
"""The colour modes in which a PSD can have layers, as Pillow calls them (duotone has ink curves that are not documented)."""

WORTHWHILE_RUNS = 0.05
"""Share of pixels with two equal neighbours to the left, from which on run-length encoding is used."""

_FORGOTTEN = (Resource.THUMBNAIL_RESOURCE, Resource.THUMBNAIL_RESOURCE_PS4)
"""Resources that would still show the picture from before the insertion."""


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
    _attach(psd, Resource.ICC_PROFILE, srgb_profile())
    text = generation_metadata.text(document.width, document.height, layers)
    if text:
        _attach(psd, Resource.XMP_METADATA, xmp.packet(text))
    psd._record.write(file)


def insert(
    data: bytes, layer: Layer, name: str, *, above: str | None = None, below: str | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """The file with one layer more, in its colour mode and depth and otherwise unchanged; and what its merged picture lacks.

    Clipped layers stay with their base: the new layer goes above all that is clipped to `above`, or below the base of `below`.
    Raises `UnsupportedFile` for other colour modes and depths, and `ValueError` where both `above` and `below` are given.
    """
    if above is not None and below is not None:
        raise ValueError(f"above is {above!r} and below is {below!r}; only one of them can place a layer")
    with psd_decoding(name):
        psd = open_psd(io.BytesIO(data), name)
        if psd.color_mode not in MODES or psd.depth not in (8, 16):
            kind = f"{psd.depth}-bit {psd.color_mode.name.lower()}"
            raise UnsupportedFile(f"{name} is {kind}; a layer can be added to 8- and 16-bit RGB, gray, CMYK and Lab files")
        if len(psd) == 0:  # its merged picture is all it has, and adding a layer would replace that
            for background in read(io.BytesIO(data), name).layers:
                assert isinstance(background, Layer)
                _dress(_converted(psd, background), background, 1)
        parent, index = _destination(psd, above, below)
        made = _converted(psd, layer)
        if (parent, index) != (psd, len(psd) - 1):
            made.move_to(parent, index=index)
        _remember(psd, made, layer)
        return _with_new_preview(psd, name)


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
            _dress(_pixel_layer(parent, node), node, number)
        else:
            group = parent.create_group(name="group", blend_mode=BlendMode.NORMAL)
            _dress(group, node, number)
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
            _check_place(node)


def _check_place(layer: Layer) -> None:
    box = layer.box
    if max(box.width, box.height) > MAX_SIDE:
        raise TooLarge(f"the layer {layer.name!r} is {box.width} x {box.height} pixels; a PSD takes at most {MAX_SIDE} a side")
    if max(abs(box.x), abs(box.y)) >= 2**30:
        raise UnwritableFile(
            f"the layer {layer.name!r} lies at {box.x}, {box.y}; a PSD takes at most {2**30} pixels from the canvas"
        )


def _dress(made: PSDLayer, node: Node, number: int) -> None:
    """The name is set last: creating a layer with one outside Mac Roman fails, while the setter writes the Unicode block."""
    made.opacity = round(node.opacity * 255)
    made.blend_mode = BLEND_KEYS[node.blend_mode]
    made.visible = node.visible
    made.name = clean(node.name)
    made.tagged_blocks.set_data(Tag.LAYER_ID, number)


def _attach(psd: PSDImage, key: Resource, data: bytes) -> None:
    psd.image_resources[key] = ImageResource(key=key, data=data)


def _converted(psd: PSDImage, layer: Layer) -> PSDLayer:
    """A new topmost layer with the pixels in the file's colour mode. From an array, as only so alpha stays transparency in a
    file without a transparency channel of its own."""
    _check_place(layer)
    if layer.rgba.size == 0:
        return psd.create_pixel_layer(Image.new(psd.pil_mode, (0, 0)), "layer")
    array = np.dstack([_in_mode(psd, layer.rgba), layer.rgba[..., 3]])
    return psd.create_pixel_layer_from_array(array, "layer", layer.y, layer.x)


def _in_mode(psd: PSDImage, rgba: RGBA) -> NDArray[np.uint8]:
    """The colour of the pixels, in the file's mode: `(H, W, planes)`."""
    icc = psd.image_resources.get_data(Resource.ICC_PROFILE)
    colour = from_srgb(Image.fromarray(rgba).convert("RGB"), MODES[psd.color_mode], icc)
    if colour.mode == "CMYK":  # PSD counts the ink that is left out
        colour = ImageChops.invert(colour)
    return np.dstack([np.asarray(colour.getchannel(band)) for band in range(len(colour.getbands()))])


def _destination(psd: PSDImage, above: str | None, below: str | None) -> tuple[GroupMixin, int]:
    """Where the new layer goes: its parent, and its index there once it is in place."""
    wanted = above if above is not None else below
    if wanted is None:
        return psd, len(psd)
    entries = list(_named(psd, ""))
    _, parent, index = entries[tree.choose([full for full, _, _ in entries], wanted)]
    if above is not None:
        index += 1
        while index < len(parent) and parent[index].clipping:
            index += 1
    else:
        while index > 0 and parent[index].clipping:
            index -= 1
    return parent, index


def _named(parent: GroupMixin, prefix: str) -> Iterator[tuple[str, GroupMixin, int]]:
    """(full name, parent, index) of all layers, top first."""
    for index, layer in reversed(list(enumerate(parent))):
        full = prefix + layer_name(layer)
        yield full, parent, index
        if isinstance(layer, PSDGroup):
            yield from _named(layer, full + "/")


def _remember(psd: PSDImage, made: PSDLayer, layer: Layer) -> None:
    """Give the layer a free id, and its parameters a place among those that the file has."""
    packet = psd.image_resources.get_data(Resource.XMP_METADATA)
    entries: dict[generation_metadata.Id, generation_metadata.Entry | Layer] = dict(
        generation_metadata.parse(xmp.record_text(packet or b""))
    )
    taken = {other.layer_id for other in psd.descendants()} | entries.keys()
    number = next(number for number in count(1) if number not in taken)
    _dress(made, layer, number)
    text = generation_metadata.text(psd.width, psd.height, {**entries, number: layer})
    if text:
        _attach(psd, Resource.XMP_METADATA, xmp.updated(packet or b"", text))


def _with_new_preview(psd: PSDImage, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The file's bytes with a merged picture that shows the new layer, and what that lacks: ours where we draw all that the
    file holds, else psd-tools' slower one, which knows adjustments and CMYK; ours again where psd-tools cannot."""
    for key in _FORGOTTEN:
        psd.image_resources.pop(key, None)
    undrawn = tuple(live_parts(psd))
    ours = psd.color_mode == ColorMode.RGB and psd.depth == 8 and not spare_channels(psd)
    if (ours and not undrawn) or not _drawn_by_psd_tools(psd):
        _draw(psd, read(io.BytesIO(_bytes(psd)), name), compressed=ours)
    else:
        undrawn = ()
    return _bytes(psd), tuple(f"the merged picture in {name} was drawn without {part}" for part in undrawn)


def _drawn_by_psd_tools(psd: PSDImage) -> bool:
    """Whether it could: some adjustments and strokes need libraries that it leaves optional. Its own `save` would then keep
    the old picture and say so only in a log."""
    try:
        psd._update_preview()
    except ImportError:
        return False
    return True


def _draw(psd: PSDImage, document: Document, *, compressed: bool) -> None:
    """Our composition as the merged picture; in the file's colour mode and depth, with its spare channels as they were."""
    header, picture = psd._record.header, psd._record.image_data
    if compressed:
        merged = render_over_white(document.layers, document.box)
        picture.compression = _compression(merged)
        picture.set_data([merged[..., channel].tobytes() for channel in range(header.channels)], header)
        return
    draw = render if has_transparency(psd) else render_over_white  # psd-tools lays the transparent ones over white itself
    merged = draw(document.layers, document.box)
    colour, alpha = _in_mode(psd, merged) / np.float32(255), merged[..., 3:] / np.float32(255)
    picture.set_data(encode_image_data(psd, colour, alpha), header)


def _bytes(psd: PSDImage) -> bytes:
    out = io.BytesIO()
    psd._record.write(out)
    return out.getvalue()
