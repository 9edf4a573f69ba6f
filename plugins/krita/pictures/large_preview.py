"""A large look at one picture, beside the docker: on a checkerboard, or on the picture that is being painted.

Knows QImages and places on the screen; does not know where a picture comes from.
"""

from __future__ import annotations

from typing import Any

from ..qt import Qt, QtCore, QtGui, QtWidgets
from ..widgets import checkerboard

LARGEST, SMALLEST = 560, 400
"""The longest side of the picture on the screen, at most and at least, in pixels."""
MARGIN, GAP = 8, 6


class LargePreview(QtWidgets.QFrame):
    """A window without a frame that takes neither the keyboard nor the pointer."""

    def __init__(self, parent: Any) -> None:
        flags = Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint
        super().__init__(parent, flags, objectName="acetate_large_preview")
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._picture: Any = None
        self._backdrop: Any = None
        self._place = QtCore.QRectF(0, 0, 1, 1)
        self._caption = ""

    @property
    def on_canvas(self) -> bool:
        """Whether the picture is seen on what is being painted."""
        return self._backdrop is not None

    def show_picture(self, picture: Any, caption: str, beside: Any, backdrop: Any = None, place: Any = None) -> None:
        """Show the QImage with its caption beside a widget. With a `backdrop`, the picture lies on it at `place`, a rectangle
        in shares of the backdrop's width and height."""
        self._picture, self._caption, self._backdrop = picture, caption, backdrop
        self._place = place if place is not None else QtCore.QRectF(0, 0, 1, 1)
        shown = backdrop.size() if backdrop is not None else picture.size()
        side = max(SMALLEST, min(LARGEST, max(shown.width(), shown.height())))
        size = shown.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio)
        text = self._text_size(max(size.width(), SMALLEST))
        self.resize(max(size.width(), text.width()) + 2 * MARGIN, size.height() + text.height() + 3 * MARGIN)
        self.move(self._corner(beside))
        self.setAccessibleName(caption)
        self.show()
        self.raise_()
        self.update()

    def _text_size(self, width: int) -> Any:
        area = QtCore.QRect(0, 0, width, 1000)
        return self.fontMetrics().boundingRect(area, checkerboard.text_flags(Qt.TextFlag.TextWordWrap), self._caption).size()

    def _corner(self, beside: Any) -> Any:
        """Left of the widget, or right of it where there is no room, and wholly on the screen."""
        anchor = QtCore.QRect(beside.mapToGlobal(QtCore.QPoint(0, 0)), beside.size())
        screen = QtWidgets.QApplication.screenAt(anchor.center()) or QtWidgets.QApplication.primaryScreen()
        room = screen.availableGeometry()
        x = anchor.left() - self.width() - GAP
        if x < room.left():
            x = min(anchor.right() + GAP, room.right() - self.width())
        y = min(max(anchor.top(), room.top()), room.bottom() - self.height())
        return QtCore.QPoint(max(room.left(), x), max(room.top(), y))

    def paintEvent(self, _: Any) -> None:  # noqa: N802
        painter = QtGui.QPainter(self)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.color(QtGui.QPalette.ColorRole.Window))
        painter.setPen(palette.color(QtGui.QPalette.ColorRole.Mid))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        text = self._text_size(self.width() - 2 * MARGIN)
        area = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -2 * MARGIN - text.height())
        if self._picture is not None:
            self._draw(painter, area)
        painter.setPen(palette.color(QtGui.QPalette.ColorRole.WindowText))
        caption = QtCore.QRect(MARGIN, area.bottom() + MARGIN, self.width() - 2 * MARGIN, text.height() + MARGIN)
        flags = checkerboard.text_flags(Qt.AlignmentFlag.AlignHCenter, Qt.TextFlag.TextWordWrap)
        painter.drawText(caption, flags, self._caption)
        painter.end()

    def _draw(self, painter: Any, area: Any) -> None:
        if self._backdrop is None:
            checkerboard.draw(painter, area, self._picture)
            return
        checkerboard.draw(painter, area, self._backdrop)
        ground = QtCore.QRectF(checkerboard.fitted(self._backdrop.size(), area))
        place = QtCore.QRectF(
            ground.x() + self._place.x() * ground.width(),
            ground.y() + self._place.y() * ground.height(),
            self._place.width() * ground.width(),
            self._place.height() * ground.height(),
        )
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, self._picture, QtCore.QRectF(self._picture.rect()))
