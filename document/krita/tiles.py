"""The pixels of one layer in a Krita file: tiles of 64 x 64, plane by plane, wherever something was painted."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np
from acetate.raster import Pixels
from acetate.vocabulary.box import Box
from numpy.typing import NDArray

from ..formats.limits import PixelBudget
from .lzf import unpacked

HEADER_LINES = 5
MAX_TILE_SIDE = 1024
RGBA8, RGBA16 = 4, 8
"""Bytes of a pixel: blue, green, red and alpha, of one or two bytes each."""


def pixels_of(data: bytes, default: bytes, canvas: Box, budget: PixelBudget) -> tuple[Pixels, int, int]:
    """`(H, W, 4)` straight, and where its left top corner lies from the layer's origin. What no tile covers has the
    colour `default`; where that is not transparent, it fills the canvas. Raises `ValueError` for what is no such data."""
    size, tiles = _stored(data)
    if size not in (RGBA8, RGBA16):
        raise ValueError(f"its pixels have {size} bytes")
    fill = _as_rgba(np.frombuffer(default.ljust(size, b"\0")[:size], np.uint8).reshape(1, size))[0]
    box = reduce(Box.union, (place for place, _ in tiles), canvas if fill[3] else Box(0, 0, 0, 0))
    budget.spend(box.width, box.height)
    rgba: Pixels = np.empty((box.height, box.width, 4), fill.dtype)
    rgba[...] = fill
    for place, packed in tiles:
        rgba[place.relative_to(box).slices] = _as_rgba(_planes(packed, place, size).T).reshape(place.height, place.width, 4)
    return rgba, box.x, box.y


def mask_of(data: bytes, default: bytes, budget: PixelBudget) -> tuple[NDArray[np.uint8], int, int, int]:
    """`(H, W)` of a mask, where its left top corner lies from its origin, and the value beside it. Raises as `pixels_of`."""
    size, tiles = _stored(data)
    if size != 1:
        raise ValueError(f"its mask has pixels of {size} bytes")
    box = reduce(Box.union, (place for place, _ in tiles), Box(0, 0, 0, 0))
    budget.spend(box.width, box.height)
    outside = (default or b"\0")[0]
    values = np.full((box.height, box.width), outside, np.uint8)
    for place, packed in tiles:
        values[place.relative_to(box).slices] = _planes(packed, place, 1)[0].reshape(place.height, place.width)
    return values, box.x, box.y, outside


def _stored(data: bytes) -> tuple[int, list[tuple[Box, bytes]]]:
    """Bytes of a pixel, and all tiles."""
    lines = data.split(b"\n", HEADER_LINES)
    facts = dict(line.split(b" ", 1) for line in lines[:HEADER_LINES])
    width, height, size, count = (int(facts[key]) for key in (b"TILEWIDTH", b"TILEHEIGHT", b"PIXELSIZE", b"DATA"))
    if not (1 <= width <= MAX_TILE_SIDE and 1 <= height <= MAX_TILE_SIDE):
        raise ValueError(f"its tiles have {width} x {height} pixels")
    tiles = _tiles(lines[HEADER_LINES] if len(lines) > HEADER_LINES else b"", count)
    return size, [(Box(x, y, width, height), packed) for x, y, packed in tiles]


def _planes(packed: bytes, place: Box, size: int) -> NDArray[np.uint8]:
    """The bytes of a tile, `(size, N)`: those of all pixels that come first, then the next."""
    length = place.width * place.height * size
    plain = packed[1:] if packed[:1] == b"\0" else unpacked(packed[1:], length)
    return np.frombuffer(plain, np.uint8).reshape(size, place.width * place.height)


def _tiles(data: bytes, count: int) -> Iterator[tuple[int, int, bytes]]:
    place = 0
    for _ in range(count):
        end = data.index(b"\n", place)
        x, y, kind, length = data[place:end].split(b",")
        if kind != b"LZF" or not 0 < int(length) <= len(data) - end - 1:
            raise ValueError("one of its tiles is damaged")
        place = end + 1 + int(length)
        yield int(x), int(y), data[end + 1 : place]


def _as_rgba(pixels: NDArray[np.uint8]) -> Pixels:
    """`(N, 4)` bytes of BGRA, or `(N, 8)` of two each, as `(N, 4)` RGBA of 8 or 16 bits."""
    if pixels.shape[1] == RGBA16:
        return np.ascontiguousarray(pixels).view("<u2").astype(np.uint16)[:, [2, 1, 0, 3]]
    return pixels[:, [2, 1, 0, 3]]
