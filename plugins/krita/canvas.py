"""The open document: what is selected, what a layer looks like, and new layers put in as one undo step.

Does not know prompts, jobs or widgets. Everything runs on Krita's main thread; what may take long is a generator that does a
few milliseconds of work between two `yield`s (`host.Work`). Takes Krita's objects as they are and imports nothing of Krita, so
that the same tests run against a fake and against the real program.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

from acetate.plugins.bridge.host import DocumentClosedError, RefusedError
from acetate.plugins.bridge.stack import Folder, Item, Sheet
from acetate.protocol import Box

from . import blending
from .colours import WIRE, Encoder, Scratch, colour_of, encoder, is_wire

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


def selection_box(document: Any) -> Box | None:
    """The selection's bounding box, which may reach beyond the canvas; `None` when nothing is selected."""
    selection = document.selection()
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
    return next((node for node in _nodes(document) if identity(node) == wanted), None)


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


def layer_box(document: Any, node: Any) -> Box | None:
    """The extent of what the layer shows, which may reach beyond the canvas; `None` when it is empty."""
    if node.type() in BOUNDLESS:
        return canvas_box(document)
    bounds = node.bounds()
    return Box(bounds.x(), bounds.y(), bounds.width(), bounds.height()) if bounds.width() > 0 and bounds.height() > 0 else None


# --- reading ---------------------------------------------------------------------------------------------------------


def read_selection(document: Any, box: Box) -> Generator[None, None, bytearray]:
    """The selection under the box, one byte a pixel, 255 = selected; all 0 without a selection."""
    selection, mask = document.selection(), bytearray()
    if selection is None:
        return bytearray(box.width * box.height)
    for top, rows in strips(box, 4 * STRIP_PIXELS):
        mask += selection.pixelData(box.x, box.y + top, box.width, rows).data()
        yield
    return mask


def read_layer(document: Any, node: Any, box: Box) -> Generator[None, None, bytearray]:
    """How the layer looks by itself under the box, as `bgra8`; transparent outside its extent.

    A plain paint layer gives its own pixels, with their colour also where they are transparent; others (groups, vectors, layers
    with masks) what they show.
    """
    plain = node.type() == "paintlayer" and not node.childNodes()
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


def strips(box: Box, pixels: int) -> list[tuple[int, int]]:
    """The box's rows in parts of at most `pixels`: first row and number of rows."""
    rows = max(1, pixels // box.width)
    return [(top, min(rows, box.height - top)) for top in range(0, box.height, rows)]


# --- writing ---------------------------------------------------------------------------------------------------------


def insert(app: Any, document: Any, item: Item, anchor: str | None, *, below: bool = False) -> Generator[None, None, Any]:
    """Put the item in directly above the layer of that identity, inside its group; on top when that is gone. Returns the node.

    With `below` it goes directly below instead, unless that layer `is_lowest`. All pixels are written before the
    layer joins the document, which so sees one change and gets one undo step. Raises `DocumentClosedError` when the document was
    closed in the meantime.
    """
    build = _Build(app, document)
    try:
        node = yield from build.node(item)
        parent, lower = _spot(document, anchor, below)
        parent.addChildNode(node, lower)
        if not is_open(app, document):  # Krita takes events while it adds a layer, and one of them may have closed the document
            raise DocumentClosedError
        if isinstance(item, Folder):  # Krita does not merge a group that comes with its layers (seen in 5.1 and 5.2)
            yield  # at 4096 x 4096 the one takes Krita 130 to 200 ms, the other 170 to 600 (5.2): not both in one turn
            if not is_open(app, document):
                raise DocumentClosedError
            document.refreshProjection()
        return node
    finally:
        build.close()


def is_lowest(document: Any, wanted: str) -> bool:
    """Whether nothing lies below the layer in its group. Krita gives plug-ins no way to put anything there in one undo step."""
    node = find(document, wanted)
    return node is not None and _next_lower(node) is None


def _spot(document: Any, wanted: str | None, below: bool) -> tuple[Any, Any | None]:
    """The parent and the node to put something above; `None` means on top."""
    anchor = find(document, wanted) if wanted is not None else None
    if anchor is None:
        return document.rootNode(), None
    return anchor.parentNode(), (_next_lower(anchor) if below else None) or anchor


def _next_lower(node: Any) -> Any | None:
    siblings = node.parentNode().childNodes()
    place = [identity(one) for one in siblings].index(identity(node))
    return siblings[place - 1] if place else None


class _Build:
    """Makes detached nodes of one document."""

    def __init__(self, app: Any, document: Any) -> None:
        self._app, self._document = app, document
        self._colour = colour_of(document)
        self._encode: Encoder | None = encoder(self._colour)
        self._scratch: Scratch | None = None

    def node(self, item: Item) -> Generator[None, None, Any]:
        mode = blending.krita_mode(item.blend_mode)
        if isinstance(item, Folder):
            children = []
            for inner in item.items:
                children.append((yield from self.node(inner)))
            node = self._document.createGroupLayer(item.name) if mode is None else self._copy().group(item.name, mode)
            node.setChildNodes(children)  # unlike addChildNode this is not an undo step
            node.setPassThroughMode(item.blend_mode == blending.PASS_THROUGH)
        else:
            node = self._document.createNode(item.name, "paintlayer") if mode is None else self._copy().layer(item.name, mode)
            yield from self._write(node, item)
        node.setOpacity(round(255 * item.opacity))
        node.setVisible(item.visible)
        return node

    def close(self) -> None:
        if self._scratch is not None:
            self._scratch.close()

    def _write(self, node: Any, sheet: Sheet) -> Generator[None, None, None]:
        layer = sheet.ready.layer
        if layer.format != "bgra8":
            raise ValueError(f"the layer's format is {layer.format!r}; bgra8 was asked for")
        box = Box(layer.x, layer.y, layer.width, layer.height)
        size, pixels = len(node.pixelData(0, 0, 1, 1).data()), memoryview(sheet.ready.data)
        for top, rows in strips(box, STRIP_PIXELS if self._encode is not None else CONVERTED_PIXELS):
            wire = bytes(pixels[4 * box.width * top : 4 * box.width * (top + rows)])
            data = self._native(wire, box.width, rows)
            if len(data) != size * box.width * rows:  # Krita would silently write nothing
                raise ValueError(f"{len(data)} bytes for {box.width} x {rows} pixels of {size} bytes in {self._colour}")
            node.setPixelData(data, box.x, box.y + top, box.width, rows)
            yield
            if not is_open(self._app, self._document):  # a closed document makes no nodes any more
                raise DocumentClosedError

    def _native(self, wire: bytes, width: int, rows: int) -> bytes:
        if self._encode is not None:
            return self._encode(wire)
        return self._copy().convert(wire, width, rows, WIRE, self._colour)

    def _copy(self) -> Scratch:
        if self._scratch is None:
            self._scratch = Scratch(self._document)
        return self._scratch


# --- what cannot be done ---------------------------------------------------------------------------------------------


def required_box(document: Any, node: Any | None, what: str) -> Box:
    """The box to read of a layer that a task works on, without parts far beyond the canvas. Raises `RefusedError`."""
    if node is None:
        raise RefusedError(f"No layer is active. Select {what} in the Layers docker.")
    box = layer_box(document, node)
    if box is None:
        raise RefusedError(f"The layer “{node.name()}” is empty. Select {what}.")
    if node.type() == "paintlayer":
        return box
    seen = box.intersection(canvas_box(document))
    if seen.empty:
        raise RefusedError(f"The layer “{node.name()}” lies outside the canvas. Select {what}.")
    return seen
