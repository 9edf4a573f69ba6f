"""One more layer in somebody else's PSD: every other layer stays byte for byte, and so does the merged picture outside its box.

The picture that the file holds was drawn by Photoshop, with all that we do not know. A layer on top is blended straight onto it;
below others, the layers that meet in its box are drawn anew there, by us.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import count
from typing import Any

import numpy as np
from acetate.raster import Pixels, scale_of, to_8_bits, to_16_bits
from acetate.vocabulary.box import Box
from PIL import Image, ImageChops
from psd_tools import PSDImage
from psd_tools.api.layers import AdjustmentLayer, Artboard, FillLayer, GroupMixin, PixelLayer
from psd_tools.api.layers import Group as PSDGroup
from psd_tools.api.layers import Layer as PSDLayer
from psd_tools.api.utils import has_transparency
from psd_tools.constants import BlendMode, ColorMode, Resource
from psd_tools.psd.layer_and_mask import LayerRecord

from .. import tree
from ..composition.blending import BLENDS, SEPARABLE
from ..composition.colour import from_srgb
from ..composition.compose import render_over_white
from ..composition.deep_colour import from_srgb16
from ..errors import UnsupportedFile
from ..formats import generation_metadata, xmp
from ..layer import Layer
from ..tree import NodePath, Place
from . import thumbnail
from .looks import effects, masks
from .looks.records import layer_name, live_parts, reaches
from .merged_picture import Samples, StoredPicture
from .opening import check_layers, open_psd, psd_decoding
from .reading import blending_space, nodes_in, read
from .writing import attach, check_place, dress

MODES = {ColorMode.RGB: "RGB", ColorMode.GRAYSCALE: "L", ColorMode.CMYK: "CMYK", ColorMode.LAB: "LAB"}
"""The colour modes in which a PSD can have layers, as Pillow calls them (duotone has ink curves that are not documented)."""
DIFFERENCE = 8
"""Levels by which our drawing may differ from the stored picture before it is said: rounding and dithering stay below."""


def insert(data: bytes, layer: Layer, name: str, place: Place) -> tuple[bytes, tuple[str, ...]]:
    """The file with one layer more, in its colour mode and depth and otherwise unchanged; and what its merged picture lacks.

    Clipped layers stay with their base, as in `tree.placed`. Raises `UnsupportedFile` for other colour modes and depths.
    """
    with psd_decoding(name):
        psd = open_psd(io.BytesIO(data), name)
        if psd.color_mode not in MODES or psd.depth not in (8, 16):
            kind = f"{psd.depth}-bit {psd.color_mode.name.lower()}"
            raise UnsupportedFile(f"{name} is {kind}; a layer can be added to 8- and 16-bit RGB, gray, CMYK and Lab files")
        if len(psd) == 0:  # its merged picture is all it has
            _keep_as_layer(psd, name)
        parent, index = _destination(psd, place, clipped=layer.clipped)
        hidden = [node for node in (_at(psd, path) for path in place.hide) if node.visible]
        made = _converted(psd, layer)
        if layer.mask is not None:
            masks.attach(layer.mask, made._record, made._channels, psd.depth)
        if (parent, index) != (psd, len(psd) - 1):
            made.move_to(parent, index=index)
        check_layers(psd, name)
        _remember(psd, made, layer)
        notes = _show(psd, made, layer, hidden, name)
        if layer.rgba.dtype == np.uint16 and psd.depth == 8:
            notes = (*notes, f"{name} has 8 bits per channel, to which the 16 of the new layer were reduced")
        return _bytes(psd), notes


def _keep_as_layer(psd: PSDImage, name: str) -> None:
    """Make the picture of a flat file its lowest layer, as *Layer from Background* does: bit for bit where it is opaque."""
    if has_transparency(psd):  # stored over white, which a layer is not
        for background in read(io.BytesIO(_bytes(psd)), name).layers:
            assert isinstance(background, Layer)
            dress(_converted(psd, background), background, 1)
        return
    record = LayerRecord(0, 0, psd.height, psd.width, name="layer")
    info, channels = StoredPicture(psd).as_layer(ColorMode.channels(psd.color_mode))
    record.channel_info += info
    made = PixelLayer(psd, record, channels)
    psd.append(made)
    dress(made, Layer(np.zeros((0, 0, 4), np.uint8), name="Background"), 1)


def _converted(psd: PSDImage, layer: Layer) -> PSDLayer:
    """A new topmost layer with the pixels in the file's colour mode. From an array, as only so alpha stays transparency in a
    file without a transparency channel of its own."""
    check_place(layer, psd.version)
    if layer.rgba.size == 0:
        return psd.create_pixel_layer(Image.new(psd.pil_mode, (0, 0)), "layer")
    alpha = layer.rgba[..., 3]
    array = np.dstack([_in_mode(psd, layer.rgba), to_16_bits(alpha) if psd.depth == 16 else to_8_bits(alpha)])
    return psd.create_pixel_layer_from_array(array, "layer", layer.y, layer.x)


def _in_mode(psd: PSDImage, rgba: Pixels) -> Pixels:
    """The colour of the pixels, in the file's mode and depth: `(H, W, planes)`."""
    icc, mode = psd.image_resources.get_data(Resource.ICC_PROFILE), MODES[psd.color_mode]
    if psd.depth == 16:
        deep = from_srgb16(np.moveaxis(to_16_bits(rgba)[..., :3], -1, 0), mode, icc)
        return np.moveaxis(np.uint16(65535) - deep if mode == "CMYK" else deep, 0, -1)
    colour = from_srgb(Image.fromarray(to_8_bits(rgba)).convert("RGB"), mode, icc)
    if colour.mode == "CMYK":  # PSD counts the ink that is left out
        colour = ImageChops.invert(colour)
    return np.dstack([np.asarray(colour.getchannel(band)) for band in range(len(colour.getbands()))])


def _destination(psd: PSDImage, place: Place, *, clipped: bool) -> tuple[GroupMixin, int]:
    """Where the new layer goes, as by `tree.placed`: its parent, and its index there once it is in place."""
    wanted = place.beside
    if wanted is None:
        return psd, len(psd)
    if isinstance(wanted, str):
        entries = list(_named(psd, ""))
        _, parent, index = entries[tree.choose([full for full, _, _ in entries], wanted)]
    else:
        parent, index = _at(psd, wanted[:-1]), wanted[-1]
    siblings = [bool(one._record.clipping) and not clipped for one in parent]
    return parent, tree.beside(siblings, index, above=place.above is not None)


def _at(psd: PSDImage, path: NodePath) -> Any:
    node: Any = psd
    for index in path:
        node = node[index]
    return node


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
    dress(made, layer, number)
    text = generation_metadata.text(psd.width, psd.height, {**entries, number: layer})
    if text:
        attach(psd, Resource.XMP_METADATA, xmp.updated(packet or b"", text))


def _show(psd: PSDImage, made: PSDLayer, layer: Layer, hidden: Sequence[PSDLayer], name: str) -> tuple[str, ...]:
    """Hide those that are to be `hidden`, and bring the merged picture and the thumbnail up to date; returns what the picture
    lacks, for the person."""
    canvas = Box(0, 0, psd.width, psd.height)
    turned = [node for node in (made, *hidden) if node.is_visible()]
    box = reduce(Box.union, (_reach(node, canvas) for node in turned), Box(0, 0, 0, 0)).intersection(canvas)
    if box.empty:
        _turn(hidden)
        return ()
    picture = StoredPicture(psd)
    before = picture.read(box)
    if hidden or _covered(psd, made, layer, box):
        after, notes = _drawn_anew(psd, made, hidden, before, box, name)
    else:
        after, notes = _laid_over(psd, before, layer, box, name)
    picture.write(box, after)
    thumbnail.refresh(psd, picture, box)
    if not psd.has_preview():
        blank = f"{name} was saved without a merged picture, so programs that read no layers show only the new one"
        notes = (*notes, f"{blank}; in Photoshop, save it with 'Maximize Compatibility'")
    return notes


def _reach(node: PSDLayer, canvas: Box) -> Box:
    """Where the layer shows; what has no pixels of its own, and effects, may reach anywhere."""
    anywhere = isinstance(node, AdjustmentLayer | FillLayer) or node.has_effects()
    return canvas if anywhere else Box(node.left, node.top, max(0, node.width), max(0, node.height))


def _turn(nodes: Sequence[PSDLayer]) -> None:
    """Show what is hidden, and hide what is shown."""
    for node in nodes:
        node.visible = not node.visible


def _covered(psd: PSDImage, made: PSDLayer, layer: Layer, box: Box) -> bool:
    """Whether anything above the new layer, a group around it, or its base, decides how it looks."""
    plain_modes = [BlendMode.PASS_THROUGH] + [BlendMode.NORMAL] * (layer.blend_mode == "normal")
    if layer.clipped:
        return True
    node: Any = made  # psd-tools describes parents by protocols that its own functions do not take
    while node is not psd:
        parent = node.parent
        if any(reaches(other, box) for other in parent[parent.index(node) + 1 :]):
            return True
        if parent is not psd and not _is_plain(parent, plain_modes):
            return True
        node = parent
    return False


def _is_plain(group: PSDGroup, modes: list[BlendMode]) -> bool:
    """Whether a layer on top inside the group looks as it would outside."""
    faded = group.opacity < 255 or group.fill_opacity < 255
    shaped = group.has_mask() or group.has_vector_mask() or group._record.clipping or isinstance(group, Artboard)
    return group.blend_mode in modes and not (faded or shaped or effects.shows_effects(group))


def _laid_over(psd: PSDImage, before: Samples, layer: Layer, box: Box, name: str) -> tuple[Samples, tuple[str, ...]]:
    """The samples of the box with the layer over them. Stored colour lies over white, so that normal mode needs no alpha."""
    planes, scale = ColorMode.channels(psd.color_mode), np.float32(2**psd.depth - 1)
    notes: tuple[str, ...] = ()
    pixels = layer.rgba[box.relative_to(layer.box).slices]
    source = np.moveaxis(_in_mode(psd, pixels), -1, 0) / scale
    cover = pixels[..., 3] * np.float32(layer.opacity / scale_of(pixels))
    if layer.mask is not None and layer.mask.enabled:
        cover *= layer.mask.coverage(box)
    stored = before[:planes] / scale
    with_alpha = has_transparency(psd)
    alpha = before[planes] / scale if with_alpha else np.ones_like(cover)
    mix = BLENDS.get(layer.blend_mode)
    if mix is not None and (psd.color_mode == ColorMode.RGB or layer.blend_mode in SEPARABLE and MODES[psd.color_mode] != "LAB"):
        straight = np.clip((stored - (1 - alpha)) / np.maximum(alpha, np.float32(1e-6)), 0, 1).astype(np.float32)
        source = (1 - alpha) * source + alpha * mix(straight, source.astype(np.float32))
    elif mix is not None:
        where = f"{psd.color_mode.name.lower()}, in which we cannot mix {layer.blend_mode!r}"
        notes = (f"the merged picture in {name} shows the new layer as normal: it is {where}",)
    laid = (stored * (1 - cover) + source * cover) * scale
    after = before.copy()
    # Rounded up where readers take the white out again and cut off fractions.
    after[:planes] = np.where(cover > 0, np.ceil(laid - np.float32(1e-2)) if with_alpha else np.rint(laid), before[:planes])
    if with_alpha:
        after[planes] = np.rint((alpha + cover * (1 - alpha)) * scale)
    return after, notes


def _drawn_anew(
    psd: PSDImage, made: PSDLayer, hidden: Sequence[PSDLayer], before: Samples, box: Box, name: str
) -> tuple[Samples, tuple[str, ...]]:
    """The samples of the box as we draw them, where the new layer, or hiding others, makes a difference to that; as they were
    elsewhere."""
    planes, space = ColorMode.channels(psd.color_mode), blending_space(psd)
    shown = [made] if made.visible else []
    _turn(shown)
    without = render_over_white(nodes_in(psd, box), box, psd.depth, space)
    _turn([*shown, *hidden])
    drawn = render_over_white(nodes_in(psd, box), box, psd.depth, space)
    changed = (drawn != without).any(axis=-1)
    after = before.copy()
    after[:planes] = np.where(changed, np.moveaxis(_in_mode(psd, drawn), -1, 0), before[:planes])
    if has_transparency(psd):
        after[planes] = np.where(changed, drawn[..., 3], before[planes])
    where = f"where the new layer lies, the merged picture in {name} was drawn"
    notes = tuple(f"{where} without {part}" for part in live_parts(psd, box))
    expected = np.moveaxis(_in_mode(psd, without), -1, 0).astype(np.int32)
    levels = DIFFERENCE << (psd.depth - 8)
    other = (np.abs(expected - before[:planes]).max(axis=0) > levels) & changed
    if not notes and other.mean() > 0.01:
        notes = (f"{where} by us, and differs from what the file showed before in {other.mean():.0%} of it",)
    return after, notes


def _bytes(psd: PSDImage) -> bytes:
    out = io.BytesIO()
    psd._record.write(out)
    return out.getvalue()
