"""The open document: where its layers lie, what is selected, what a layer looks like, and what it remembers.

Does not know prompts, jobs or widgets. Everything runs on Krita's main thread; what may take long is a generator that does a
few milliseconds of work between two `yield`s (`host.Work`). Takes Krita's objects as they are and imports nothing of Krita, so
that the same tests run against a fake and against the real program.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any

from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.surroundings import Spot, Surroundings
from acetate.plugins.bridge.translations import _
from acetate.protocol import Box

from .colours import WIRE, Scratch, colour_of, is_wire, native

STRIP_PIXELS = 1 << 19
"""The pixels that are written or read at once: about 3 ms for 8-bit RGBA (Krita 5.2.9)."""
CONVERTED_PIXELS = 1 << 16
"""The pixels that Krita converts at once: about 15 ms, most of it per call."""

BOUNDLESS = ("filllayer", "filterlayer", "adjustmentlayer", "generatorlayer")
"""Layers without an extent of their own: they fill the canvas."""


# --- what is there ---------------------------------------------------------------------------------------------------


def is_open(app: Any, document: Any) -> bool:
    """Whether the document is still open. Wrappers outlive their documents; equality compares the documents."""
    return any(document == one for one in app.documents())


def canvas_box(document: Any) -> Box:
    return Box(0, 0, document.width(), document.height())


def selection_of(document: Any) -> Any | None:
    """What is selected: the active layer's own selection if it has one, as Krita sees it, else the document's; or `None`."""
    layer = active_layer(document)
    own = [one for one in layer.childNodes() if one.type() == "selectionmask" and one.visible()] if layer is not None else []
    return own[-1].selection() if own else document.selection()


def selection_box(document: Any) -> Box | None:
    """The selection's bounding box, which may reach beyond the canvas; `None` when nothing is selected."""
    selection = selection_of(document)
    if selection is None or selection.width() <= 0 or selection.height() <= 0:
        return None
    return Box(selection.x(), selection.y(), selection.width(), selection.height())


def active_layer(document: Any) -> Any | None:
    """The active layer; for a mask the layer it belongs to. `None` in a document that was only just opened."""
    node = document.activeNode()
    while node is not None and node.type().endswith("mask"):
        node = node.parentNode()
    return node


def identity(node: Any) -> str:
    """The id of a layer, the same for every wrapper of it and after saving and reopening."""
    return str(node.uniqueId().toString())


def find(document: Any, wanted: str) -> Any | None:
    """The layer with that identity; `None` when it is gone."""
    root = document.rootNode()
    if root is None:
        return None
    return document.nodeByUniqueID(type(root.uniqueId())(wanted))


def identities(document: Any) -> set[str]:
    """The identities of all layers that are in the document."""
    return {identity(node) for node in _nodes(document)}


def _nodes(document: Any) -> Iterator[Any]:
    """All layers of the document; none when it was closed."""
    root = document.rootNode()
    waiting = list(root.childNodes()) if root is not None else []
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.childNodes()


SPOTS = 16
"""How many layers are remembered to tell what becomes of the canvas."""


def surroundings(document: Any) -> Surroundings:
    """Where the canvas and some of the layers with pixels lie."""
    plain = islice((node for node in _nodes(document) if node.type() == "paintlayer"), SPOTS)
    return Surroundings(canvas_box(document), {identity(node): _spot(node) for node in plain})


def _spot(node: Any) -> Spot:
    bounds, origin = node.bounds(), node.position()
    return Spot(Box(bounds.x(), bounds.y(), max(0, bounds.width()), max(0, bounds.height())), (origin.x(), origin.y()))


def hidden_group(node: Any) -> Any | None:
    """The hidden group that the layer is in, at any depth; `None` where all are shown."""
    parent = node.parentNode()
    while parent is not None and parent.visible():
        parent = parent.parentNode()
    return parent


def layer_below(node: Any) -> Any | None:
    """The layer directly below in the same group; `None` for the lowest."""
    beside = node.parentNode().childNodes()
    at = next((index for index, one in enumerate(beside) if one == node), 0)
    return beside[at - 1] if at > 0 else None


def layer_names(document: Any) -> dict[str, str]:
    """The names of all layers by their identities, the uppermost first; without masks."""
    return {identity(node): node.name() for node in reversed(list(_nodes(document))) if not node.type().endswith("mask")}


def layer_box(document: Any, node: Any) -> Box | None:
    """The extent of what the layer shows, which may reach beyond the canvas; `None` when it is empty."""
    if node.type() in BOUNDLESS:
        return canvas_box(document)
    bounds = node.bounds()
    return Box(bounds.x(), bounds.y(), bounds.width(), bounds.height()) if bounds.width() > 0 and bounds.height() > 0 else None


# --- reading ---------------------------------------------------------------------------------------------------------


def read_selection(document: Any, box: Box) -> Generator[None, None, bytearray]:
    """The selection under the box, one byte a pixel, 255 = selected; all 0 without a selection."""
    selection, mask = selection_of(document), bytearray()
    if selection is None:
        return bytearray(box.width * box.height)
    for top, rows in strips(box, 4 * STRIP_PIXELS):
        mask += selection.pixelData(box.x, box.y + top, box.width, rows).data()
        yield
    return mask


def read_layer(document: Any, node: Any, box: Box, *, unmasked: bool = False) -> Generator[None, None, bytearray]:
    """How the layer looks by itself under the box, as `bgra8`; transparent outside its extent.

    A plain paint layer gives its own pixels, with their colour also where they are transparent; others (groups, vectors, layers
    with masks) what they show. `unmasked` means a paint layer's own pixels also where it has masks.
    """
    plain = node.type() == "paintlayer" and (unmasked or not node.childNodes())
    read = node.pixelData if plain else node.projectionPixelData
    colour = colour_of(node)
    scratch = None if is_wire(colour) else Scratch(document)
    pixels = bytearray()  # grows strip by strip: joining 64 MB at the end, or making them at the beginning, is 40 ms in one piece
    try:
        for top, rows in strips(box, STRIP_PIXELS if scratch is None else CONVERTED_PIXELS):
            data = read(box.x, box.y + top, box.width, rows).data()
            pixels += data if scratch is None else scratch.convert(data, box.width, rows, colour, WIRE)
            yield
    finally:
        if scratch is not None:
            scratch.close()
    return pixels


def read_native(node: Any, box: Box) -> Generator[None, None, tuple[str, bytearray]]:
    """A paint layer's own numbers under the box in more than 8 bits: the wire's format and the pixels. Only for what has a
    `colours.native`."""
    way = native(colour_of(node))
    assert way is not None, "plans ask for it only where there is one"
    pixels = bytearray()
    for top, rows in strips(box, CONVERTED_PIXELS):
        pixels += way.to_wire(node.pixelData(box.x, box.y + top, box.width, rows).data())
        yield
    return way.format, pixels


def strips(box: Box, pixels: int) -> list[tuple[int, int]]:
    """The box's rows in parts of at most `pixels`: first row and number of rows."""
    rows = max(1, pixels // box.width)
    return [(top, min(rows, box.height - top)) for top in range(0, box.height, rows)]


# --- what cannot be done ---------------------------------------------------------------------------------------------


def required_box(document: Any, node: Any | None, what: str) -> Box:
    """The box to read of a layer that a task works on, without parts far beyond the canvas. Raises `RefusedError`."""
    if node is None:
        raise RefusedError(_("No layer is active. Select {what} in the Layers docker.").format(what=what))
    box = layer_box(document, node)
    if box is None:
        raise RefusedError(_("The layer “{name}” is empty. Select {what}.").format(name=node.name(), what=what))
    if node.type() == "paintlayer":
        return box
    seen = box.intersection(canvas_box(document))
    if seen.empty:
        raise RefusedError(_("The layer “{name}” lies outside the canvas. Select {what}.").format(name=node.name(), what=what))
    return seen
