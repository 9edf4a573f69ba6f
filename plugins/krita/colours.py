"""Between the wire's `bgra8` (sRGB, straight alpha) and the bytes of Krita's colour models and depths.

Integer RGBA lies in memory as B, G, R, A; float RGBA as R, G, B, A; all little-endian. Two ways: tables for RGB with sRGB's
primaries, whatever its depth, and Krita's own colour management for the rest, on a scratch copy of the document, because
converting a layer of the document itself would be an undo step.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

SRGB = "sRGB-elle-V2-srgbtrc.icc"
"""Krita's own sRGB profile."""


class Colour(NamedTuple):
    """A colour space as Krita names it: `RGBA`, `U8`, and the name of an ICC profile."""

    model: str
    depth: str
    profile: str


def colour_of(owner: Any) -> Colour:
    """The colour space of a document or a layer."""
    return Colour(owner.colorModel(), owner.colorDepth(), owner.colorProfile())


LARGEST_HALF = 65504.0
"""What 16-bit floats reach to."""

WIRE = Colour("RGBA", "U8", SRGB)


def transfer_of(profile: str) -> str | None:
    """`srgb` or `linear` for the profiles with sRGB's primaries that Krita ships or embeds; `None` for all others."""
    name = profile.lower()
    if name in ("srgb-elle-v2-g10.icc", "srgb-elle-v4-g10.icc", "scrgb (linear)") or "srgb built-in with linear gamma" in name:
        return "linear"
    if name in ("srgb-elle-v2-srgbtrc.icc", "srgb-elle-v4-srgbtrc.icc", "srgb built-in") or name.startswith("srgb iec61966-2"):
        return "srgb"
    return None


def is_wire(colour: Colour) -> bool:
    """Whether the wire's bytes can be used as they are."""
    return colour[:2] == WIRE[:2] and transfer_of(colour.profile) == "srgb"


Encoder = Callable[[bytes], bytes]


def encoder(colour: Colour) -> Encoder | None:
    """A function from the wire's bytes to those of a colour space, by tables; `None` where only Krita can convert."""
    if is_wire(colour):
        return bytes
    transfer = transfer_of(colour.profile)
    if colour.model != "RGBA" or transfer is None or colour.depth not in _PACKING:
        return None
    depth = colour.depth
    return lambda wire: _encoded(wire, depth, transfer)


class Native(NamedTuple):
    """A layer's own numbers on the wire: in more than 8 bits and in its own colour space, which only averaging leaves right."""

    format: str
    to_wire: Encoder
    from_wire: Encoder


def native(colour: Colour) -> Native | None:
    """The way for a colour space; `None` where the wire has no such format: 8 bits, and neither RGB nor gray."""
    if colour.model not in ("RGBA", "GRAYA") or colour.depth not in ("U16", "F16", "F32"):
        return None
    wide, narrow = (_as_read, _as_read) if colour.depth != "F16" else (_float32, _float16)
    size = 2 if colour.depth == "U16" else 4
    order = (0, 0, 0, 1) if colour.model == "GRAYA" else (2, 1, 0, 3) if colour.depth == "U16" else (0, 1, 2, 3)
    back = (0, 3) if colour.model == "GRAYA" else order
    return Native(
        "rgba16" if colour.depth == "U16" else "rgbaf32",
        lambda data: _arranged(wide(data), size, 2 if colour.model == "GRAYA" else 4, order),
        lambda wire: narrow(_arranged(wire, size, 4, back)),
    )


def _as_read(data: bytes) -> bytes:
    return data


def _float32(halves: bytes) -> bytes:
    count = len(halves) // 2
    return struct.pack(f"<{count}f", *struct.unpack(f"<{count}e", halves))


def _float16(floats: bytes) -> bytes:
    count = len(floats) // 4
    values = struct.unpack(f"<{count}f", floats)
    return struct.pack(f"<{count}e", *(min(max(value, -LARGEST_HALF), LARGEST_HALF) for value in values))


def _arranged(data: bytes, size: int, channels: int, order: tuple[int, ...]) -> bytes:
    """The channels of each pixel in this order; `size` is a channel's bytes."""
    if order == tuple(range(channels)):
        return bytes(data)
    result = bytearray(len(data) // channels * len(order))
    for place, channel in enumerate(order):
        for byte in range(size):
            result[place * size + byte :: len(order) * size] = data[channel * size + byte :: channels * size]
    return bytes(result)


_PACKING = {"U8": ("B", 255), "U16": ("<H", 65535), "F16": ("<e", None), "F32": ("<f", None)}


def _encoded(wire: bytes, depth: str, transfer: str) -> bytes:
    """Every byte of every channel by one table: slices and `translate` run in C, at about 15 ns a pixel for F32."""
    colour, alpha = _tables(depth, transfer), _tables(depth, "srgb")
    size = len(colour)
    order = (2, 1, 0, 3) if depth.startswith("F") else (0, 1, 2, 3)
    encoded = bytearray(len(wire) * size)
    for place, channel in enumerate(order):
        plane = wire[channel::4]
        for byte, table in enumerate(alpha if channel == 3 else colour):
            encoded[place * size + byte :: 4 * size] = plane.translate(table)
    return bytes(encoded)


@lru_cache(maxsize=16)
def _tables(depth: str, transfer: str) -> tuple[bytes, ...]:
    """The 256 values that each byte of a channel takes, lowest byte first."""
    letter, top = _PACKING[depth]
    values = [value / 255 if transfer == "srgb" else linear(value / 255) for value in range(256)]
    packed = [struct.pack(letter, value if top is None else round(value * top)) for value in values]
    return tuple(bytes(column) for column in zip(*packed, strict=True))


def linear(encoded: float) -> float:
    """sRGB's transfer function (IEC 61966-2-1), encoded → linear light, [0, 1]."""
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4


class Scratch:
    """A copy of a document, not shown anywhere, in which layers can be changed without undo steps in the original.

    The copy shares its pixels with the original and takes a few milliseconds; `createDocument` would take ten times as long.
    """

    def __init__(self, document: Any) -> None:
        self._copy = document.clone()
        self._copy.setBatchmode(True)

    def convert(self, data: bytes, width: int, height: int, source: Colour, target: Colour) -> bytes:
        """The pixels in another colour space, by Krita's colour management."""
        node = self._copy.createNode("acetate", "paintlayer")
        node.setColorSpace(*source)
        node.setPixelData(data, 0, 0, width, height)
        node.setColorSpace(*target)
        return bytes(node.pixelData(0, 0, width, height).data())

    def layer(self, name: str, blending_mode: str) -> Any:
        """A detached paint layer with a blending mode; setting it on a layer of the document is an undo step there."""
        node = self._copy.createNode(name, "paintlayer")
        node.setBlendingMode(blending_mode)
        return node

    def group(self, name: str, blending_mode: str) -> Any:
        node = self._copy.createGroupLayer(name)
        node.setBlendingMode(blending_mode)
        return node

    def close(self) -> None:
        self._copy.close()
