"""Krita's own files in: plain paint layers and groups as they are, the merged picture for what is not plain, each named.

Knows the archive and its `maindoc.xml`; the pixels are `tiles`'.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from typing import Any, BinaryIO, cast
from xml.etree import ElementTree

import numpy as np
from acetate.raster import RGBA16
from acetate.vocabulary.blend_modes import KRITA_MODES
from acetate.vocabulary.box import Box
from PIL import Image

from ..composition.colour import to_rgba
from ..composition.deep_colour import rgba_of, to_srgb16
from ..composition.stored_picture import judged
from ..errors import DocumentError, UnreadableFile
from ..formats.decoding import MALFORMED, decoding, parse_xml
from ..formats.limits import PixelBudget, check_canvas
from ..formats.ora_reading import MAX_XML, MERGED, member
from ..formats.picture import decode
from ..layer import BLEND_MODES, PASS_THROUGH, Document, Group, Layer, Node
from ..mask import Mask
from ..metadata import Metadata
from ..naming import clean
from .tiles import mask_of, pixels_of

KIND = "Krita file"
MAIN = "maindoc.xml"
PAINT, GROUP = "paintlayer", "grouplayer"
MODES = {name: mode for mode, name in KRITA_MODES.items() if mode in BLEND_MODES} | {"normal": "normal"}
DOCTYPE = re.compile(rb"<!DOCTYPE[^\[>]*>")
"""Krita writes one that only names a file; one that defines entities has brackets, and is refused."""
SPACES = ("RGBA", "RGBA16")
LABELS = {"1": "blue", "2": "green", "3": "yellow", "4": "orange", "6": "red", "7": "violet", "8": "gray"}
"""Krita's colours of its list that Photoshop has as well; brown (5) is missing."""
WORDS = {
    "adjustmentlayer": "a filter layer",
    "generatorlayer": "a fill layer",
    "clonelayer": "a clone",
    "shapelayer": "a vector layer",
    "filelayer": "a file layer",
    "transparencymask": "a transparency mask",
    "filtermask": "a filter mask",
    "transformmask": "a transform mask",
    "colorizemask": "a colorize mask",
    "selectionmask": "a selection mask",
}


def read(file: BinaryIO, name: str) -> Document:
    """The document in a .kra `file`; `name` is what messages call it. Raises a `DocumentError`."""
    with decoding(name, KIND), zipfile.ZipFile(file) as archive:
        return _Reader(archive, name).document()


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name
        self._notes: list[str] = []
        self._budget = PixelBudget(name)
        root = parse_xml(DOCTYPE.sub(b"", member(archive, MAIN, MAX_XML), count=1))
        for element in root.iter():
            element.tag = element.tag.rpartition("}")[2]
        image = root.find("IMAGE")
        if image is None:
            raise ValueError(f"its {MAIN} has no image")
        self._image = image
        self._canvas = Box(0, 0, int(image.get("width", "0")), int(image.get("height", "0")))
        self._folder = f"{image.get('name', '')}/layers"

    def document(self) -> Document:
        """The canvas with all that is plain, and the picture that Krita stored where ours looks different."""
        check_canvas(self._name, self._canvas.width, self._canvas.height)
        nodes = self._nodes(self._image, 0)
        densities = [float(self._image.get(side, "0")) for side in ("x-res", "y-res")]
        resolution = (densities[0], densities[1]) if min(densities) > 0 else None
        try:
            stored = decode(member(self._archive, MERGED), MERGED).rgba
        except (DocumentError, KeyError):
            stored = None
            self._notes.append("it has no merged picture")
        if not nodes and stored is not None:
            nodes = (Layer(stored, name="Background"),)
        elif not nodes and self._notes:
            raise UnreadableFile(f"{self._name} has no layer that can be read: {self._notes[0]}")
        document = Document(self._canvas.width, self._canvas.height, nodes, tuple(self._notes), Metadata(resolution))
        fits = stored is not None and stored.shape[:2] == (self._canvas.height, self._canvas.width)
        return judged(document, stored) if fits and stored is not None else document

    def _nodes(self, parent: ElementTree.Element, depth: int) -> tuple[Node, ...]:
        """The layers of an image or a group, bottom to top; Krita lists them top first."""
        nodes: list[Node] = []
        for element in reversed(parent.findall("./layers/layer")):
            look, kind = self._look(element), element.get("nodetype", "")
            if kind == GROUP:
                self._budget.spend(0, 0, depth=depth)
                if element.get("passthrough") == "1":
                    look["blend_mode"] = PASS_THROUGH
                nodes.append(Group(children=self._nodes(element, depth + 1), **look))
            elif kind == PAINT and element.get("colorspacename") in SPACES:
                try:
                    nodes.append(self._layer(element, look))
                except (KeyError, *MALFORMED):
                    self._notes.append(f"{look['name']!r} is damaged and was left out")
            else:
                what = WORDS.get(kind, f"a {kind}") if kind != PAINT else f"painted in {element.get('colorspacename')}"
                self._notes.append(f"{look['name']!r} is {what}, which is not read, and was left out")
        return tuple(nodes)

    def _layer(self, element: ElementTree.Element, look: dict[str, Any]) -> Layer:
        source = posixpath.join(self._folder, element.get("filename", ""))
        default, icc = self._beside(f"{source}.defaultpixel"), self._beside(f"{source}.icc")
        x, y = int(element.get("x", "0")), int(element.get("y", "0"))
        canvas = self._canvas.translated(-x, -y)
        rgba, left, top = pixels_of(member(self._archive, source), default, canvas, self._budget)
        if rgba.size and icc and rgba.dtype == np.uint16:
            found = to_srgb16(np.moveaxis(cast(RGBA16, rgba)[..., :3], -1, 0), "RGB", icc)
            rgba = rgba_of(found.rgb, cast(RGBA16, rgba)[..., 3])
            for note in found.notes:
                self._note_once(note)
        elif rgba.size and icc:
            rgba, note = to_rgba(Image.fromarray(rgba), icc)
            self._note_once(note)
        return Layer(rgba, x + left, y + top, **look)

    def _mask(self, element: ElementTree.Element) -> Mask | None:
        """A transparency mask of pixels; `None` for one of shapes, and for a damaged one."""
        source = posixpath.join(self._folder, element.get("filename", "")) + ".pixelselection"
        try:
            data, default = member(self._archive, source), self._beside(f"{source}.defaultpixel")
            values, left, top, outside = mask_of(data, default, self._budget)
            x, y = int(element.get("x", "0")), int(element.get("y", "0"))
        except (KeyError, *MALFORMED):
            return None
        return Mask(values, x + left, y + top, outside, enabled=element.get("visible", "1") != "0")

    def _beside(self, source: str) -> bytes:
        try:
            return member(self._archive, source)
        except KeyError:
            return b""

    def _look(self, element: ElementTree.Element) -> dict[str, Any]:
        name, operator = clean(element.get("name", "")), element.get("compositeop", "normal")
        if operator not in MODES:
            self._notes.append(f"{name!r} has Krita's mode {operator!r}, which is not kept; it is drawn as normal")
        flags = element.get("channelflags", "")
        if "0" in flags:
            self._notes.append(f"{name!r} inherits alpha or leaves out channels, which is not kept")
        masks = element.findall("./masks/mask")
        plain = [mask for mask in masks if mask.get("nodetype") == "transparencymask"][:1]
        kept = self._mask(plain[0]) if plain else None
        for mask in masks:
            if kept is None or mask is not plain[0]:
                kind = WORDS.get(mask.get("nodetype", ""), "a mask")
                self._notes.append(f"{name!r} has {kind}, which is not read")
        if element.get("layerstyle"):
            self._notes.append(f"{name!r} has a layer style, which is not read")
        return {
            "name": name,
            "mask": kept,
            "opacity": min(255, max(0, int(element.get("opacity", "255")))) / 255,
            "blend_mode": MODES.get(operator, "normal"),
            "visible": element.get("visible", "1") != "0",
            "label": LABELS.get(element.get("colorlabel", ""), ""),
            "locks": frozenset({"all"}) if element.get("locked") == "1" else frozenset(),
        }

    def _note_once(self, note: str) -> None:
        if note and note not in self._notes:
            self._notes.append(note)
