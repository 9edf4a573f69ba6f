"""One picture of a list: its thumbnail with its marks, and what is said of it. Knows candidates and painters."""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.candidates import Candidate, size_words
from acetate.plugins.bridge.translations import _

from ..qt import Qt, QtCore, QtGui, QtWidgets
from ..widgets import checkerboard

SIDE, MARGIN = 64, 3
"""A thumbnail and the space around it, in pixels."""
CANDIDATE = int(Qt.ItemDataRole.UserRole)
PICTURE, INSERTED, HEADING = CANDIDATE + 1, CANDIDATE + 2, CANDIDATE + 3
"""The roles of an item's data: the `Candidate`, its QImage, whether it lies in a document; or a line above pictures."""
GOLD, GREEN = (240, 180, 30), (90, 200, 90)


class Tile(QtWidgets.QStyledItemDelegate):
    """A thumbnail with its marks, or a heading."""

    def sizeHint(self, _: Any, index: Any) -> Any:  # noqa: N802
        return index.data(Qt.ItemDataRole.SizeHintRole) or QtCore.QSize(SIDE + 2 * MARGIN, SIDE + 2 * MARGIN)

    def paint(self, painter: Any, option: Any, index: Any) -> None:
        if index.data(CANDIDATE) is None:
            self._heading(painter, option, str(index.data()))
            return
        style = QtWidgets.QApplication.style()
        style.drawPrimitive(QtWidgets.QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        area = option.rect.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        picture = index.data(PICTURE)
        if picture is not None:
            checkerboard.draw(painter, area, picture)
        else:
            checkerboard.draw_checkers(painter, area)
        if index.data(CANDIDATE).starred:
            _mark(painter, option, area.topRight() - QtCore.QPoint(15, 0), "★", QtGui.QColor(*GOLD))
        if index.data(INSERTED):
            _mark(painter, option, area.bottomRight() - QtCore.QPoint(15, 15), "✓", QtGui.QColor(*GREEN))
        if option.state & QtWidgets.QStyle.StateFlag.State_Selected:
            painter.save()
            painter.setPen(QtGui.QPen(option.palette.color(QtGui.QPalette.ColorRole.Highlight), 2))
            painter.drawRect(option.rect.adjusted(1, 1, -1, -1))
            painter.restore()

    def _heading(self, painter: Any, option: Any, text: str) -> None:
        painter.save()
        painter.setPen(option.palette.color(QtGui.QPalette.ColorRole.Text))
        area = option.rect.adjusted(MARGIN, 0, -MARGIN, 0)
        elided = QtGui.QFontMetrics(option.font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        flags = checkerboard.text_flags(Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignBottom)  # Qt mirrors it
        painter.drawText(area, flags, elided)
        painter.restore()


def _mark(painter: Any, option: Any, corner: Any, sign: str, colour: Any) -> None:
    """A sign on a dark disc, seen on any picture."""
    painter.save()
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    disc = QtCore.QRect(corner, QtCore.QSize(15, 15))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QtGui.QColor(30, 30, 30, 190))
    painter.drawEllipse(disc)
    painter.setPen(colour)
    font = QtGui.QFont(option.font)
    font.setPixelSize(11)
    painter.setFont(font)
    painter.drawText(disc, checkerboard.text_flags(Qt.AlignmentFlag.AlignCenter), sign)
    painter.restore()


def tip_of(candidate: Candidate) -> str:
    """What the tool tip of a picture says: what it is, and what a hand can do with it."""
    lines = [candidate.title, _("Seed {seed}").format(seed=candidate.seed)]
    if candidate.drawn is not None:
        lines.append(_("Drawn at {size}").format(size=size_words(candidate.drawn)))
    lines.append(_("Double click or Return: insert. Space: large. S: star. Delete: throw away. Drag: insert there."))
    return "\n".join(lines)


def spoken(candidate: Candidate, inserted: bool) -> str:
    """What a screen reader says of a picture."""
    words = [candidate.title, _("Seed {seed}").format(seed=candidate.seed)]
    if candidate.starred:
        words.append(_("starred"))
    if inserted:
        words.append(_("in the document"))
    return ", ".join(words)
