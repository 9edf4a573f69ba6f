"""Finished jobs as a list of thumbnails on checkerboards, newest first. Knows entries and widgets; asks the docker to act."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.history import JobHistory
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.plugins.bridge.words import ago
from acetate.protocol import HistoryEntry

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, guarded
from . import checkerboard

THUMBNAIL, MARGIN = 48, 4
JOB = Qt.ItemDataRole.UserRole
ENTRY = Qt.ItemDataRole.UserRole + 1
PICTURE = Qt.ItemDataRole.UserRole + 2


class HistoryList(QtWidgets.QListWidget):
    """The list of results: a click inserts one again; the context menu has the rest."""

    chosen = Signal(str, str)
    """What to do (a key of `ACTIONS`) and the job."""
    reached_end = Signal()

    ACTIONS = {
        "insert": "Insert as New Layer",
        "replace": "Replace Active Layer",
        "copy": "Copy Parameters to Form",
        "save": "Save As…",
        "delete": "Delete",
    }

    def __init__(self) -> None:
        super().__init__(objectName="acetate_history", uniformItemSizes=True, minimumHeight=2 * (THUMBNAIL + 2 * MARGIN))
        self.setItemDelegate(_Row(self))
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.itemClicked.connect(guarded(lambda item: self.chosen.emit("insert", item.data(JOB))))
        self.customContextMenuRequested.connect(guarded(self._open_menu))
        self.verticalScrollBar().valueChanged.connect(guarded(self._scrolled))

    def show_entries(self, history: JobHistory) -> None:
        """Bring the list to this state without moving the scroll bar."""
        entries = [entry for entry in history.entries.values() if entry.layers]
        there = {self.item(row).data(JOB): self.item(row) for row in range(self.count())}
        for job in there.keys() - {entry.job for entry in entries}:
            self.takeItem(self.row(there[job]))
        for row, entry in enumerate(entries):
            item = there.get(entry.job)
            if item is None:
                item = QtWidgets.QListWidgetItem()
                item.setData(JOB, entry.job)
                item.setText(" ".join(str(entry.parameters.get("prompt", "")).split()) or _task(entry))
                item.setToolTip(_details(entry))
                item.setData(ENTRY, entry)
                self.insertItem(row, item)
            if item.data(PICTURE) is None and entry.job in history.thumbnails:
                item.setData(PICTURE, checkerboard.picture(history.thumbnails[entry.job]))

    def paintEvent(self, event: Any) -> None:  # noqa: N802
        super().paintEvent(event)
        if not self.count():
            painter = QtGui.QPainter(self.viewport())
            painter.setPen(self.palette().color(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.Text))
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, "Results appear here")
            painter.end()

    def _open_menu(self, position: Any) -> None:
        item = self.itemAt(position)
        if item is None:
            return
        menu = QtWidgets.QMenu(self)
        menu.setObjectName("acetate_history_menu")
        for key, label in self.ACTIONS.items():
            if key in ("copy", "delete"):
                menu.addSeparator()
            action = menu.addAction(label)
            action.setObjectName(f"acetate_history_{key}")
            action.triggered.connect(self._chooser(key, item.data(JOB)))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(position))

    def _chooser(self, key: str, job: str) -> Callable[..., None]:
        return guarded(lambda: self.chosen.emit(key, job))

    def _scrolled(self, value: int) -> None:
        if value and value == self.verticalScrollBar().maximum():
            self.reached_end.emit()


class _Row(QtWidgets.QStyledItemDelegate):
    """Thumbnail, prompt, and below it in small letters seed and age."""

    def sizeHint(self, option: Any, index: Any) -> Any:  # noqa: N802
        return QtCore.QSize(100, THUMBNAIL + 2 * MARGIN)

    def paint(self, painter: Any, option: Any, index: Any) -> None:
        style = QtWidgets.QApplication.style()
        style.drawPrimitive(QtWidgets.QStyle.PrimitiveElement.PE_PanelItemViewItem, option, painter, option.widget)
        area = option.rect.adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        image = index.data(PICTURE)
        if image is not None:
            checkerboard.draw(painter, QtCore.QRect(area.topLeft(), QtCore.QSize(THUMBNAIL, THUMBNAIL)), image)
        text = area.adjusted(THUMBNAIL + 2 * MARGIN, 0, 0, 0)
        selected = bool(option.state & QtWidgets.QStyle.StateFlag.State_Selected)
        role = QtGui.QPalette.ColorRole.HighlightedText if selected else QtGui.QPalette.ColorRole.Text
        colour = option.palette.color(role)
        upper, lower = QtCore.QRect(text), QtCore.QRect(text)
        upper.setBottom(text.center().y())
        lower.setTop(text.center().y() + 1)
        self._line(painter, upper, colour, option.font, str(index.data()), Qt.AlignmentFlag.AlignBottom)
        small = QtGui.QFont(option.font)
        small.setPointSizeF(0.9 * option.font.pointSizeF())
        faint = QtGui.QColor(colour)
        faint.setAlphaF(0.65)
        self._line(painter, lower, faint, small, _second_line(index.data(ENTRY)), Qt.AlignmentFlag.AlignTop)

    def _line(self, painter: Any, area: Any, colour: Any, font: Any, text: str, alignment: Any) -> None:
        painter.save()
        painter.setFont(font)
        painter.setPen(colour)
        elided = QtGui.QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, alignment | Qt.AlignmentFlag.AlignLeft, elided)
        painter.restore()


def _task(entry: HistoryEntry) -> str:
    return BY_NAME[entry.task].label if entry.task in BY_NAME else entry.task.capitalize()


def _second_line(entry: HistoryEntry) -> str:
    """The seeds of a result, and its age at this moment."""
    seeds = {layer.seed for layer in entry.layers}
    several = len({layer.index for layer in entry.layers if layer.role == "foreground"}) if len(seeds) > 1 else 1
    said = [f"seed {min(seeds)}" if several == 1 else f"seeds {min(seeds)}–{max(seeds)}", ago(time.time() - entry.finished)]
    return " · ".join(said)


def _details(entry: HistoryEntry) -> str:
    """All parameters, for the tooltip."""
    lines = [_task(entry)]
    for name, value in entry.parameters.items():
        if value not in (None, "", {}, (), []):
            lines.append(f"{name.replace('_', ' ')}: {value}")
    return "\n".join(lines[:30])
