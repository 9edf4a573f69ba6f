"""New layers put into the open document as one undo step, by themselves or as a new version of a layer.

Knows finished layers and Krita's nodes; knows no job and no widget. All pixels are written to detached nodes, a strip between two
`yield`s (`host.Work`); the document sees one change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from acetate.plugins.bridge.host import DocumentClosedError
from acetate.plugins.bridge.shape import place_of
from acetate.plugins.bridge.stack import Folder, Item, Sheet
from acetate.protocol import Box

from ..canvas import CONVERTED_PIXELS, STRIP_PIXELS, find, identity, is_open, strips
from ..colours import WIRE, Colour, Encoder, Scratch, colour_of, encoder, native
from . import blending
from .masks import masks_of, transparency_mask

Pause = Callable[[], Generator[None, None, None]]
"""Waits until the document may be changed."""

FAR = -(1 << 20)
"""Where no one paints: a layer that has something there has it everywhere."""


def no_pause() -> Generator[None, None, None]:
    yield from ()


@dataclass(frozen=True)
class Unchanged:
    """What stays of a layer to the bit, in whatever depth and colours: all that is 0 in the mask, and all outside its box."""

    mask: bytes
    box: Box


@dataclass(frozen=True)
class Version:
    """The layer that a new one is another version of, in its place and with all that it has besides its pixels."""

    of: Any
    masks: bool = True
    """Whether its masks are taken over; otherwise they are in the new pixels already."""
    hides: bool = False
    """Whether it is made invisible by the same change; what the undo history does with that is `replacing`'s."""
    unchanged: Unchanged | None = None
    """What the new one keeps of its pixels; `None` is nothing."""


def insert(
    app: Any,
    document: Any,
    item: Item,
    anchor: str | None,
    *,
    below: bool = False,
    version: Version | None = None,
    selection: Any | None = None,
    pause: Pause = no_pause,
) -> Generator[None, None, Any]:
    """Put the item in directly above the layer of that identity, inside its group; on top when that is gone. Returns the node.

    With `below` it goes directly below instead, unless that layer `is_lowest`. A `selection` becomes its transparency mask. The
    document is changed after `pause`. Raises `DocumentClosedError` when the document was closed in the meantime.
    """
    build = _Build(app, document)
    try:
        node = yield from (build.node(item) if version is None else build.version(item, version))
        if selection is not None:
            node.setChildNodes([*node.childNodes(), transparency_mask(document, node.name(), selection)])
        yield from pause()
        if not is_open(app, document):
            raise DocumentClosedError
        parent, lower = _spot(document, anchor, below)
        if version is not None and version.hides:  # before: the new one's arrival draws the place anew
            version.of.setVisible(False)
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
        self._scratch: Scratch | None = None

    def node(self, item: Item) -> Generator[None, None, Any]:
        return (yield from self._made(item, blending.krita_mode(item.blend_mode)))

    def version(self, item: Item, version: Version) -> Generator[None, None, Any]:
        """The item with all that the other layer has: as its copy with other pixels, where it is a layer of plain pixels."""
        old = version.of
        if isinstance(item, Sheet) and _is_plain(old):
            node = old.duplicate()
            if version.unchanged is None:
                yield from self._clear(node)
                yield from self._write(node, item, colour_of(node))
            else:
                yield from self._write_inside(node, item, version.unchanged)
        else:
            mode = old.blendingMode()
            node = yield from self._made(item, None if mode == "normal" else mode)
            node.setOpacity(old.opacity())
            node.setColorLabel(old.colorLabel())
            node.setInheritAlpha(old.inheritAlpha())
            node.setLocked(old.locked())
            if style := old.layerStyleToAsl():
                node.setLayerStyleFromAsl(style)
            if version.masks:
                node.setChildNodes([*node.childNodes(), *masks_of(old)])
        node.setName(old.name())
        node.setVisible(True)
        return node

    def close(self) -> None:
        if self._scratch is not None:
            self._scratch.close()

    def _made(self, item: Item, mode: str | None) -> Generator[None, None, Any]:
        """A new node of the item; `None` is the normal mode. Setting a mode on a node of the document would be an undo step."""
        if isinstance(item, Folder):
            children = []
            for inner in item.items:
                children.append((yield from self.node(inner)))
            node = self._document.createGroupLayer(item.name) if mode is None else self._copy().group(item.name, mode)
            node.setChildNodes(children)  # unlike addChildNode this is not an undo step
            node.setPassThroughMode(item.blend_mode == blending.PASS_THROUGH)
        else:
            node = self._document.createNode(item.name, "paintlayer") if mode is None else self._copy().layer(item.name, mode)
            yield from self._write(node, item, colour_of(self._document))
        node.setOpacity(round(255 * item.opacity))
        node.setVisible(item.visible)
        return node

    def _clear(self, node: Any) -> Generator[None, None, None]:
        bounds, size = node.bounds(), len(node.pixelData(0, 0, 1, 1).data())
        if bounds.width() <= 0 or bounds.height() <= 0:
            return
        rows = max(1, STRIP_PIXELS // bounds.width())
        for top in range(0, bounds.height(), rows):
            high = min(rows, bounds.height() - top)
            node.setPixelData(bytes(size * bounds.width() * high), bounds.x(), bounds.y() + top, bounds.width(), high)
            yield
            self._check_open()

    def _write(self, node: Any, sheet: Sheet, colour: Colour) -> Generator[None, None, None]:
        box, encode = place_of(sheet), self._encoder(sheet.ready.layer.format, colour)
        for top, rows in strips(box, STRIP_PIXELS if encode is not None else CONVERTED_PIXELS):
            data = self._rows(node, sheet, colour, encode, top, rows)
            node.setPixelData(data, box.x, box.y + top, box.width, rows)
            yield
            self._check_open()

    def _write_inside(self, node: Any, sheet: Sheet, unchanged: Unchanged) -> Generator[None, None, None]:
        """Put the sheet into a copy of the old layer, where its pixels may change; the sheet lies inside the mask's box."""
        colour, box, place = colour_of(node), unchanged.box, place_of(sheet)
        encode = self._encoder(sheet.ready.layer.format, colour)
        for top, rows in strips(box, CONVERTED_PIXELS):
            here = Box(box.x, box.y + top, box.width, rows)
            old = node.pixelData(here.x, here.y, here.width, here.height).data()
            new, size = bytearray(len(old)), len(old) // (here.width * here.height)
            seen = place.intersection(here)
            if not seen.empty:
                data = self._rows(node, sheet, colour, encode, seen.y - place.y, seen.height)
                for row in range(seen.height):
                    start = size * ((seen.y - here.y + row) * here.width + seen.x - here.x)
                    first = size * (row * place.width + seen.x - place.x)
                    new[start : start + size * seen.width] = data[first : first + size * seen.width]
            mask = unchanged.mask[box.width * top : box.width * (top + rows)]
            for run in re.finditer(rb"\0+", mask):
                new[size * run.start() : size * run.end()] = old[size * run.start() : size * run.end()]
            node.setPixelData(bytes(new), here.x, here.y, here.width, here.height)
            yield
            self._check_open()

    def _rows(self, node: Any, sheet: Sheet, colour: Colour, encode: Encoder | None, top: int, rows: int) -> bytes:
        """Some of the sheet's rows as the layer's bytes."""
        width, height, pixels = sheet.ready.layer.width, sheet.ready.layer.height, memoryview(sheet.ready.data)
        row = len(pixels) // height
        wire = bytes(pixels[row * top : row * (top + rows)])
        data = encode(wire) if encode is not None else self._copy().convert(wire, width, rows, WIRE, colour)
        size = len(node.pixelData(0, 0, 1, 1).data())
        if len(data) != size * width * rows:  # Krita would silently write nothing
            raise ValueError(f"{len(data)} bytes for {width} x {rows} pixels of {size} bytes in {colour}")
        return data

    def _encoder(self, format: str, colour: Colour) -> Encoder | None:
        """From the wire's bytes to the layer's; `None` where only Krita can convert."""
        if format == "bgra8":
            return encoder(colour)
        found = native(colour)
        if found is None or found.format != format:
            raise ValueError(f"the layer's format is {format!r}, which a layer in {colour} does not take; bgra8 would be right")
        return found.from_wire

    def _check_open(self) -> None:
        if not is_open(self._app, self._document):  # a closed document makes no nodes any more
            raise DocumentClosedError

    def _copy(self) -> Scratch:
        if self._scratch is None:
            self._scratch = Scratch(self._document)
        return self._scratch


def _is_plain(node: Any) -> bool:
    """Whether a copy of the node can take other pixels: not where there are frames, or where its surroundings are painted too."""
    return node.type() == "paintlayer" and not node.animated() and not any(node.pixelData(FAR, FAR, 1, 1).data())
