"""The open image: what is selected, what a layer looks like, and new layers put in as one undo step.

Does not know prompts, jobs or dialogs. Everything here runs on GIMP's main thread.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acetate.plugins.bridge.host import Work
from acetate.plugins.bridge.stack import Folder, Item, Sheet, sheets
from acetate.protocol import Box, Image
from gi.repository import Gegl, Gimp

from . import pixels

PARASITE = "acetate"
"""Generation parameters on a layer, as JSON; persistent, so they survive in XCF files."""


Record = Callable[[Sheet], Mapping[str, Any]]
"""A function that says what to keep on a new layer."""

MODES = {
    "normal": Gimp.LayerMode.NORMAL,
    "dissolve": Gimp.LayerMode.DISSOLVE,
    "darken": Gimp.LayerMode.DARKEN_ONLY,
    "multiply": Gimp.LayerMode.MULTIPLY,
    "color-burn": Gimp.LayerMode.BURN,
    "linear-burn": Gimp.LayerMode.LINEAR_BURN,
    "darker-color": Gimp.LayerMode.LUMA_DARKEN_ONLY,
    "lighten": Gimp.LayerMode.LIGHTEN_ONLY,
    "screen": Gimp.LayerMode.SCREEN,
    "color-dodge": Gimp.LayerMode.DODGE,
    "linear-dodge": Gimp.LayerMode.ADDITION,
    "lighter-color": Gimp.LayerMode.LUMA_LIGHTEN_ONLY,
    "overlay": Gimp.LayerMode.OVERLAY,
    "soft-light": Gimp.LayerMode.SOFTLIGHT,
    "hard-light": Gimp.LayerMode.HARDLIGHT,
    "vivid-light": Gimp.LayerMode.VIVID_LIGHT,
    "linear-light": Gimp.LayerMode.LINEAR_LIGHT,
    "pin-light": Gimp.LayerMode.PIN_LIGHT,
    "hard-mix": Gimp.LayerMode.HARD_MIX,
    "difference": Gimp.LayerMode.DIFFERENCE,
    "exclusion": Gimp.LayerMode.EXCLUSION,
    "subtract": Gimp.LayerMode.SUBTRACT,
    "divide": Gimp.LayerMode.DIVIDE,
    "hue": Gimp.LayerMode.HSV_HUE,
    "saturation": Gimp.LayerMode.HSV_SATURATION,
    "color": Gimp.LayerMode.HSL_COLOR,
    "luminosity": Gimp.LayerMode.LUMINANCE,
    "pass-through": Gimp.LayerMode.PASS_THROUGH,
}
"""GIMP's modes for the documents' blend modes."""


@dataclass(frozen=True)
class Spot:
    """Where a new layer goes in the stack: at `position` of `parent` (`None` is the image itself), 0 on top."""

    parent: Gimp.GroupLayer | None
    position: int


def box_of(layer: Gimp.Layer) -> Box:
    _, x, y = layer.get_offsets()
    return Box(x, y, layer.get_width(), layer.get_height())


def canvas_box(image: Gimp.Image) -> Box:
    return Box(0, 0, image.get_width(), image.get_height())


def folder_of(image: Gimp.Image | None) -> Path | None:
    """The folder of the image's file; `None` when it has none, or none on a disk."""
    file = image.get_file() if image is not None and image.is_valid() else None
    path = file.get_path() if file is not None else None
    return Path(path).parent if path else None


def selection_box(image: Gimp.Image) -> Box | None:
    """The selection's bounding box, `None` when nothing is selected."""
    _, selected, left, top, right, bottom = Gimp.Selection.bounds(image)
    return Box(left, top, right - left, bottom - top) if selected else None


def selection_mask(image: Gimp.Image, box: Box) -> Work[Image]:
    """The selection under the box, one byte a pixel, 255 = selected; 0 outside the canvas. A few rows at a time."""
    rows = []
    for strip in pixels.strips(image.get_selection(), box.x, box.y, box.width, box.height, pixels.MASK):
        rows.append(strip)
        yield
    return Image(box.width, box.height, "gray8", b"".join(rows))


def active_layer(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> Gimp.Layer | None:
    """The first of the layers that a procedure was called for."""
    return next(iter(layers_of_call(image, drawables)), None)


def layers_of_call(image: Gimp.Image, drawables: Sequence[Gimp.Drawable]) -> list[Gimp.Layer]:
    """The layers that a procedure was called for: its drawables, else the image's selected ones; for a mask its layer."""
    found: list[Gimp.Layer] = []
    for drawable in drawables:
        layer = Gimp.Layer.from_mask(drawable) if drawable.is_layer_mask() else drawable
        if layer is not None and layer.is_layer() and layer not in found:
            found.append(layer)
    return found or list(image.get_selected_layers())


@dataclass(frozen=True)
class View:
    """How a layer is looked at."""

    layer: Gimp.Layer
    masked: bool = True
    """With its mask, as it is seen; a new version that takes the mask over must not have it in its pixels as well."""
    own_numbers: bool = False
    """In the image's precision and colour space, for what only interpolates; else as 8-bit sRGB, which networks take."""


def look(view: View, box: Box) -> Work[Image]:
    """The view under the box of the canvas, straight alpha; a few rows at a time."""
    layer = view.layer
    format = pixels.wire_format(layer.get_image()) if view.own_numbers else "rgba8"
    plain = pixels.appearance(layer, box.relative_to(box_of(layer)), masked=view.masked)
    if view.own_numbers:
        pixels.take_for_srgb(plain.get_image())  # then reading the numbers as sRGB changes none
    try:
        rows = []
        for strip in pixels.strips(plain, 0, 0, box.width, box.height, pixels.BABL[format]):
            rows.append(strip)
            yield
        return Image(box.width, box.height, format, b"".join(rows))
    finally:
        plain.get_image().delete()


PLAIN = (Gimp.LayerMode.NORMAL, Gimp.LayerMode.NORMAL_LEGACY)


def hides_what_is_below(layer: Gimp.Layer, box: Box) -> bool:
    """Whether the layer covers all of the box of the canvas: a piece of it on top then looks as if it were in it."""
    plain = not layer.is_group() and layer.get_mask() is None and layer.get_mode() in PLAIN and layer.get_opacity() == 100.0
    return plain and pixels.opaque(layer, box.relative_to(box_of(layer)))


def spot_above(image: Gimp.Image, layer: Gimp.Layer | None) -> Spot:
    """The place directly above the layer, in its group; on top of everything without a layer."""
    if layer is None or not layer.is_valid():
        return Spot(None, 0)
    return Spot(layer.get_parent(), image.get_item_position(layer))


def spot_below(image: Gimp.Image, layer: Gimp.Layer) -> Spot:
    """The place directly below the layer, in its group."""
    return Spot(layer.get_parent(), image.get_item_position(layer) + 1)


@contextlib.contextmanager
def one_undo_step(image: Gimp.Image) -> Iterator[None]:
    """A context in which everything that is done to the image is one undo step."""
    image.undo_group_start()
    try:
        yield
    finally:
        image.undo_group_end()


def grow(image: Gimp.Image, boxes: Sequence[Box]) -> None:
    """Enlarge the canvas so that it holds the boxes; what lies on it stays where it is."""
    whole = canvas_box(image)
    for box in boxes:
        whole = whole.union(box)
    if whole != canvas_box(image):
        image.resize(whole.width, whole.height, -whole.x, -whole.y)


def insert(image: Gimp.Image, spot: Spot, item: Item, record: Record) -> list[Gimp.Layer]:
    """Put the item in, a layer or a group; return the layers with pixels, lowest first. The caller holds the undo step.

    Afterwards the new item is the selected one, as after any new layer. If anything fails, nothing new stays in the image.
    """
    made: list[Gimp.Layer] = []
    before = _items(image, spot)
    try:
        top = _insert(image, spot, item, record, made)
    except BaseException:
        for layer in _items(image, spot):
            if layer not in before:
                image.remove_layer(layer)
        raise
    image.set_selected_layers([top])
    return made


def hide(layer: Gimp.Layer) -> None:
    """Make the layer invisible, as part of the undo step that is open; a layer that is gone is ignored."""
    if layer.is_valid():
        layer.set_visible(False)


def inserted_name(layers: Sequence[Gimp.Layer]) -> str:
    """The name in the stack of what was inserted last: the layer's, or that of the group that holds them all."""
    image = layers[0].get_image()
    selected = image.get_selected_layers() if image is not None else ()
    return str(selected[0].get_name()) if selected else ""


def _items(image: Gimp.Image, spot: Spot) -> list[Gimp.Layer]:
    return list(spot.parent.get_children() if spot.parent is not None else image.get_layers())


def _insert(image: Gimp.Image, spot: Spot, item: Item, record: Record, made: list[Gimp.Layer]) -> Gimp.Layer:
    if isinstance(item, Sheet):
        layer = _new_layer(image, item)
        attach(layer, record(item))
        made.append(layer)
    else:
        layer = Gimp.GroupLayer.new(image, item.name)
    _blend(layer, item)
    image.insert_layer(layer, spot.parent, spot.position)
    for inner in item.items if isinstance(item, Folder) else ():
        _insert(image, Spot(layer, 0), inner, record, made)
    return layer


def _new_layer(image: Gimp.Image, sheet: Sheet) -> Gimp.Layer:
    """A layer of the whole box with the crop's pixels in it; not yet in the image, so that writing needs no undo."""
    box = sheet.ready.layer.box
    gray = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = Gimp.ImageType.GRAYA_IMAGE if gray else Gimp.ImageType.RGBA_IMAGE
    layer = Gimp.Layer.new(image, sheet.name, box.width, box.height, kind, 100.0, Gimp.LayerMode.NORMAL)
    _write(layer, sheet)
    layer.set_offsets(box.x, box.y)
    return layer


def _write(layer: Gimp.Layer, sheet: Sheet) -> None:
    sent, box = sheet.ready.layer, sheet.ready.layer.box
    place = sent.x - box.x, sent.y - box.y
    pixels.write(layer, *place, sent.width, sent.height, pixels.BABL[sent.format], sheet.ready.data)


def in_own_numbers(layers: Sequence[Gimp.Layer], item: Item) -> None:
    """Write the pixels of the item's sheets into their layers again, as numbers in the image's own colour space."""
    for layer, sheet in zip(layers, sheets(item), strict=True):
        hidden = pixels.hidden_image(layer.get_image())
        pixels.take_for_srgb(hidden)
        plain = Gimp.Layer.new(hidden, "numbers", layer.get_width(), layer.get_height(), layer.type(), 100.0, PLAIN[0])
        hidden.insert_layer(plain, None, 0)
        try:
            _write(plain, sheet)
            if (profile := layer.get_image().get_color_profile()) is not None:
                hidden.set_color_profile(profile)  # the numbers stay and mean what they meant in the original
                plain = Gimp.Layer.new_from_drawable(plain, hidden)  # libgimp asks for a new layer's colour space only once
            whole = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
            plain.get_buffer().copy(whole, Gegl.AbyssPolicy.NONE, layer.get_buffer(), whole)
            layer.get_buffer().flush()
            layer.update(0, 0, layer.get_width(), layer.get_height())
        finally:
            hidden.delete()


def _blend(layer: Gimp.Layer, item: Item) -> None:
    """Composite in sRGB-encoded values, as Krita, Photoshop and PSD do; GIMP's own default for new layers is linear light."""
    layer.set_mode(MODES.get(item.blend_mode, Gimp.LayerMode.NORMAL))
    layer.set_composite_space(Gimp.LayerColorSpace.RGB_PERCEPTUAL)
    layer.set_blend_space(Gimp.LayerColorSpace.RGB_PERCEPTUAL)
    layer.set_opacity(100.0 * item.opacity)
    layer.set_visible(item.visible)


def attach(layer: Gimp.Layer, record: Mapping[str, Any]) -> None:
    """Keep generation parameters on the layer. Plain ASCII: the binding takes bytes as signed numbers."""
    text = json.dumps(record, ensure_ascii=True, separators=(",", ":"))
    flags = Gimp.PARASITE_PERSISTENT | Gimp.PARASITE_UNDOABLE
    layer.attach_parasite(Gimp.Parasite.new(PARASITE, flags, text.encode("ascii")))


def attached(layer: Gimp.Layer | None) -> dict[str, Any]:
    """The generation parameters of a layer, or of the first layer in a group that has some; empty without any."""
    if layer is None:
        return {}
    parasite = layer.get_parasite(PARASITE)
    if parasite is not None:
        with contextlib.suppress(ValueError):
            record = json.loads(bytes(byte & 0xFF for byte in parasite.get_data()))
            if isinstance(record, dict):
                return record
    for child in layer.get_children() if layer.is_group() else ():
        if record := attached(child):
            return record
    return {}
