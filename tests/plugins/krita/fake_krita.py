"""A small Krita: documents, layers, selections and undo, as far as the plug-in uses them.

Kept honest by `tests/editors/krita/contract.py`, whose claims hold here and in the real program. It composes only pixels that are
opaque or fully transparent, converts no colours, and settles at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SIZES = {("RGBA", "U8"): 4, ("RGBA", "U16"): 8, ("RGBA", "F32"): 16, ("CMYKA", "U8"): 5, ("GRAYA", "U8"): 2}
SRGB = "sRGB-elle-V2-srgbtrc.icc"


class Bytes(bytes):
    """Qt's QByteArray as far as it is used."""

    def data(self) -> bytes:
        return bytes(self)


@dataclass(frozen=True)
class Rect:
    left: int = 0
    top: int = 0
    wide: int = 0
    high: int = 0

    def x(self) -> int:
        return self.left

    def y(self) -> int:
        return self.top

    def width(self) -> int:
        return self.wide

    def height(self) -> int:
        return self.high


@dataclass(frozen=True)
class Point:
    left: int = 0
    top: int = 0

    def x(self) -> int:
        return self.left

    def y(self) -> int:
        return self.top


class Identity:
    def __init__(self, text: str = "") -> None:
        self._text = text or f"{{{uuid.uuid4()}}}"

    def toString(self) -> str:  # noqa: N802
        return self._text


@dataclass
class Surface:
    """Pixels without bounds: rectangles on top of each other."""

    size: int
    patches: list[tuple[Rect, bytes]] = field(default_factory=list)

    def write(self, data: bytes, x: int, y: int, width: int, height: int) -> None:
        if len(data) == self.size * width * height:  # Krita ignores anything else without a word
            self.patches.append((Rect(x, y, width, height), bytes(data)))

    def read(self, x: int, y: int, width: int, height: int) -> bytes:
        out = bytearray(self.size * width * height)
        for box, data in self.patches:
            left, right = max(x, box.left), min(x + width, box.left + box.wide)
            for row in range(max(y, box.top), min(y + height, box.top + box.high)) if left < right else ():
                start = self.size * ((row - box.top) * box.wide + left - box.left)
                place = self.size * ((row - y) * width + left - x)
                count = self.size * (right - left)
                out[place : place + count] = data[start : start + count]
        return bytes(out)

    def bounds(self) -> Rect:
        if not self.patches:
            return Rect()
        left, top = min(box.left for box, _ in self.patches), min(box.top for box, _ in self.patches)
        right = max(box.left + box.wide for box, _ in self.patches)
        return Rect(left, top, right - left, max(box.top + box.high for box, _ in self.patches) - top)


class Node:
    def __init__(self, document: Document, name: str, kind: str) -> None:
        self._document, self._name, self._kind = document, name, kind
        self._identity = Identity()
        self._parent: Node | None = None
        self._children: list[Node] = []
        self._visible, self._opacity, self._mode = True, 255, "normal"
        self._label, self._inherits, self._locked, self._origin = 0, False, False, Point()
        self._colour = document.colour
        self._surface = Surface(SIZES[self._colour[:2]])

    # --- properties: none of these is an undo step ---

    def name(self) -> str:
        return self._name

    def type(self) -> str:
        return self._kind

    def uniqueId(self) -> Identity:  # noqa: N802
        return self._identity

    def visible(self) -> bool:
        return self._visible

    def setVisible(self, value: bool) -> None:  # noqa: N802
        self._visible = value

    def opacity(self) -> int:
        return self._opacity

    def setOpacity(self, value: int) -> None:  # noqa: N802
        self._opacity = value

    def setName(self, name: str) -> None:  # noqa: N802
        self._name = name

    def colorLabel(self) -> int:  # noqa: N802
        return self._label

    def setColorLabel(self, label: int) -> None:  # noqa: N802
        self._label = label

    def inheritAlpha(self) -> bool:  # noqa: N802
        return self._inherits

    def setInheritAlpha(self, value: bool) -> None:  # noqa: N802
        self._inherits = value

    def locked(self) -> bool:
        return self._locked

    def setLocked(self, value: bool) -> None:  # noqa: N802
        self._locked = value

    def layerStyleToAsl(self) -> str:  # noqa: N802
        return ""

    def animated(self) -> bool:
        return False

    def position(self) -> Point:
        return self._origin

    def duplicate(self) -> Node:
        """Detached, with everything but the identity."""
        twin = type(self)(self._document, self._name, self._kind)
        twin.__dict__.update({name: value for name, value in vars(self).items() if name not in ("_identity", "_parent")})
        twin._surface = Surface(self._surface.size, list(self._surface.patches))
        twin._children = [child.duplicate() for child in self._children]
        for child in twin._children:
            child._parent = twin
        return twin

    def setPassThroughMode(self, value: bool) -> None:  # noqa: N802
        assert self._kind == "grouplayer"

    def colorModel(self) -> str:  # noqa: N802
        return self._colour[0]

    def colorDepth(self) -> str:  # noqa: N802
        return self._colour[1]

    def colorProfile(self) -> str:  # noqa: N802
        return self._colour[2]

    def blendingMode(self) -> str:  # noqa: N802
        return self._mode

    def setBlendingMode(self, mode: str) -> None:  # noqa: N802
        before = self._mode
        self._document.does(lambda: setattr(self, "_mode", mode), lambda: setattr(self, "_mode", before))

    # --- the tree ---

    def parentNode(self) -> Node | None:  # noqa: N802
        return self._parent

    def childNodes(self) -> list[Node]:  # noqa: N802
        return list(self._children)

    def addChildNode(self, child: Node, above: Node | None) -> bool:  # noqa: N802
        def put() -> None:
            place = len(self._children) if above is None else self._children.index(above) + 1
            self._children.insert(place, child)
            child._parent = self

        self._document.does(put, lambda: self._take(child))
        return True

    def setChildNodes(self, children: list[Node]) -> None:  # noqa: N802
        """Not an undo step in Krita either."""
        self._children = list(children)
        for child in children:
            child._parent = self

    def remove(self) -> bool:
        parent = self._parent
        assert parent is not None
        place = parent._children.index(self)

        def back() -> None:
            parent._children.insert(place, self)
            self._parent = parent

        self._document.does(lambda: parent._take(self), back)
        return True

    def _take(self, child: Node) -> None:
        self._children.remove(child)
        child._parent = None

    # --- pixels ---

    def pixelData(self, x: int, y: int, width: int, height: int) -> Bytes:  # noqa: N802
        return Bytes(self._surface.read(x, y, width, height))

    def setPixelData(self, data: bytes, x: int, y: int, width: int, height: int) -> None:  # noqa: N802
        if self._kind == "paintlayer":
            self._surface.write(data, x, y, width, height)

    def projectionPixelData(self, x: int, y: int, width: int, height: int) -> Bytes:  # noqa: N802
        if self._kind != "grouplayer":
            return self.pixelData(x, y, width, height)
        size = self._surface.size
        out = bytearray(size * width * height)
        for child in self._children:
            data = child.projectionPixelData(x, y, width, height) if child._visible else b""
            for i in range(0, len(data), size):
                if any(data[i + 3 : i + size]):
                    out[i : i + size] = data[i : i + size]
        return Bytes(out)

    def bounds(self) -> Rect:
        return self._surface.bounds()


class Selection:
    def __init__(self) -> None:
        self._surface = Surface(1)

    def select(self, x: int, y: int, width: int, height: int, value: int) -> None:
        self._surface.write(bytes([value]) * (width * height), x, y, width, height)

    def setPixelData(self, data: bytes, x: int, y: int, width: int, height: int) -> None:  # noqa: N802
        self._surface.write(data, x, y, width, height)

    def pixelData(self, x: int, y: int, width: int, height: int) -> Bytes:  # noqa: N802
        return Bytes(self._surface.read(x, y, width, height))

    def x(self) -> int:
        return self._surface.bounds().x()

    def y(self) -> int:
        return self._surface.bounds().y()

    def width(self) -> int:
        return self._surface.bounds().width()

    def height(self) -> int:
        return self._surface.bounds().height()


class Mask(Node):
    """A mask with the selection that it shows."""

    def setSelection(self, selection: Selection) -> None:  # noqa: N802
        self._selection = selection

    def selection(self) -> Selection:
        return self._selection


Step = tuple[Callable[[], None], Callable[[], None]]


class Document:
    def __init__(self, app: App, width: int, height: int, model: str, depth: str, profile: str) -> None:
        self.app, self._size, self.colour = app, (width, height), (model, depth, profile)
        self.done: list[Step] = []
        self.undone: list[Step] = []
        self._annotations: dict[str, bytes] = {}
        self._selection: Selection | None = None
        self._active: Node | None = None
        self._root: Node | None = Node(self, "root", "grouplayer")
        paper = Node(self, "Background", "paintlayer")
        paper.setPixelData(b"\xff" * (SIZES[model, depth] * width * height), 0, 0, width, height)
        self._root.setChildNodes([paper])

    def does(self, step: Callable[[], None], back: Callable[[], None]) -> None:
        step()
        self.done.append((step, back))
        self.undone.clear()

    def width(self) -> int:
        return self._size[0]

    def height(self) -> int:
        return self._size[1]

    def colorModel(self) -> str:  # noqa: N802
        return self.colour[0]

    def colorDepth(self) -> str:  # noqa: N802
        return self.colour[1]

    def colorProfile(self) -> str:  # noqa: N802
        return self.colour[2]

    def rootNode(self) -> Node | None:  # noqa: N802
        return self._root

    def topLevelNodes(self) -> list[Node]:  # noqa: N802
        return self._root.childNodes() if self._root is not None else []

    def activeNode(self) -> Node | None:  # noqa: N802
        return self._active if self._root is not None else None

    def setActiveNode(self, node: Node) -> None:  # noqa: N802
        self._active = node

    def createNode(self, name: str, kind: str) -> Node:  # noqa: N802
        return Node(self, name, kind)

    def createGroupLayer(self, name: str) -> Node:  # noqa: N802
        return Node(self, name, "grouplayer")

    def selection(self) -> Selection | None:
        return self._selection

    def setSelection(self, selection: Selection | None) -> None:  # noqa: N802
        self._selection = selection

    def annotation(self, key: str) -> Bytes:
        return Bytes(self._annotations.get(key, b""))

    def setAnnotation(self, key: str, description: str, data: bytes) -> None:  # noqa: N802
        self._annotations[key] = bytes(data)

    def removeAnnotation(self, key: str) -> None:  # noqa: N802
        self._annotations.pop(key, None)

    def pixelData(self, x: int, y: int, width: int, height: int) -> Bytes:  # noqa: N802
        assert self._root is not None
        return self._root.projectionPixelData(x, y, width, height)

    def refreshProjection(self) -> None:  # noqa: N802
        """The fake is always fresh."""

    def nodeByUniqueID(self, wanted: Identity) -> Node | None:  # noqa: N802
        waiting = self._root.childNodes() if self._root is not None else []
        while waiting:
            node = waiting.pop()
            if node.uniqueId().toString() == wanted.toString():
                return node
            waiting += node.childNodes()
        return None

    def tryBarrierLock(self) -> bool:  # noqa: N802
        return True

    def unlock(self) -> None:
        """Nothing waits for it."""

    def resizeImage(self, x: int, y: int, width: int, height: int) -> None:  # noqa: N802
        before = self._size
        self.does(lambda: self._resized(x, y, (width, height)), lambda: self._resized(-x, -y, before))

    def _resized(self, x: int, y: int, size: tuple[int, int]) -> None:
        self._size = size
        for node in self.topLevelNodes():
            node._origin = Point(node._origin.left - x, node._origin.top - y)
            node._surface.patches = [
                (Rect(box.left - x, box.top - y, box.wide, box.high), data) for box, data in node._surface.patches
            ]

    def createTransparencyMask(self, name: str) -> Mask:  # noqa: N802
        return Mask(self, name, "transparencymask")

    def waitForDone(self) -> None:  # noqa: N802
        """The fake is always done."""

    def setModified(self, value: bool) -> None:  # noqa: N802
        """Nothing asks about saving here."""

    def setBatchmode(self, value: bool) -> None:  # noqa: N802
        """There are no dialogs."""

    def clone(self) -> Document:
        """Beside the application's documents, with an undo stack of its own."""
        return Document(self.app, *self._size, *self.colour)

    def close(self) -> bool:
        self.app.all = [one for one in self.app.all if one is not self]
        self._root = None
        return True


@dataclass
class App:
    all: list[Document] = field(default_factory=list)

    def createDocument(self, width: int, height: int, model: str = "RGBA", depth: str = "U8", profile: str = "") -> Document:  # noqa: N802
        document = Document(self, width, height, model, depth, profile or SRGB)
        self.all.append(document)
        return document

    def documents(self) -> list[Document]:
        return list(self.all)

    def new_selection(self) -> Selection:
        return Selection()


def undo(document: Any) -> None:
    if document.done:
        step = document.done.pop()
        step[1]()
        document.undone.append(step)


def redo(document: Any) -> None:
    if document.undone:
        step = document.undone.pop()
        step[0]()
        document.done.append(step)
