"""The pixels of GIMP's files: tiles of 64 x 64, each packed by itself."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from acetate.vocabulary.box import Box
from numpy.typing import NDArray

SIDE = 64
NOT_PACKED, RUNS, DEFLATED = 0, 1, 2
"""How a file says that its tiles are packed."""
LONG_RUN, LONG_COPY = 127, 128
"""From here on a length of two bytes follows; smaller numbers are runs, greater ones copies."""


def assembled(data: bytes, starts: Sequence[int], width: int, height: int, size: int, packing: int) -> NDArray[np.uint8]:
    """`(H, W, size)`: the bytes of each pixel, out of the tiles that start there, row by row. Raises `ValueError` where some are
    missing or damaged."""
    pixels = np.empty((height, width, size), np.uint8)
    places = [(x, y) for y in range(0, height, SIDE) for x in range(0, width, SIDE)]
    if len(starts) != len(places):
        raise ValueError(f"it has {len(starts)} tiles; {len(places)} belong to {width} x {height} pixels")
    for (x, y), start in zip(places, starts, strict=True):
        box = Box(x, y, min(SIDE, width - x), min(SIDE, height - y))
        pixels[box.slices] = _tile(data, start, box, size, packing)
    return pixels


def _tile(data: bytes, start: int, box: Box, size: int, packing: int) -> NDArray[np.uint8]:
    count = box.width * box.height
    if packing == RUNS:
        planes = np.frombuffer(_unpacked(data, start, count, size), np.uint8).reshape(size, box.height, box.width)
        return np.moveaxis(planes, 0, -1)
    plain = data[start : start + count * size]
    if packing == DEFLATED:
        plain = zlib.decompressobj().decompress(data[start:], count * size)
    elif packing != NOT_PACKED:
        raise ValueError(f"its tiles are packed in way {packing}, which is not known")
    return np.frombuffer(plain, np.uint8).reshape(box.height, box.width, size)


def _unpacked(data: bytes, place: int, count: int, size: int) -> bytes:
    """The bytes of all pixels that come first, then the next; runs do not go on from one to the other."""
    out = bytearray()
    for plane in range(1, size + 1):
        while len(out) < plane * count:
            code = data[place]
            long = code in (LONG_RUN, LONG_COPY)
            length = int.from_bytes(data[place + 1 : place + 3], "big") if long else code + 1 if code < LONG_RUN else 256 - code
            place += 3 if long else 1
            if code <= LONG_RUN:
                out += data[place : place + 1] * length
                place += 1
            else:
                out += data[place : place + length]
                place += length
            if not length or len(out) > plane * count or place > len(data):
                raise ValueError("one of its tiles is damaged")
    return bytes(out)
