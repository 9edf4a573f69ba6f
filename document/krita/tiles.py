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
    lines = data.split(b"\n", HEADER_LINES)
    facts = dict(line.split(b" ", 1) for line in lines[:HEADER_LINES])
    width, height, size, count = (int(facts[key]) for key in (b"TILEWIDTH", b"TILEHEIGHT", b"PIXELSIZE", b"DATA"))
    if not (1 <= width <= MAX_TILE_SIDE and 1 <= height <= MAX_TILE_SIDE) or size not in (RGBA8, RGBA16):
        raise ValueError(f"its tiles have {width} x {height} pixels of {size} bytes")
    tiles = list(_tiles(lines[HEADER_LINES] if len(lines) > HEADER_LINES else b"", count))
    boxes = [Box(x, y, width, height) for x, y, _ in tiles]
    fill = _as_rgba(np.frombuffer(default.ljust(size, b"\0")[:size], np.uint8).reshape(1, size))[0]
    box = reduce(Box.union, boxes, canvas if fill[3] else Box(0, 0, 0, 0))
    budget.spend(box.width, box.height)
    rgba: Pixels = np.empty((box.height, box.width, 4), fill.dtype)
    rgba[...] = fill
    for place, (_, _, packed) in zip(boxes, tiles, strict=True):
        length = width * height * size
        plain = packed[1:] if packed[:1] == b"\0" else unpacked(packed[1:], length)
        planes = np.frombuffer(plain, np.uint8).reshape(size, height * width)
        rgba[place.relative_to(box).slices] = _as_rgba(planes.T).reshape(height, width, 4)
    return rgba, box.x, box.y


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
