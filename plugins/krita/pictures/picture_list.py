"""Pictures as thumbnails on checkerboards, side by side in rows. Looks at them; what is done with one, somebody else does.

A click looks, a double click or Return inserts. Knows candidates and Qt; knows no document and no server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acetate.plugins.bridge.candidates import Candidate, Key
from acetate.plugins.bridge.translations import _, marked

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, guarded
from ..widgets import checkerboard
from .dragging import mime_of
from .tile import CANDIDATE, HEADING, INSERTED, MARGIN, PICTURE, SIDE, Tile, spoken, tip_of

HEADING_LINES = 1.6
HOVER_MS = 450
"""How long the pointer rests on a picture before it is shown large."""


ACTIONS = {
    "insert": marked("Insert as New Layer"),
    "replace": marked("Replace Active Layer"),
    "mask": marked("Use as Transparency Mask"),
    "look": marked("Large Preview"),
    "star": marked("Star"),
    "sharpen": marked("Draw Anew at Full Size"),
    "copy": marked("Copy Parameters to Form"),
    "save": marked("Save As…"),
    "delete": marked("Delete"),
}
SEPARATED = ("look", "copy", "delete")
KEYS = {
    Qt.Key.Key_Return: "insert",
    Qt.Key.Key_Enter: "insert",
    Qt.Key.Key_Space: "look",
    Qt.Key.Key_Delete: "delete",
    Qt.Key.Key_Backspace: "delete",
    Qt.Key.Key_S: "star",
    Qt.Key.Key_R: "replace",
    Qt.Key.Key_B: "backdrop",
}


@dataclass(frozen=True)
class Heading:
    """A line above the pictures of a job."""

    job: str
    text: str
    tip: str = ""


class PictureList(QtWidgets.QListWidget):
    """Thumbnails in rows that fill the width, with headings between them."""

    acted = Signal(str, object)
    """What to do (a key of `ACTIONS`, `backdrop` or `undo`) and the `Candidate`."""
    looked = Signal(object)
    """The `Candidate` that is looked at now."""
    hovered = Signal(object)
    """The `Candidate` that the pointer rests on; `None` when it has left."""

    def __init__(self, name: str, empty: str) -> None:
        super().__init__(objectName=name)
        self._empty = empty
        self.setItemDelegate(Tile(self))
        self.setFlow(QtWidgets.QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setResizeMode(QtWidgets.QListView.ResizeMode.Adjust)
        self.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setDragEnabled(True)
        self.setMouseTracking(True)
        self._resting = QtCore.QTimer(self, singleShot=True, interval=HOVER_MS)
        self._resting.timeout.connect(guarded(self._rested))
        self._under: Candidate | None = None
        self.itemDoubleClicked.connect(guarded(lambda item: self._act("insert", item)))
        self.currentItemChanged.connect(guarded(self._current_changed))
        self.itemEntered.connect(guarded(self._entered))
        self.customContextMenuRequested.connect(guarded(self._open_menu))

    # --- what is shown -----------------------------------------------------------------------------------------------

    def show_rows(self, rows: Sequence[Candidate | Heading], pictures: Mapping[Key, Any], inserted: Collection[Key]) -> None:
        """Bring the list to these rows without moving the scroll bar or the choice; `pictures` are QImages."""
        there = {_name(self.item(row)): self.item(row) for row in range(self.count())}
        wanted = [_row_name(row) for row in rows]
        for name in there.keys() - set(wanted):
            self.takeItem(self.row(there[name]))
        for place, (name, row) in enumerate(zip(wanted, rows, strict=True)):
            item = there.get(name)
            if item is None:
                item = QtWidgets.QListWidgetItem()
                self.insertItem(place, item)
            elif self.row(item) != place:
                self.insertItem(place, self.takeItem(self.row(item)))
            if isinstance(row, Heading):
                self._fill_heading(item, row)
            else:
                self._fill(item, row, pictures.get(row.key), row.key in inserted)

    def candidate(self) -> Candidate | None:
        """The picture that is looked at."""
        item = self.currentItem()
        return item.data(CANDIDATE) if item is not None else None

    def look_at(self, key: Key) -> None:
        """Make that picture the one that is looked at."""
        for item in self._tiles():
            if item.data(CANDIDATE).key == key and item is not self.currentItem():
                self.setCurrentItem(item)

    def place_of(self, key: Key) -> int:
        """Which picture of the list it is, from 1; 0 if it is not shown."""
        keys = [item.data(CANDIDATE).key for item in self._tiles()]
        return keys.index(key) + 1 if key in keys else 0

    def item_of(self, key: Key) -> Any:
        """The item of a picture; `None` if it is not shown."""
        return next((item for item in self._tiles() if item.data(CANDIDATE).key == key), None)

    def _fill(self, item: Any, candidate: Candidate, picture: Any, inserted: bool) -> None:
        item.setData(CANDIDATE, candidate)
        item.setData(INSERTED, inserted)
        if picture is not None:
            item.setData(PICTURE, picture)
        item.setToolTip(tip_of(candidate))
        item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken(candidate, inserted))
        item.setSizeHint(QtCore.QSize(SIDE + 2 * MARGIN, SIDE + 2 * MARGIN))

    def _fill_heading(self, item: Any, heading: Heading) -> None:
        item.setData(HEADING, heading)
        item.setText(heading.text)
        item.setToolTip(heading.tip)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self._fit_heading(item)

    def _fit_heading(self, item: Any) -> None:
        height = round(HEADING_LINES * self.fontMetrics().height())
        item.setSizeHint(QtCore.QSize(max(SIDE, self.viewport().width() - 1), height))

    def _tiles(self) -> Iterable[Any]:
        items = (self.item(row) for row in range(self.count()))
        return (item for item in items if item.data(CANDIDATE) is not None)

    # --- what a hand does --------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        action, modifiers = KEYS.get(event.key()), event.modifiers()
        if event.matches(QtGui.QKeySequence.StandardKey.Undo):
            self.acted.emit("undo", None)
        elif action is not None and not modifiers & ~Qt.KeyboardModifier.KeypadModifier and self.candidate() is not None:
            self.acted.emit(action, self.candidate())
        else:
            super().keyPressEvent(event)

    def startDrag(self, _: Any) -> None:  # noqa: N802
        candidate = self.candidate()
        if candidate is None:
            return
        drag = QtGui.QDrag(self)
        drag.setMimeData(mime_of(candidate))
        picture = self.currentItem().data(PICTURE)
        if picture is not None:
            drag.setPixmap(QtGui.QPixmap.fromImage(picture))
        self.acted.emit("drag", drag)

    def mousePressEvent(self, event: Any) -> None:  # noqa: N802
        self._rest(None)
        super().mousePressEvent(event)

    def leaveEvent(self, event: Any) -> None:  # noqa: N802
        self._rest(None)
        super().leaveEvent(event)

    def resizeEvent(self, event: Any) -> None:  # noqa: N802
        super().resizeEvent(event)
        for row in range(self.count()):
            if self.item(row).data(HEADING) is not None:
                self._fit_heading(self.item(row))

    def paintEvent(self, event: Any) -> None:  # noqa: N802
        super().paintEvent(event)
        if not self.count() and self._empty:
            painter = QtGui.QPainter(self.viewport())
            painter.setPen(self.palette().color(QtGui.QPalette.ColorGroup.Disabled, QtGui.QPalette.ColorRole.Text))
            flags = checkerboard.text_flags(Qt.AlignmentFlag.AlignCenter, Qt.TextFlag.TextWordWrap)
            painter.drawText(self.viewport().rect(), flags, _(self._empty))
            painter.end()

    def _act(self, what: str, item: Any) -> None:
        if item.data(CANDIDATE) is not None:
            self.acted.emit(what, item.data(CANDIDATE))

    def _current_changed(self, item: Any) -> None:
        if item is not None and item.data(CANDIDATE) is not None:
            self.looked.emit(item.data(CANDIDATE))

    def _entered(self, item: Any) -> None:
        self._rest(item.data(CANDIDATE))

    def _rest(self, candidate: Candidate | None) -> None:
        if candidate is None and self._under is not None:
            self.hovered.emit(None)
        self._under = candidate
        if candidate is None:
            self._resting.stop()
        else:
            self._resting.start()

    def _rested(self) -> None:
        if self._under is not None and self.underMouse():
            self.hovered.emit(self._under)

    def _open_menu(self, position: Any) -> None:
        item = self.itemAt(position)
        candidate = item.data(CANDIDATE) if item is not None else None
        if candidate is None:
            return
        self._rest(None)
        menu = QtWidgets.QMenu(self)
        menu.setObjectName(f"{self.objectName()}_menu")
        for key, label in ACTIONS.items():
            if key in SEPARATED:
                menu.addSeparator()
            action = menu.addAction(_(label) if key != "star" or not candidate.starred else _("Remove the Star"))
            action.setObjectName(f"{self.objectName()}_{key}")
            action.triggered.connect(self._chooser(key, candidate))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.viewport().mapToGlobal(position))

    def _chooser(self, key: str, candidate: Candidate) -> Callable[..., None]:
        return guarded(lambda: self.acted.emit(key, candidate))


def _name(item: Any) -> object:
    candidate = item.data(CANDIDATE)
    return candidate.key if candidate is not None else item.data(HEADING).job


def _row_name(row: Candidate | Heading) -> object:
    return row.key if isinstance(row, Candidate) else row.job
