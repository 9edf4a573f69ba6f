"""GIMP's own files in: layers, groups and masks of 8 and 16 bits per channel; the rest is named.

Knows the properties of GIMP's file; the pixels are `tiles`'.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from acetate.raster import Pixels
from numpy.typing import NDArray
from PIL import Image

from ..composition.colour import to_rgba
from ..composition.deep_colour import rgba_of, to_srgb16
from ..errors import UnreadableFile, UnsupportedFile
from ..formats.decoding import MALFORMED, decoding
from ..formats.limits import PixelBudget, check_canvas
from ..layer import PASS_THROUGH, Document, Group, Layer, Node
from ..mask import Mask
from ..metadata import Metadata
from ..naming import clean
from . import tiles

KIND = "GIMP image"
END, COLOURS, FLOATING, OPACITY, MODE, VISIBLE, APPLIED, OFFSETS = 0, 1, 5, 6, 7, 8, 11, 15
PACKING, RESOLUTION, PARASITES, GROUP, PATH, EXACT_OPACITY = 17, 19, 21, 29, 30, 33
"""Numbers of properties."""
LONG_POINTERS = 11
"""The version of the format from which on places in the file have eight bytes."""
PRECISIONS = {0: 1, 1: 2, 150: 1, 175: 1, 250: 2, 275: 2}
"""Bytes of a channel, by the number of the precision: those of sRGB's curve. 0 and 1 are of GIMP 2.9."""
CHANNELS = {0: 3, 1: 4, 2: 1, 3: 2, 4: 1, 5: 2}
"""By the type of a layer: RGB, gray and palette, each without and with alpha."""
PALETTE = 4
MODES: Mapping[int, str] = {
    **dict.fromkeys((0, 28), "normal"),
    **dict.fromkeys((3, 30), "multiply"),
    **dict.fromkeys((4, 31), "screen"),
    **dict.fromkeys((5, 23), "overlay"),
    **dict.fromkeys((6, 32), "difference"),
    **dict.fromkeys((7, 33), "linear-dodge"),
    **dict.fromkeys((8, 34), "subtract"),
    **dict.fromkeys((9, 35), "darken"),
    **dict.fromkeys((10, 36), "lighten"),
    **dict.fromkeys((13, 26, 39), "color"),
    **dict.fromkeys((15, 41), "divide"),
    **dict.fromkeys((16, 42), "color-dodge"),
    **dict.fromkeys((17, 43), "color-burn"),
    **dict.fromkeys((18, 44), "hard-light"),
    **dict.fromkeys((19, 45), "soft-light"),
    1: "dissolve",
    24: "hue",
    25: "saturation",
    27: "luminosity",
    48: "vivid-light",
    49: "pin-light",
    50: "linear-light",
    51: "hard-mix",
    52: "exclusion",
    53: "linear-burn",
    54: "darker-color",
    55: "lighter-color",
    56: "luminosity",
    61: PASS_THROUGH,
}
"""GIMP's numbers, those of its older and its newer modes."""


def read(file: BinaryIO, name: str) -> Document:
    """The document in an .xcf `file`; `name` is what messages call it. Raises a `DocumentError`."""
    with decoding(name, KIND):
        return _Reader(file.read(), name).document()


@dataclass
class _Found:
    """A layer of the list, which goes from top to bottom, a group before its children."""

    path: tuple[int, ...]
    node: Node
    children: list[_Found] = field(default_factory=list)


class _Reader:
    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._place, self._name = data, 14, name
        self._budget, self._notes = PixelBudget(name), dict[str, None]()
        version = data[9:13]
        self._version = 0 if version == b"file" else int(version[1:])
        self._pointer = "Q" if self._version >= LONG_POINTERS else "I"
        self._width, self._height, _ = self._numbers("3I")
        precision = self._numbers("I")[0] if self._version >= LONG_POINTERS - 7 else 0
        if precision not in PRECISIONS:
            kind = "a GIMP image of linear light or floating-point numbers"
            raise UnsupportedFile(f"{name} is {kind}, which is not read", "In GIMP: Image > Precision, 8 or 16 bits, perceptual.")
        self._bytes = PRECISIONS[precision]
        properties = self._properties()
        self._packing = properties.get(PACKING, b"\0")[0]
        self._colours = np.frombuffer(properties.get(COLOURS, b"")[4:], np.uint8).reshape(-1, 3)
        self._icc = self._parasite(properties.get(PARASITES, b""), b"icc-profile")
        self._density = struct.unpack(">2f", properties[RESOLUTION]) if RESOLUTION in properties else None

    def document(self) -> Document:
        check_canvas(self._name, self._width, self._height)
        top: list[_Found] = []
        for number, start in enumerate(self._pointers()):
            self._place = start
            try:
                found = self._layer((number,))
            except MALFORMED:
                self._notes["a layer is damaged and was left out"] = None
                continue
            siblings = top
            for depth in range(1, len(found.path)):
                siblings = next(one.children for one in siblings if one.path == found.path[:depth])
            siblings.append(found)
        nodes = _nested(top)
        if not nodes and self._notes:
            raise UnreadableFile(f"{self._name} has no layer that can be read: {next(iter(self._notes))}")
        if len(nodes) > 1:
            self._notes["GIMP may mix its layers in linear light, which is not kept: soft edges may look different"] = None
        resolution = None if self._density is None or min(self._density) <= 0 else self._density
        return Document(self._width, self._height, nodes, tuple(self._notes), Metadata(resolution))

    def _layer(self, number: tuple[int, ...]) -> _Found:
        width, height, kind = self._numbers("3I")
        name = clean(self._text())
        has = self._properties()
        hierarchy, mask = self._numbers(f"2{self._pointer}")
        path = struct.unpack(f">{len(has[PATH]) // 4}I", has[PATH]) if PATH in has else None
        x, y = struct.unpack(">2i", has.get(OFFSETS, bytes(8)))
        look = self._look(name, has)
        if mask:
            look["mask"] = self._mask(mask, x, y, enabled=_flag(has, APPLIED, 1))
        place = number if path is None else tuple(path)
        self._budget.spend(0 if GROUP in has else width, 0 if GROUP in has else height, depth=len(place) - 1)
        if GROUP in has:
            return _Found(place, Group(**look))
        if look["blend_mode"] == PASS_THROUGH:
            raise ValueError("a layer cannot pass through")
        return _Found(place, Layer(self._rgba(self._raster(hierarchy, CHANNELS[kind] * self._bytes), kind), x, y, **look))

    def _look(self, name: str, has: Mapping[int, bytes]) -> dict[str, Any]:
        (mode,) = struct.unpack(">I", has.get(MODE, bytes(4)))
        if mode not in MODES:
            self._notes[f"{name!r} has GIMP's mode {mode}, which is not kept; it is drawn as normal"] = None
        if FLOATING in has:
            self._notes[f"{name!r} is a floating selection, and became a layer"] = None
        opacity = struct.unpack(">I", has.get(OPACITY, b"\0\0\0\xff"))[0] / 255
        if EXACT_OPACITY in has:
            (opacity,) = struct.unpack(">f", has[EXACT_OPACITY])
        look = {"opacity": min(max(opacity, 0.0), 1.0), "blend_mode": MODES.get(mode, "normal")}
        return {"name": name, "visible": _flag(has, VISIBLE, 1), **look}

    def _mask(self, start: int, x: int, y: int, *, enabled: bool) -> Mask:
        self._place = start
        width, height = self._numbers("2I")
        self._text()
        self._properties()
        self._budget.spend(width, height)
        values = self._raster(self._numbers(self._pointer)[0], self._bytes)
        return Mask(np.ascontiguousarray(values[..., 0]), x, y, outside=0, enabled=enabled)

    def _raster(self, start: int, size: int) -> NDArray[np.uint8]:
        """`(H, W, size)`: the bytes of each pixel."""
        self._place = start
        width, height, found = self._numbers("3I")
        if found != size:
            raise ValueError(f"its pixels have {found} bytes; {size} are needed")
        (self._place,) = self._numbers(self._pointer)
        self._numbers("2I")
        return tiles.assembled(self._data, list(self._pointers()), width, height, size, self._packing)

    def _rgba(self, values: NDArray[np.uint8], kind: int) -> Pixels:
        if kind >= PALETTE:
            alpha = values[..., 1:] if kind > PALETTE else np.full_like(values, 255)
            return np.concatenate([self._colours[values[..., 0]], alpha], axis=-1)
        channels, gray = CHANNELS[kind], CHANNELS[kind] < 3
        if self._bytes == 2:
            planes = np.ascontiguousarray(values).view(">u2").astype(np.uint16)
            deep_alpha = planes[..., -1] if kind % 2 else None
            colour = planes[..., : channels - kind % 2]
            found = to_srgb16(np.moveaxis(colour, -1, 0), "L" if gray else "RGB", self._icc)
            self._notes |= dict.fromkeys(found.notes)
            return rgba_of(found.rgb, deep_alpha)
        mode = ("L", "LA", "RGB", "RGBA")[channels - 1]
        rgba, note = to_rgba(Image.frombytes(mode, (values.shape[1], values.shape[0]), values.tobytes()), self._icc)
        self._notes |= {note: None} if note else {}
        return rgba

    def _numbers(self, layout: str) -> tuple[int, ...]:
        found = struct.Struct(">" + layout)
        self._place += found.size
        return found.unpack_from(self._data, self._place - found.size)

    def _text(self) -> str:
        (length,) = self._numbers("I")
        self._place += length
        return self._data[self._place - length : self._place].rstrip(b"\0").decode("utf-8", "replace")

    def _properties(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while True:
            key, length = self._numbers("2I")
            if key == END:
                return found
            if length > len(self._data) - self._place:
                raise ValueError("it ends early")
            found[key] = self._data[self._place : self._place + length]
            self._place += length

    def _pointers(self) -> Iterator[int]:
        """Places in the file, up to a zero; those that are used meanwhile may move on from here."""
        found = []
        while pointer := self._numbers(self._pointer)[0]:
            found.append(pointer)
        yield from found

    def _parasite(self, data: bytes, wanted: bytes) -> bytes | None:
        """What is attached to the image under a name."""
        place = 0
        while place + 4 <= len(data):
            (length,) = struct.unpack_from(">I", data, place)
            name = data[place + 4 : place + 4 + length].rstrip(b"\0")
            _, size = struct.unpack_from(">2I", data, place + 4 + length)
            place += 12 + length + size
            if name == wanted:
                return data[place - size : place]
        return None


def _nested(found: list[_Found]) -> tuple[Node, ...]:
    """The nodes, bottom to top."""
    return tuple(
        Group(**{**_fields(one.node), "children": _nested(one.children)}) if isinstance(one.node, Group) else one.node
        for one in reversed(found)
    )


def _fields(group: Group) -> dict[str, Any]:
    return {key: getattr(group, key) for key in ("name", "opacity", "blend_mode", "visible", "mask")}


def _flag(has: Mapping[int, bytes], key: int, default: int) -> bool:
    return bool(int.from_bytes(has.get(key, bytes([default])), "big"))
