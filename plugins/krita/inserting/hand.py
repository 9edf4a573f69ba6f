"""What the artist's hand is doing: whether a change of the document would break it off, and whether it has gone on since then.

Krita tells plug-ins of neither. So this looks at what reaches the canvas, at the tool that is chosen, and at the undo history as
Krita's own docker *History* lists it; and Krita's image says itself whether a stroke, a transformation or a filter is open. Knows
Qt and Krita's windows; knows no job.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..qt import QtCore, QtGui, QtWidgets, Signal, guarded

Type = QtCore.QEvent.Type
PRESSES = {Type.MouseButtonPress, Type.TabletPress, Type.TouchBegin}
RELEASES = {Type.MouseButtonRelease, Type.TabletRelease, Type.TouchEnd, Type.TouchCancel}
DONE_KEYS = {QtCore.Qt.Key.Key_Return, QtCore.Qt.Key.Key_Enter, QtCore.Qt.Key.Key_Escape}

CLICK_BY_CLICK = {
    "KisToolSelectPolygonal",
    "KisToolSelectMagnetic",
    "KisToolSelectPath",
    "KisToolPath",
    "KisToolPolygon",
    "KisToolPolyline",
    "KisToolCrop",
    "KisToolEncloseAndFill",
    "KisAssistantTool",
    "SvgTextTool",
}
"""Tools that go on after the button is up, without a stroke in the image."""
TEXT = "SvgTextTool"
MOVE = "KritaTransform/KisToolMove"
"""Keeps its stroke open after the button is up, and loses nothing when that is closed."""
LAYERS, HISTORY = "KisLayerBox", "History"
"""Krita's dockers that list layers and the steps of the undo history."""
EDITORS = {"SvgTextEditor"}
"""Krita's windows of their own that edit something in the document."""

QUIET_SECONDS = 0.3
"""How long a hand rests between two strokes that belong together."""


class Hand(QtCore.QObject):
    """The artist's hand, in all windows."""

    history_moved = Signal()
    """Something was done, undone or redone; several times for one step."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self._app = app
        self._watched: list[Any] = []
        """The windows, and their lists of layers and of the undo history, that are watched."""
        self._layers: list[Any] = []
        """The lists of layers."""
        self._pen_down = False
        self._released = 0.0
        self._session = ""
        """The tool that goes on from click to click."""
        self._presses = 0
        self._acts = 0
        self._expected = 0
        """How many steps of the undo history are still to come that are not the artist's."""
        self._known: dict[str, int] = {}
        """How far each document's undo history was when it was looked at last."""
        self.on_press: Callable[[], None] | None = None
        """Called before a press reaches the canvas."""

    def watch(self) -> None:
        """Watch all windows that there are. Harmless to repeat.

        What comes to a window goes to its canvas afterwards, where Krita's own filter would be before this one.
        """
        for window in self._app.windows():
            main = window.qwindow()
            handle = main.windowHandle()
            if handle is not None and handle not in self._watched:
                self._watched.append(handle)
                handle.installEventFilter(self)
            layers = _list_in(main, LAYERS)
            if layers is not None and layers.viewport() not in self._watched:
                self._watched.append(layers.viewport())
                self._layers.append(layers.viewport())
                layers.viewport().installEventFilter(self)
            listed = _history(main)
            if listed is not None and listed not in self._watched:
                self._watched.append(listed)
                listed.modelReset.connect(self._history_moved)
        self._look()

    # --- whether it is free ------------------------------------------------------------------------------------------

    def is_free(self, document: Any) -> bool:
        """Whether a change of the document would break nothing off."""
        self.watch()
        if QtWidgets.QApplication.mouseButtons() != QtCore.Qt.MouseButton.NoButton or self._pen_down:
            return False
        if time.monotonic() - self._released < QUIET_SECONDS or self._is_asked() or self._in_session():
            return False
        return self._tool() == MOVE or _is_idle(document)

    def _in_session(self) -> bool:
        if self._session and self._tool() != self._session:
            self._session = ""
        return bool(self._session)

    def _is_asked(self) -> bool:
        """Whether a menu, a dialog or a field inside a list waits for the artist."""
        application = QtWidgets.QApplication
        modal, focus = application.activeModalWidget(), application.focusWidget()
        if application.activePopupWidget() is not None or (modal is not None and not isinstance(modal, QtWidgets.QFileDialog)):
            return True
        if (window := application.activeWindow()) is not None and _class(window) in EDITORS:
            return True
        lists = focus.parent().parent() if focus is not None and focus.parent() is not None else None
        return isinstance(focus, QtWidgets.QLineEdit) and isinstance(lists, QtWidgets.QAbstractItemView)

    def _tool(self) -> str:
        """The tool that is chosen in the window in front, by Krita's name; empty when that cannot be told."""
        window = self._app.activeWindow()
        box = window.qwindow().findChild(QtWidgets.QDockWidget, "ToolBox") if window is not None else None
        buttons = box.findChildren(QtWidgets.QToolButton) if box is not None else ()
        return next((str(one.objectName()) for one in buttons if one.isChecked() and one.objectName()), "")

    # --- whether it has gone on --------------------------------------------------------------------------------------

    def moment(self) -> tuple[int, int]:
        """How far the artist has worked: another value after each press on a canvas or a list of layers, and each step of an
        undo history."""
        self._look()
        return self._presses, self._acts

    def expect(self, steps: int) -> None:
        """So many steps of the undo history follow that are not the artist's."""
        self._look()
        self._expected += steps

    def settle(self) -> None:
        """What was expected has come, or does not."""
        self._look()
        self._expected = 0

    def _look(self) -> None:
        """Count what was done since the last look."""
        document, window = self._app.activeDocument(), self._app.activeWindow()
        root = document.rootNode() if document is not None else None
        main = window.qwindow() if window is not None else None
        at = _history_index(main) if main is not None else None
        if root is None or at is None or at < 0:  # the list is being filled
            return
        key = str(root.uniqueId().toString())
        before = self._known.get(key)
        self._known[key] = at
        if before is None or at == before:
            return
        if self._session != TEXT:
            self._session = ""  # a closed outline, a cropped canvas: it is in the history now
        ours = min(self._expected, max(0, at - before))
        self._expected -= ours
        self._acts += at - before != ours

    # --- what is seen ------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802
        kind = event.type()
        if kind in PRESSES:
            if watched in self._layers:  # an eye or a lock is no step of the undo history
                self._acts += 1
            elif _is_on_canvas(self._app.activeWindow(), kind):
                self._pressed(kind)
        elif kind in RELEASES:
            self._pen_down, self._released = False, time.monotonic()
        elif kind == Type.MouseButtonDblClick and _is_on_canvas(self._app.activeWindow(), kind):
            self._presses += 1
            self._session = ""
        elif kind == Type.KeyPress and self._session not in ("", TEXT) and event.key() in DONE_KEYS:
            self._session = ""
        return False

    def _pressed(self, kind: Any) -> None:
        self._presses += 1
        self._pen_down = kind != Type.MouseButtonPress  # Qt itself knows of the mouse
        tool = self._tool()
        self._session = tool if tool in CLICK_BY_CLICK else ""
        if self.on_press is not None:
            self.on_press()

    @guarded
    def _history_moved(self) -> None:
        self._look()
        self.history_moved.emit()


def _class(widget: Any) -> str:
    return str(widget.metaObject().className())


def _is_on_canvas(window: Any, kind: Any) -> bool:
    """Whether the pointer is on a picture; a finger has no pointer."""
    if window is None or kind == Type.TouchBegin:
        return window is not None
    main = window.qwindow()
    widget = main.childAt(main.mapFromGlobal(QtGui.QCursor.pos()))
    return widget is not None and is_canvas(widget)


def is_canvas(widget: Any) -> bool:
    """Whether Krita paints a picture in the widget, by whatever means."""
    name = _class(widget)
    return name.startswith("Kis") and "Canvas" in name and "Controller" not in name


def _history(main: Any) -> Any | None:
    """What Krita's docker *History* lists: the steps of the document in front, and which one was done last."""
    view = _list_in(main, HISTORY)
    return view.model() if view is not None else None


def _list_in(main: Any, name: str) -> Any | None:
    """The list in one of Krita's own dockers, hidden or not."""
    docker = main.findChild(QtWidgets.QDockWidget, name)
    return docker.findChild(QtWidgets.QAbstractItemView) if docker is not None else None


def _history_index(main: Any) -> int | None:
    view = _list_in(main, HISTORY)
    if view is None or view.model() is None or view.selectionModel() is None:
        return None
    return int(view.selectionModel().currentIndex().row())


def _is_idle(document: Any) -> bool:
    """Whether the image does nothing and nothing in it is open, such as a stroke or a transformation."""
    if document.tryBarrierLock():
        document.unlock()
        return True
    return False
