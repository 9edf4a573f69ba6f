"""Krita's host with Qt's event loop: long work in short turns, the artist's hand, files on threads, and pictures turned by Qt.

Knows Qt and Krita's window; knows no server and no widget of ours.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.host import T, Then, Work
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.shape import place_of, with_pixels
from acetate.plugins.bridge.stack import Sheet
from acetate.plugins.bridge.surroundings import Move

from . import canvas
from .cooperative import CooperativeTurns, FileThread
from .host import KritaHost
from .inserting.hand import Hand
from .inserting.replacing import Pair, Replacements
from .qt import QtCore, QtGui, guarded

ACTIVATION_MS = 50
"""Krita 5.2 makes a new layer the active one by itself, but only when it gets to it; 5.1 does not."""


class QtHost(KritaHost):
    """Everything here runs on Krita's main thread."""

    def __init__(self, app: Any, notify: Callable[[PendingResult], None]) -> None:
        super().__init__(app)
        self.turns, self._files, self._notify = CooperativeTurns(), FileThread(), notify
        self.hand = Hand(app)
        self.replacements = Replacements(app, self.hand.history_moved)
        self.at_once = True
        """Whether results go into their documents by themselves."""
        self._to_activate: tuple[Any, Any] | None = None
        """The document and layer that become active soon."""
        self.hand.on_press = guarded(self._activate)

    # --- the event loop ---

    def later(self, work: Work[T], then: Then[T]) -> None:
        self.turns.run(work, then)

    def rest(self, seconds: float) -> None:
        self.turns.rest(seconds)

    def on_thread(self, function: Callable[[], T], then: Then[T]) -> None:
        self._files.run(function, then)

    def notify(self, result: PendingResult) -> None:
        self._notify(result)

    # --- the artist's hand ---

    def inserts_at_once(self) -> bool:
        return self.at_once

    def is_free(self, document: Any) -> bool:
        return self.hand.is_free(document)

    def moment(self, document: Any) -> Any:
        return self.hand.moment()

    def expect(self, steps: int) -> None:
        self.hand.expect(steps)

    # --- Krita's and Qt's own ---

    def new_selection(self) -> Any:
        return importlib.import_module("krita").Selection()

    def turned(self, sheet: Sheet, move: Move) -> Work[Sheet]:
        yield
        layer, place = sheet.ready.layer, move.box(place_of(sheet))
        data = _turned(bytes(sheet.ready.data), layer.width, layer.height, place.width, place.height, move)
        return with_pixels(sheet, data, place)

    # --- afterwards ---

    def activate_soon(self, document: Any, node: Any) -> None:
        """Make the layer the active one when Krita has done what it does by itself, but before the hand comes down again."""
        self._to_activate = document, node
        QtCore.QTimer.singleShot(0, guarded(self._activate))
        QtCore.QTimer.singleShot(ACTIVATION_MS, guarded(self._settle))

    def keep_pair(self, document: Any, pair: Pair) -> None:
        self.replacements.add(document, pair)

    def _activate(self) -> None:
        if self._to_activate is None:
            return
        document, node = self._to_activate
        if canvas.is_open(self._app, document) and document.activeNode() != node:
            document.setActiveNode(node)

    def _settle(self) -> None:
        self._activate()
        self._to_activate = None
        self.hand.settle()


def _turned(data: bytes, width: int, height: int, new_width: int, new_height: int, move: Move) -> bytes:
    """Straight `bgra8` pixels after the move, smoothly where it scales: weighted by alpha, as Qt's own format is."""
    kind = QtGui.QImage.Format
    picture = QtGui.QImage(data, width, height, 4 * width, kind.Format_ARGB32)
    turned = picture.transformed(QtGui.QTransform(_sign(move.xx), _sign(move.yx), _sign(move.xy), _sign(move.yy), 0, 0))
    if (turned.width(), turned.height()) != (new_width, new_height):
        smooth = QtCore.Qt.TransformationMode.SmoothTransformation
        whole = QtCore.Qt.AspectRatioMode.IgnoreAspectRatio
        premultiplied = turned.convertToFormat(kind.Format_ARGB32_Premultiplied)
        turned = premultiplied.scaled(new_width, new_height, whole, smooth)
    turned = turned.convertToFormat(kind.Format_ARGB32)
    bits = turned.constBits()
    bits.setsize(turned.sizeInBytes())
    return bytes(bits)


def _sign(value: float) -> float:
    return (value > 0) - (value < 0)
