"""How much a file from anyone may ask for. Constants and the checks on them; knows no format."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import TooLarge
from ..layer import Group, Node

MAX_SIDE = 300_000
"""Most pixels of a side; the limit of PSB, Photoshop's format for large documents."""

MAX_PICTURE_PIXELS = 8192 * 8192
"""Pixels of one flat picture, and of one layer of an OpenRaster file: 256 MiB of RGBA."""

MAX_LAYER_PIXELS = 2**29
"""Pixels of the canvas, and of all layers of a file together: 2 GiB of RGBA."""

MAX_ONE_LAYER = 2**28
"""Pixels of one layer or merged picture: decoding takes fifteen times as many bytes."""

MAX_DISTANCE = 2**30
"""Pixels from the canvas' corner, from which on a PSD cannot say where a layer ends."""

MAX_LAYERS = 10_000

MAX_DEPTH = 64
"""Groups inside groups; Photoshop itself allows 10."""

MAX_FILE_BYTES = 2**33
"""Most bytes of a file: the largest canvas and all the layers it may have, at 16 bits and without any compression."""

MAX_STREAM_BYTES = 2**28
"""Most bytes of what has no size beforehand, such as a pipe: it may have no end, and is held in memory meanwhile."""


SCALE_DOWN = "Scale it down first."


def check_canvas(name: str, width: int, height: int) -> None:
    """Raise `TooLarge` for a canvas beyond `MAX_SIDE` or `MAX_LAYER_PIXELS`."""
    size = f"{name} is {width} x {height} pixels"
    if max(width, height) > MAX_SIDE:
        raise TooLarge(f"{size}; at most {MAX_SIDE:,} a side can be read and written", SCALE_DOWN)
    if width * height > MAX_LAYER_PIXELS:
        raise TooLarge(f"{size}, {width * height:,} in all; a canvas may have {MAX_LAYER_PIXELS:,}", SCALE_DOWN)


def check_picture(name: str, width: int, height: int) -> None:
    """Raise `TooLarge` for a flat picture that we could write but not read again."""
    if max(width, height) > MAX_SIDE or width * height > MAX_PICTURE_PIXELS:
        most = f"at most {MAX_SIDE:,} a side and 8192 x 8192 in all"
        raise TooLarge(f"{name} is {width} x {height} pixels; a PNG may have {most}", "Write a PSD, or scale it down first.")


def check_layers(name: str, nodes: Sequence[Node]) -> None:
    """Raise `TooLarge` for layers of which a file could be written but not read again. Masks count as layers do."""
    _spend(PixelBudget(name), nodes, 0)


def _spend(budget: PixelBudget, nodes: Sequence[Node], depth: int) -> None:
    for node in nodes:
        size = (0, 0) if isinstance(node, Group) else (node.box.width, node.box.height)
        budget.spend(*size, depth=depth)
        if node.mask is not None:
            budget.spend(node.mask.box.width, node.mask.box.height, depth=depth)
        if isinstance(node, Group):
            _spend(budget, node.children, depth + 1)


class PixelBudget:
    """Counts the pixels of a file's layers, so that many small layers cannot exceed the limit together."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._layers = 0
        self._pixels = 0

    def spend(self, width: int, height: int, *, depth: int = 0) -> None:
        """Account for one layer or group before its pixels are decoded. Raises `TooLarge`."""
        self._layers += 1
        self._pixels += width * height
        if width * height > MAX_ONE_LAYER:
            size = f"{width} x {height} pixels, {width * height:,} in all"
            raise TooLarge(f"a layer of {self._name} has {size}; one may have {MAX_ONE_LAYER:,}", SCALE_DOWN)
        if self._layers > MAX_LAYERS:
            raise TooLarge(f"{self._name} has more than {MAX_LAYERS:,} layers", "Merge some of them first.")
        if self._pixels > MAX_LAYER_PIXELS:
            total = f"more than {MAX_LAYER_PIXELS:,} pixels together (2 GiB)"
            raise TooLarge(f"the layers of {self._name} have {total}", "Merge or crop some layers first.")
        if depth > MAX_DEPTH:
            raise TooLarge(f"the groups of {self._name} are nested deeper than {MAX_DEPTH}", "Ungroup some of them first.")
