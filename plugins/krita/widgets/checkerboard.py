"""Pictures with transparency on a checkerboard, drawn in the docker: none of it is ever in the document.

Knows pixels and palettes; does not know where a picture comes from.
"""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.translations import _
from acetate.protocol import Image

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal

LIGHT, DARK, SQUARE = 255, 220, 8
"""Krita's own checkers: two grays and the side of a square in pixels, halved for small pictures."""


def picture(image: Image) -> Any:
    """A QImage with its own copy of the bytes."""
    formats = {"rgba8": QtGui.QImage.Format.Format_RGBA8888, "bgra8": QtGui.QImage.Format.Format_ARGB32}
    return QtGui.QImage(image.data, image.width, image.height, 4 * image.width, formats[image.format]).copy()


def text_flags(*flags: Any) -> int:
    """Flags of alignment and wrapping as the number that drawing a text takes: in Qt 6 they are of different types."""
    total = 0
    for flag in flags:
        total |= int(getattr(flag, "value", flag))
    return total


def fitted(size: Any, area: Any) -> Any:
    """The largest rectangle with the proportions of `size` in the area, centred."""
    target = QtCore.QRect(QtCore.QPoint(0, 0), size.scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio))
    target.moveCenter(area.center())
    return target


def draw(painter: Any, area: Any, image: Any) -> None:
    """Draw the picture as large as fits into the area, centred, on a checkerboard."""
    target = fitted(image.size(), area)
    draw_checkers(painter, target)
    sharp = target.size() * painter.device().devicePixelRatioF()
    scaled = image.scaled(sharp, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
    painter.drawImage(target, scaled)


def draw_checkers(painter: Any, target: Any) -> None:
    side = SQUARE if max(target.width(), target.height()) > 12 * SQUARE else SQUARE // 2
    tile = QtGui.QPixmap(2 * side, 2 * side)
    tile.fill(QtGui.QColor(LIGHT, LIGHT, LIGHT))
    dark = QtGui.QPainter(tile)
    for corner in (0, side):
        dark.fillRect(corner, corner, side, side, QtGui.QColor(DARK, DARK, DARK))
    dark.end()
    painter.drawTiledPixmap(target, tile)


class PreviewPane(QtWidgets.QWidget):
    """Shows the picture as it forms; a click asks for a larger look."""

    pressed = Signal()
    changed = Signal()
    """Another picture is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("acetate_preview")
        self.setAccessibleName(_("The picture as it forms"))
        self.setToolTip(_("The picture as it forms. Click: large"))
        self._image: Any = None
        self._proportions = (1, 1)
        policy = QtWidgets.QSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def expect(self, width: int, height: int) -> None:
        """Show an empty checkerboard with the proportions of the picture to come."""
        self._image, self._proportions = None, (width, height)
        self.updateGeometry()
        self.update()

    def show_picture(self, image: Image) -> None:
        self._image = picture(image)
        self.update()
        self.changed.emit()

    @property
    def image(self) -> Any:
        """The QImage that is shown; `None` before the first."""
        return self._image

    def mousePressEvent(self, event: Any) -> None:  # noqa: N802
        event.accept()
        self.pressed.emit()

    @property
    def has_picture(self) -> bool:
        return self._image is not None

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        wide, high = self._proportions
        return max(64, min(320, width * high // max(1, wide)))

    def sizeHint(self) -> Any:  # noqa: N802
        return QtCore.QSize(200, self.heightForWidth(200))

    def paintEvent(self, _: Any) -> None:  # noqa: N802
        painter = QtGui.QPainter(self)
        if self._image is not None:
            draw(painter, self.rect(), self._image)
        else:
            draw_checkers(painter, fitted(QtCore.QSize(*self._proportions), self.rect()))
        painter.end()
