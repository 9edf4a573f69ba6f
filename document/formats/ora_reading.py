"""OpenRaster in: what can be read is read, and each part that cannot be is named."""

from __future__ import annotations

import math
import posixpath
import zipfile
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import BinaryIO
from xml.etree import ElementTree

from acetate.raster import Pixels
from acetate.vocabulary.box import Box

from ..composition.stored_picture import judged
from ..errors import DocumentError, TooLarge, UnreadableFile, UnsupportedFile
from ..layer import PASS_THROUGH, Document, Group, Layer, Node
from ..metadata import Metadata
from ..naming import clean
from . import generation_metadata
from .decoding import decoding, parse_xml
from .limits import MAX_PICTURE_PIXELS, PixelBudget, check_canvas
from .ora_operators import ALIASES, ATOP, OPERATORS
from .picture import FlatPicture, decode

KIND = "OpenRaster file"
STACK, MERGED, THUMBNAIL, RECORD = "stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png", f"{generation_metadata.KEY}.json"

MAX_XML = 4 * 2**20
MAX_MEMBER = 5 * MAX_PICTURE_PIXELS
"""Bytes; the largest layer's PNG without any compression stays below."""


def read(file: BinaryIO, name: str) -> Document:
    """The document in an OpenRaster `file`; `name` is what messages call it. Raises a `DocumentError`."""
    with decoding(name, KIND), zipfile.ZipFile(file) as archive:
        return ArchiveReader(archive, name).document()


class ArchiveReader:
    """One pass over an archive; afterwards `image` is its XML, `layers` are its layers by member name, and `unread` are the
    elements that became no layer."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self._budget = PixelBudget(name)
        self._notes: list[str] = []
        self._left_out: list[str] = []
        self._members = set(archive.namelist())
        self._decoded: dict[str, FlatPicture] = {}
        self.layers: dict[generation_metadata.Id, Layer] = {}
        self.unread: set[ElementTree.Element] = set()
        self.clipped: set[ElementTree.Element] = set()
        """The elements that became clipped layers and groups."""
        self.image = self._parsed_stack()
        text = member(archive, RECORD).decode() if RECORD in self._members else ""
        self._entries = generation_metadata.parse(text)

    def document(self) -> Document:
        """The canvas and all layers that can be read. Raises what `decoding` converts, and `TooLarge`."""
        root = self.image.find("stack")
        if root is None:
            self._notes.append("its stack.xml has no stack, so there are no layers")
        nodes = () if root is None else self._nodes(root, self._offset(root, "x"), self._offset(root, "y"), 0, isolated=True)
        if self._left_out and not self.layers:
            raise UnreadableFile(f"{self._name} has no layer that can be read: {self._left_out[0]}")
        self._notes += self._left_out
        width, height = self._canvas(nodes)
        densities = [_number(self.image.get(side, ""), 0) for side in ("xres", "yres")]
        resolution = (densities[0], densities[1]) if all(0 < density < 2**16 for density in densities) else None
        document = Document(width, height, nodes, tuple(self._notes), Metadata(resolution))
        stored = self._stored_picture(document)
        return document if stored is None else judged(document, stored)

    def _stored_picture(self, document: Document) -> Pixels | None:
        """What the program that wrote the file drew; `None` where that cannot be read or belongs to another canvas."""
        rgba = self._picture_of(MERGED)
        return rgba if rgba is not None and rgba.shape[:2] == (document.height, document.width) else None

    def _picture_of(self, source: str) -> Pixels | None:
        try:
            return decode(member(self._archive, source), source).rgba
        except (DocumentError, KeyError):
            return None

    def _canvas(self, nodes: Sequence[Node]) -> tuple[int, int]:
        """The size that the file gives; without one, that of its merged picture or what its layers reach."""
        sides = [_number(self.image.get(side, ""), math.nan) for side in ("w", "h")]
        if all(1 <= side < 2**31 for side in sides):
            width, height = (round(side) for side in sides)
        else:
            stored = self._picture_of(MERGED)
            reach = reduce(Box.union, (node.box for node in nodes), Box(0, 0, 0, 0))
            width, height = (reach.right, reach.bottom) if stored is None else (stored.shape[1], stored.shape[0])
            given = " x ".join(repr(self.image.get(side, "")) for side in ("w", "h"))
            if width < 1 or height < 1:
                raise ValueError(f"its canvas is {given}")
            self._notes.append(f"its canvas is {given}, which is no size; {width} x {height} was taken from its pictures")
        check_canvas(self._name, width, height)
        return width, height

    def _parsed_stack(self) -> ElementTree.Element:
        if STACK not in self._members:
            what = "a zip archive without a stack.xml, not OpenRaster"
            raise UnsupportedFile(f"{self._name} is {what}", "Export it as .ora or .psd.")
        image = parse_xml(member(self._archive, STACK, MAX_XML))
        for element in image.iter():  # the specification has no namespace, which keeps some programs from nothing
            element.tag = element.tag.rpartition("}")[2]
        if image.tag != "image":
            raise ValueError(f"{STACK} begins with <{image.tag}>, not <image>")
        return image

    def _nodes(self, stack: ElementTree.Element, x: int, y: int, depth: int, *, isolated: bool) -> tuple[Node, ...]:
        """The children of a stack, bottom to top; `x`, `y` is where all the stacks around them begin.

        Source-atop is clipping as far as there is just one base below it in a stack that is composed by itself.
        """
        nodes: list[Node] = []
        for element in reversed(stack):
            left, top = x + self._offset(element, "x"), y + self._offset(element, "y")
            clipped = isolated and _operator(element) == ATOP and bool(nodes) and all(node.clipped for node in nodes[1:])
            if clipped:
                self.clipped.add(element)
            if element.tag == "stack":
                self._budget.spend(0, 0, depth=depth)
                nodes.append(self._group(element, left, top, depth))
            elif element.tag == "layer" and element.get("src"):
                nodes += self._layer(element, left, top)
            else:
                name = clean(element.get("name", ""))
                self._notes.append(f"{name!r} ({element.tag}) has no pixels and was left out")
        return tuple(nodes)

    def _offset(self, element: ElementTree.Element, attribute: str) -> int:
        given = element.get(attribute, "0")
        number = _number(given, math.nan)
        if not abs(number) < 2**31:
            name = clean(element.get("name", ""))
            self._notes.append(f"{name!r} has the {attribute} {given!r}, which is no number of pixels; it was taken as 0")
            return 0
        return round(number)

    def _group(self, element: ElementTree.Element, x: int, y: int, depth: int) -> Group:
        name, opacity, blend_mode, visible = self._look(element)
        clipped = element in self.clipped
        if element.get("isolation") == "auto" and blend_mode == "normal" and opacity == 1 and not clipped:
            blend_mode = PASS_THROUGH
        children = self._nodes(element, x, y, depth + 1, isolated=blend_mode != PASS_THROUGH)
        return Group(name, children, opacity, blend_mode, visible, clipped=clipped)

    def _layer(self, element: ElementTree.Element, x: int, y: int) -> Iterator[Layer]:
        """The layer, or none and a note: one that cannot be read costs the others nothing."""
        source = self._found(element.get("src", ""))
        name, opacity, blend_mode, visible = self._look(element)
        try:
            if source not in self._decoded:  # a member may be used by many layers
                self._decoded[source] = decode(member(self._archive, source), f"{source} in {self._name}")
            picture = self._decoded[source]
        except KeyError:
            self._left_out.append(f"{name!r} was left out: the file has no {source!r}")
            self.unread.add(element)
            return
        except TooLarge:  # a picture of the whole would lack too much
            raise
        except DocumentError as error:
            kind = "an SVG drawing, which is not read" if source.lower().endswith(".svg") else str(error)
            self._left_out.append(f"{name!r} was left out: {kind}")
            self.unread.add(element)
            return
        self._budget.spend(picture.rgba.shape[1], picture.rgba.shape[0])
        self._notes += [f"{name!r}: {note}" for note in picture.notes]
        clipped = element in self.clipped
        layer = Layer(picture.rgba, x, y, name, opacity=opacity, blend_mode=blend_mode, visible=visible, clipped=clipped)
        self.layers[source] = generation_metadata.applied(layer, self._entries.get(source))
        yield self.layers[source]

    def _found(self, source: str) -> str:
        """The member that is meant: some programs write `./data/a.png`, `/data/a.png` or `data\\a.png`."""
        plain = posixpath.normpath(source.replace("\\", "/")).lstrip("/")
        return source if source in self._members or plain not in self._members else plain

    def _look(self, element: ElementTree.Element) -> tuple[str, float, str, bool]:
        name, operator = clean(element.get("name", "")), _operator(element)
        mode = "normal" if element in self.clipped else OPERATORS.get(operator, ALIASES.get(operator))
        if mode is None:
            self._notes.append(f"{name!r} has the operator {operator!r}, which is not kept; it is drawn as normal")
        given = element.get("opacity", "1")
        opacity = _number(given, math.nan)
        if not math.isfinite(opacity):
            self._notes.append(f"{name!r} has the opacity {given!r}, which is no number; it is drawn fully")
            opacity = 1.0
        visible = element.get("visibility", "visible") != "hidden"
        return name, min(max(opacity, 0.0), 1.0), mode or "normal", visible


def member(archive: zipfile.ZipFile, name: str, limit: int = MAX_MEMBER) -> bytes:
    """A member's bytes; what the directory says of its size is not trusted. Raises `TooLarge`, and `KeyError` for none."""
    with archive.open(name) as member:
        data = member.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"{name} in {archive.filename or 'the archive'} unpacks to more than {limit:,} bytes")
    return data


def _operator(element: ElementTree.Element) -> str:
    return element.get("composite-op", "svg:src-over").strip()


def _number(text: str, otherwise: float) -> float:
    """A number as people write it: some programs use the comma of their language."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return otherwise
