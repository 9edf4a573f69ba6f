"""OpenRaster (specification 0.0.6): a zip of PNG layers and `stack.xml`, read and written with the standard library.

Knows the archive and its hostile variants; PNG bytes are `quick_png`'s and `picture`'s.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import BinaryIO, NamedTuple
from xml.etree import ElementTree

import numpy as np
from acetate.raster import Pixels, resize, to_8_bits
from acetate.vocabulary.box import Box

from .. import tree
from ..composition.baking import bake, is_flattened, is_merged, said
from ..composition.compose import compose
from ..composition.stored_picture import with_change
from ..errors import TooLarge
from ..layer import PASS_THROUGH, Document, Group, Layer, Node, runs, walk
from ..naming import clean
from ..tree import NodePath, Place
from . import generation_metadata, png
from .decoding import decoding
from .limits import check_layers, check_picture
from .ora_operators import ATOP, BLEND_OPERATORS, KRITA
from .ora_reading import KIND, MAX_XML, MERGED, RECORD, STACK, THUMBNAIL, ArchiveReader, member
from .quick_png import encode, encode_all

MIMETYPE = "image/openraster"
THUMBNAIL_SIDE = 256


def write(document: Document, file: BinaryIO) -> None:
    """Write the layers, the merged picture, a thumbnail and the generation record. Raises `TooLarge` as reading would."""
    check_picture("the document", document.width, document.height)
    for node in walk(document.layers):
        if isinstance(node, Layer):
            check_picture(f"the layer {node.name!r}", node.box.width, node.box.height)
    root = ElementTree.Element("stack")
    layers: dict[generation_metadata.Id, Layer] = {}
    nodes = bake(document.layers, document.box, clipping=True)
    check_layers("the document", nodes)
    _describe(nodes, root, layers, isolated=True)
    image = ElementTree.Element("image", version="0.0.6", w=str(document.width), h=str(document.height))
    for side, density in zip(("xres", "yres"), document.metadata.resolution or (), strict=False):
        image.set(side, str(max(1, round(density))))
    image.append(root)
    stack = _xml(image)
    if len(stack) > MAX_XML:
        raise TooLarge(
            f"the list of the layers has {len(stack):,} bytes; OpenRaster's is read up to {MAX_XML:,}",
            "Merge some layers, or shorten their names.",
        )
    coded = encode_all(map(_pixels, layers.values()))
    merged = compose(document)
    with zipfile.ZipFile(file, "w") as archive:
        _store(archive, "mimetype", MIMETYPE.encode())
        _store(archive, STACK, stack)
        for source, data in zip(layers, coded, strict=True):
            _store(archive, str(source), data)
        _store_derived(archive, document, merged, layers)


def insert(data: bytes, layer: Layer, name: str, place: Place) -> tuple[bytes, tuple[str, ...]]:
    """The archive with one layer more, placed as by `tree.placed`, and what its merged picture lacks.

    The members of all other layers are copied.
    """
    out = io.BytesIO()
    lost = tuple(said((layer,))) + (f"{layer.name!r} was clipped and is now free of what lies below it",) * layer.clipped
    (layer,) = (node for node in bake((layer,), layer.box) if isinstance(node, Layer))
    with decoding(name, KIND), zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        reader = ArchiveReader(old, name)
        before = reader.document()
        document = tree.placed(before, layer, place)
        check_layers(name, document.layers)
        changed = reduce(Box.union, (tree.find(before, path).box for path in place.hide), layer.box)
        on_top = layer if place.beside is None and not place.hide else None
        merged = with_change(before, document, changed, on_top)
        source = _free_name(old)
        _place(reader, _layer_element(layer, source), place)
        _store(new, "mimetype", MIMETYPE.encode())
        _store(new, STACK, _xml(reader.image))
        for info in old.infolist():
            if info.filename not in ("mimetype", STACK, MERGED, THUMBNAIL, RECORD) and not info.is_dir():
                _store(new, info.filename, member(old, info.filename), info.compress_type)
        _store(new, source, encode(_pixels(layer)))
        _store_derived(new, document, merged, {**reader.layers, source: layer})
    undrawn = () if before.picture is not None else document.notes
    return out.getvalue(), (*lost, *(f"in the merged picture of {name} {note}" for note in undrawn))


def losses(document: Document) -> Iterator[str]:
    """What OpenRaster will not keep of this document, one sentence each, for the person."""
    yield from said(document.layers, clipping=True)
    yield from _moved(document.layers, isolated=True)
    for node in walk(document.layers):
        if node.blend_mode == PASS_THROUGH and node.opacity < 1:
            yield f"OpenRaster has pass-through at full opacity only: {node.name!r} has {node.opacity:.0%}, became normal"
        elif BLEND_OPERATORS.get(node.blend_mode, "").startswith(KRITA) and not node.clipped:  # else it was merged
            yield f"only Krita reads the blend mode {node.blend_mode!r} in OpenRaster: to others {node.name!r} is normal"


def _moved(nodes: Sequence[Node], *, isolated: bool) -> Iterator[str]:
    for place, (base, clipped) in enumerate(runs(nodes)):
        if is_merged(base, clipped, clipping=True):
            continue
        if clipped and (place or not isolated):
            yield f"OpenRaster clips to all that lies below: {base.name!r} and what is clipped to it were put into a group"
        for node in (base, *clipped):
            if isinstance(node, Group) and not is_flattened(node):
                yield from _moved(node.children, isolated=not _passes_through(node))


def _describe(
    nodes: Sequence[Node], stack: ElementTree.Element, layers: dict[generation_metadata.Id, Layer], *, isolated: bool
) -> None:
    """Append the XML of the nodes to `stack`, top first, and collect their layers by member name.

    A run of clipped layers needs a stack of its own, unless it is the lowest in one that is composed by itself.
    """
    for place, (base, clipped) in enumerate(runs(nodes)):
        inner, lowest = stack, base
        if clipped and (place or not isolated):
            inner = ElementTree.Element("stack", _look_of(base), isolation="isolate")
            stack.insert(0, inner)
            lowest = replace(base, opacity=1.0, blend_mode="normal", visible=True)
        for node in (lowest, *clipped):
            inner.insert(0, _element(node, layers))


def _element(node: Node, layers: dict[generation_metadata.Id, Layer]) -> ElementTree.Element:
    if isinstance(node, Layer):
        source = f"data/{len(layers) + 1}.png"
        layers[source] = node
        return _layer_element(node, source)
    element = ElementTree.Element("stack", _look_of(node), isolation="auto" if _passes_through(node) else "isolate")
    _describe(node.children, element, layers, isolated=not _passes_through(node))
    return element


def _passes_through(group: Group) -> bool:
    return group.blend_mode == PASS_THROUGH and group.opacity == 1


def _layer_element(layer: Layer, source: str) -> ElementTree.Element:
    return ElementTree.Element("layer", _look_of(layer), src=source, x=str(layer.x), y=str(layer.y))


def _look_of(node: Node) -> dict[str, str]:
    return {
        "name": clean(node.name),
        "opacity": repr(float(node.opacity)),
        "visibility": "visible" if node.visible else "hidden",
        "composite-op": ATOP if node.clipped else BLEND_OPERATORS.get(node.blend_mode, "svg:src-over"),
    }


def _place(reader: ArchiveReader, element: ElementTree.Element, place: Place) -> None:
    """Put the element into the XML where `tree.placed` put the layer, and hide those that are to be hidden."""
    root = reader.image.find("stack")
    if root is None:
        root = ElementTree.SubElement(reader.image, "stack")
    entries = list(_elements(reader, root))
    for one in entries:
        if one.path in place.hide:
            one.element.set("visibility", "hidden")
    wanted = place.beside
    if wanted is None:
        root.insert(0, element)
        return
    if isinstance(wanted, str):
        wanted = entries[tree.choose([one.name for one in entries], wanted)].path
    found = next(one for one in entries if one.path == wanted)
    upwards = list(reversed(found.parent))
    at = tree.beside([one in reader.clipped for one in upwards], upwards.index(found.element), above=place.above is not None)
    found.parent.insert(len(upwards) - at, element)


class _Element(NamedTuple):
    """A layer or a group in the XML."""

    name: str
    """With those of the groups around it."""
    path: NodePath
    parent: ElementTree.Element
    element: ElementTree.Element


def _elements(reader: ArchiveReader, stack: ElementTree.Element, prefix: str = "", path: NodePath = ()) -> Iterator[_Element]:
    """All that the reader reads, top first."""
    read = [one for one in stack if one.tag == "stack" or (one.tag == "layer" and one.get("src") and one not in reader.unread)]
    for place, element in enumerate(read):
        found = _Element(prefix + clean(element.get("name", "")), (*path, len(read) - 1 - place), stack, element)
        yield found
        if element.tag == "stack":
            yield from _elements(reader, element, found.name + "/", found.path)


def _store(archive: zipfile.ZipFile, name: str, data: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    """PNG does not shrink further, and `mimetype` must be stored; the fixed date makes equal documents equal files."""
    info = zipfile.ZipInfo(name)
    info.compress_type = compression
    archive.writestr(info, data)


def _store_derived(
    archive: zipfile.ZipFile, document: Document, merged: Pixels, layers: Mapping[generation_metadata.Id, Layer]
) -> None:
    """The merged picture, the thumbnail and the generation record."""
    _store(archive, MERGED, encode(merged))
    factor = min(1.0, THUMBNAIL_SIDE / max(document.width, document.height))
    width, height = max(1, round(document.width * factor)), max(1, round(document.height * factor))
    _store(archive, THUMBNAIL, png.encode(resize(to_8_bits(merged), width, height)))
    text = generation_metadata.text(document.width, document.height, layers)
    if text:
        _store(archive, RECORD, text.encode())


def _pixels(layer: Layer) -> Pixels:
    """An empty layer becomes one transparent pixel: PNG knows no empty picture."""
    return layer.rgba if layer.rgba.size else np.zeros((1, 1, 4), np.uint8)


def _free_name(archive: zipfile.ZipFile) -> str:
    taken = set(archive.namelist())
    number = len(taken)
    while f"data/{number}.png" in taken:
        number += 1
    return f"data/{number}.png"


def _xml(image: ElementTree.Element) -> bytes:
    text: bytes = ElementTree.tostring(image, encoding="UTF-8", xml_declaration=True)
    return text
