"""From pixels to pictures on the screen, small enough to keep. Knows the protocol's layers and QImages."""

from __future__ import annotations

import struct
from collections import OrderedDict
from functools import cache
from typing import Any

from acetate.plugins.bridge.candidates import Key
from acetate.protocol import Image, LayerReady

from ..qt import Qt, QtGui
from ..widgets import checkerboard

LARGE_SIDE = 768
"""The longest side of what is kept for a large look, in pixels."""
SMALL_SIDE = 128
KEPT = 24
"""How many large pictures are kept: about 2 MB each."""


_FORMATS = {
    "bgra8": (QtGui.QImage.Format.Format_ARGB32, 4),
    "rgba8": (QtGui.QImage.Format.Format_RGBA8888, 4),
    "rgba16": (QtGui.QImage.Format.Format_RGBA64, 8),
}
"""Qt's formats of the wire's, and their bytes per pixel."""


class Large:
    """The large pictures that were looked at last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Any] = OrderedDict()

    def get(self, key: Key) -> Any | None:
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def keep(self, key: Key, picture: Any) -> None:
        self._kept[key] = picture
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def picture_of(ready: LayerReady, side: int = LARGE_SIDE) -> Any:
    """A layer's pixels as a QImage at most `side` pixels wide and high. Thinned first: a layer of 4096 x 4096 takes 10 ms."""
    layer = ready.layer
    if layer.format == "rgbaf32":
        return _of_floats(ready.data, layer.width, layer.height, side // 2)
    form, size = _FORMATS[layer.format]
    whole = QtGui.QImage(ready.data, layer.width, layer.height, size * layer.width, form)
    if max(layer.width, layer.height) <= side:
        return whole.copy()
    ratio = Qt.AspectRatioMode.KeepAspectRatio
    if max(layer.width, layer.height) > 2 * side:
        whole = whole.scaled(2 * side, 2 * side, ratio, Qt.TransformationMode.FastTransformation)
    return whole.scaled(side, side, ratio, Qt.TransformationMode.SmoothTransformation)


def _of_floats(data: bytes | bytearray, width: int, height: int, side: int) -> Any:
    """Floats in linear light, thinned to at most `side` pixels a side: Qt 5 has no format for them."""
    colour, opacity = _levels()
    step = -(-max(width, height) // side)
    rows = [memoryview(data)[16 * width * row : 16 * width * (row + 1)] for row in range(0, height, step)]
    columns = -(-width // step)
    pixels = bytearray(4 * columns * len(rows))
    for place, row in enumerate(rows):
        halves = row.cast("H")[1::2]  # the upper half of a float has its size to 3 digits
        for channel in range(4):
            table = colour if channel < 3 else opacity
            values = bytes(map(table.__getitem__, halves[channel :: 4 * step]))
            pixels[4 * columns * place + channel : 4 * columns * (place + 1) : 4] = values
    return QtGui.QImage(bytes(pixels), columns, len(rows), 4 * columns, QtGui.QImage.Format.Format_RGBA8888).copy()


@cache
def _levels() -> tuple[bytes, bytes]:
    """By the upper half of a float, its 8-bit level on the screen as a colour and as an opacity."""
    values = struct.unpack("<65536f", b"".join(struct.pack("<HH", 0, half) for half in range(65536)))
    shown = [min(max(value, 0.0), 1.0) if value == value else 0.0 for value in values]
    return bytes(round(255 * value ** (1 / 2.2)) for value in shown), bytes(round(255 * value) for value in shown)


def thumbnail_of(image: Image) -> Any:
    return checkerboard.picture(image)
