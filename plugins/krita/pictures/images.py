"""From pixels to pictures on the screen, small enough to keep. Knows the protocol's layers and QImages."""

from __future__ import annotations

from collections import OrderedDict
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
    form = {"bgra8": QtGui.QImage.Format.Format_ARGB32, "rgba8": QtGui.QImage.Format.Format_RGBA8888}[layer.format]
    whole = QtGui.QImage(ready.data, layer.width, layer.height, 4 * layer.width, form)
    if max(layer.width, layer.height) <= side:
        return whole.copy()
    ratio = Qt.AspectRatioMode.KeepAspectRatio
    if max(layer.width, layer.height) > 2 * side:
        whole = whole.scaled(2 * side, 2 * side, ratio, Qt.TransformationMode.FastTransformation)
    return whole.scaled(side, side, ratio, Qt.TransformationMode.SmoothTransformation)


def thumbnail_of(image: Image) -> Any:
    return checkerboard.picture(image)
