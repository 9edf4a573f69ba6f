"""OpenRaster (specification 0.0.6): a zip of PNG layers and `stack.xml`, read and written with the standard library.

Knows the archive and its hostile variants; PNG bytes are `png`'s and `picture`'s.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO
from xml.etree import ElementTree

import numpy as np
from acetate.raster import RGBA, resize

from .. import tree
from ..composition.compose import compose
from ..composition.stored_picture import judged, with_layer
from ..errors import DocumentError, TooLarge, UnsupportedFile
from ..layer import PASS_THROUGH, Document, Group, Layer, Node
from ..naming import clean
from . import generation_metadata, png
from .decoding import decoding, parse_xml
from .limits import MAX_PICTURE_PIXELS, PixelBudget, check_canvas
from .picture import decode

MIMETYPE = "image/openraster"
KIND = "OpenRaster file"
STACK, MERGED, THUMBNAIL, RECORD = "stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png", f"{generation_metadata.KEY}.json"
THUMBNAIL_SIDE = 256

PNG_LEVEL = 1
"""Level 6 takes six times as long for files 16 % smaller (five layers of 4096 x 4096: 8 s and 48 s)."""

MAX_XML = 4 * 2**20
MAX_MEMBER = 5 * MAX_PICTURE_PIXELS
"""Bytes; the largest layer's PNG without any compression stays below."""

OPERATORS = {
    "svg:src-over": "normal",
    "svg:multiply": "multiply",
    "svg:screen": "screen",
    "svg:overlay": "overlay",
    "svg:darken": "darken",
    "svg:lighten": "lighten",
    "svg:color-dodge": "color-dodge",
    "svg:color-burn": "color-burn",
    "svg:hard-light": "hard-light",
    "svg:soft-light": "soft-light",
    "svg:difference": "difference",
    "svg:color": "color",
    "svg:luminosity": "luminosity",
    "svg:hue": "hue",
    "svg:saturation": "saturation",
    "svg:plus": "linear-dodge",
}
"""`composite-op` -> blend mode; the four remaining operators (dst-in, dst-out, src-atop, dst-atop) are not blend modes."""

BLEND_OPERATORS = {mode: operator for operator, mode in OPERATORS.items()}


def write(document: Document, file: BinaryIO) -> None:
    """Write the layers, the merged picture, a thumbnail and the generation record."""
    check_canvas("the document", document.width, document.height)
    root = ElementTree.Element("stack")
    layers: dict[generation_metadata.Id, Layer] = {}
    _describe(document.layers, root, layers)
    image = ElementTree.Element("image", version="0.0.6", w=str(document.width), h=str(document.height))
    image.append(root)
    with zipfile.ZipFile(file, "w") as archive:
        _store(archive, "mimetype", MIMETYPE.encode())
        _store(archive, STACK, _xml(image))
        for source, layer in layers.items():
            _store(archive, str(source), _layer_png(layer))
        _store_derived(archive, document, compose(document), layers)


def read(file: BinaryIO, name: str) -> Document:
    """The document in an OpenRaster `file`; `name` is what messages call it. Raises a `DocumentError`."""
    with decoding(name, KIND), zipfile.ZipFile(file) as archive:
        return _Reader(archive, name).document()


def insert(
    data: bytes, layer: Layer, name: str, *, above: str | None = None, below: str | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """The archive with one layer more, placed as by `tree.insert`, and what its merged picture lacks.

    The members of all other layers are copied.
    """
    out = io.BytesIO()
    with decoding(name, KIND), zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        reader = _Reader(old, name)
        before = reader.document()
        document = tree.insert(before, layer, above=above, below=below)
        merged = with_layer(before, document, layer, on_top=above is None and below is None)
        source = _free_name(old)
        _place(reader.image, _layer_element(layer, source), above=above, below=below)
        _store(new, "mimetype", MIMETYPE.encode())
        _store(new, STACK, _xml(reader.image))
        for info in old.infolist():
            if info.filename not in ("mimetype", STACK, MERGED, THUMBNAIL, RECORD) and not info.is_dir():
                _store(new, info.filename, _member(old, info.filename), info.compress_type)
        _store(new, source, _layer_png(layer))
        _store_derived(new, document, merged, {**reader.layers, source: layer})
    undrawn = () if before.picture is not None else document.notes
    return out.getvalue(), tuple(f"in the merged picture of {name} {note}" for note in undrawn)


class _Reader:
    """One pass over an archive; afterwards `image` is its XML and `layers` are its layers by member name."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self._budget = PixelBudget(name)
        self._notes: list[str] = []
        self.layers: dict[generation_metadata.Id, Layer] = {}
        self.image = self._parsed_stack()
        text = _member(archive, RECORD).decode() if RECORD in archive.namelist() else ""
        self._entries = generation_metadata.parse(text)

    def document(self) -> Document:
        width, height = _integer(self.image, "w", None), _integer(self.image, "h", None)
        check_canvas(self._name, width, height)
        root = self.image.find("stack")
        nodes = () if root is None else self._nodes(root, _integer(root, "x", 0), _integer(root, "y", 0), 0)
        document = Document(width, height, nodes, tuple(self._notes))
        stored = self._stored_picture(document)
        return document if stored is None else judged(document, stored)

    def _stored_picture(self, document: Document) -> RGBA | None:
        """What the program that wrote the file drew; `None` where that cannot be read or belongs to another canvas."""
        if MERGED not in self._archive.namelist():
            return None
        try:
            rgba = decode(_member(self._archive, MERGED), MERGED).rgba
        except DocumentError:
            return None
        return rgba if rgba.shape[:2] == (document.height, document.width) else None

    def _parsed_stack(self) -> ElementTree.Element:
        members = self._archive.namelist()
        if STACK not in members:
            kind = "a Krita file" if "maindoc.xml" in members else "a zip archive without a stack.xml"
            raise UnsupportedFile(f"{self._name} is {kind}, not OpenRaster", "Export it as .ora or .psd.")
        image = parse_xml(_member(self._archive, STACK, MAX_XML))
        if image.tag != "image":
            raise ValueError(f"{STACK} begins with <{image.tag}>, not <image>")
        return image

    def _nodes(self, stack: ElementTree.Element, x: int, y: int, depth: int) -> tuple[Node, ...]:
        """The children of a stack, bottom to top; `x`, `y` is where all the stacks around them begin."""
        nodes: list[Node] = []
        for element in reversed(stack):
            left, top = x + _integer(element, "x", 0), y + _integer(element, "y", 0)
            if element.tag == "stack":
                self._budget.spend(0, 0, depth=depth)
                nodes.append(self._group(element, self._nodes(element, left, top, depth + 1)))
            elif element.tag == "layer" and element.get("src"):
                nodes.append(self._layer(element, left, top))
            else:
                name = clean(element.get("name", ""))
                self._notes.append(f"{name!r} ({element.tag}) has no pixels and was left out")
        return tuple(nodes)

    def _group(self, element: ElementTree.Element, children: tuple[Node, ...]) -> Group:
        name, opacity, blend_mode, visible = self._look(element)
        if element.get("isolation") == "auto" and blend_mode == "normal" and opacity == 1:
            blend_mode = PASS_THROUGH
        return Group(name, children, opacity, blend_mode, visible)

    def _layer(self, element: ElementTree.Element, x: int, y: int) -> Layer:
        source = element.get("src", "")
        name, opacity, blend_mode, visible = self._look(element)
        picture = decode(_member(self._archive, source), f"{source} in {self._name}")
        self._budget.spend(picture.rgba.shape[1], picture.rgba.shape[0])
        self._notes += [f"{name!r}: {note}" for note in picture.notes]
        layer = Layer(picture.rgba, x, y, name, opacity=opacity, blend_mode=blend_mode, visible=visible)
        self.layers[source] = generation_metadata.applied(layer, self._entries.get(source))
        return self.layers[source]

    def _look(self, element: ElementTree.Element) -> tuple[str, float, str, bool]:
        name, operator = clean(element.get("name", "")), element.get("composite-op", "svg:src-over")
        if operator not in OPERATORS:
            self._notes.append(f"{name!r} has the operator {operator!r}, which is not kept; it is drawn as normal")
        opacity = float(element.get("opacity", "1"))
        if not math.isfinite(opacity):
            raise ValueError(f"the opacity of {name!r} is {opacity}")
        visible = element.get("visibility", "visible") != "hidden"
        return name, min(max(opacity, 0.0), 1.0), OPERATORS.get(operator, "normal"), visible


def _describe(nodes: Sequence[Node], stack: ElementTree.Element, layers: dict[generation_metadata.Id, Layer]) -> None:
    """Append the XML of the nodes to `stack`, top first, and collect their layers by member name."""
    for node in nodes:
        if isinstance(node, Layer):
            source = f"data/{len(layers) + 1}.png"
            layers[source] = node
            element = _layer_element(node, source)
        else:
            element = ElementTree.Element("stack", _look_of(node))
            through = node.blend_mode == PASS_THROUGH and node.opacity == 1
            element.set("isolation", "auto" if through else "isolate")
            _describe(node.children, element, layers)
        stack.insert(0, element)


def _layer_element(layer: Layer, source: str) -> ElementTree.Element:
    return ElementTree.Element("layer", _look_of(layer), src=source, x=str(layer.x), y=str(layer.y))


def _look_of(node: Node) -> dict[str, str]:
    return {
        "name": clean(node.name),
        "opacity": repr(float(node.opacity)),
        "visibility": "visible" if node.visible else "hidden",
        "composite-op": BLEND_OPERATORS.get(node.blend_mode, "svg:src-over"),
    }


def _place(image: ElementTree.Element, element: ElementTree.Element, *, above: str | None, below: str | None) -> None:
    """Put the element into the XML where `tree.insert` put the layer."""
    root = image.find("stack")
    if root is None:
        root = ElementTree.SubElement(image, "stack")
    if above is None and below is None:
        root.insert(0, element)
        return
    entries = list(_elements(root, ""))
    _, parent, found = entries[tree.choose([full for full, _, _ in entries], above if above is not None else below or "")]
    parent.insert(list(parent).index(found) + (0 if above is not None else 1), element)


def _elements(stack: ElementTree.Element, prefix: str) -> Iterator[tuple[str, ElementTree.Element, ElementTree.Element]]:
    """(full name, parent, element) of all that `_Reader` reads, top first."""
    for element in stack:
        if element.tag == "stack" or (element.tag == "layer" and element.get("src")):
            full = prefix + clean(element.get("name", ""))
            yield full, stack, element
            if element.tag == "stack":
                yield from _elements(element, full + "/")


def _integer(element: ElementTree.Element, attribute: str, default: int | None) -> int:
    value = element.get(attribute)
    if value is None and default is not None:
        return default
    number = float(value) if value is not None else math.nan
    if not abs(number) < 2**31:
        raise ValueError(f"{attribute} of <{element.tag}> is {value!r}; it must be a whole number of pixels")
    return round(number)


def _member(archive: zipfile.ZipFile, name: str, limit: int = MAX_MEMBER) -> bytes:
    """A member's bytes; what the directory says of its size is not trusted."""
    with archive.open(name) as member:
        data = member.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"{name} in {archive.filename or 'the OpenRaster file'} unpacks to more than {limit:,} bytes")
    return data


def _store(archive: zipfile.ZipFile, name: str, data: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    """PNG does not shrink further, and `mimetype` must be stored; the fixed date makes equal documents equal files."""
    info = zipfile.ZipInfo(name)
    info.compress_type = compression
    archive.writestr(info, data)


def _store_derived(
    archive: zipfile.ZipFile, document: Document, merged: RGBA, layers: Mapping[generation_metadata.Id, Layer]
) -> None:
    """The merged picture, the thumbnail and the generation record."""
    _store(archive, MERGED, png.encode(merged, level=PNG_LEVEL))
    factor = min(1.0, THUMBNAIL_SIDE / max(document.width, document.height))
    width, height = max(1, round(document.width * factor)), max(1, round(document.height * factor))
    _store(archive, THUMBNAIL, png.encode(resize(merged, width, height)))
    text = generation_metadata.text(document.width, document.height, layers)
    if text:
        _store(archive, RECORD, text.encode())


def _layer_png(layer: Layer) -> bytes:
    """An empty layer becomes one transparent pixel: PNG knows no empty picture."""
    return png.encode(layer.rgba if layer.rgba.size else np.zeros((1, 1, 4), np.uint8), level=PNG_LEVEL)


def _free_name(archive: zipfile.ZipFile) -> str:
    taken = set(archive.namelist())
    number = len(taken)
    while f"data/{number}.png" in taken:
        number += 1
    return f"data/{number}.png"


def _xml(image: ElementTree.Element) -> bytes:
    text: bytes = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
    return text
