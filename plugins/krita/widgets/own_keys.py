"""The ground that the docker's widgets stand on: keys that belong to them stay there, and files can be dropped on it.

Krita has shortcuts on single keys, which reach through every focused widget that does not claim its keys. Qt asks the focused
widget and then those around it; so one answer here serves all of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..pictures.dragging import files_in
from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal

EDITING = ("Undo", "Redo", "Cut", "Copy", "Paste", "SelectAll")
"""What a field for text does by Qt's standard keys, and Krita would do to the picture."""


class Ground(QtWidgets.QWidget):
    """A plain widget around all others."""

    dropped = Signal(object)
    """Files of layers (`pathlib.Path`) that were dropped on the docker."""

    def __init__(self) -> None:
        super().__init__(acceptDrops=True)

    def event(self, event: Any) -> bool:
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and is_own(event):
            event.accept()
            return True
        return bool(super().event(event))

    def dragEnterEvent(self, event: Any) -> None:  # noqa: N802
        if files_in(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:  # noqa: N802
        paths: list[Path] = files_in(event.mimeData())
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(paths)


def is_own(event: Any) -> bool:
    """Whether a key belongs to the focused widget rather than to Krita: every single key, and the standard ones of editing.

    Function keys and Escape stay Krita's; so does what is pressed with Ctrl, Alt or Meta.
    """
    commands = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
    if event.modifiers() & commands:
        return any(event.matches(getattr(QtGui.QKeySequence.StandardKey, name)) for name in EDITING)
    key = event.key()
    function = Qt.Key.Key_F1 <= key <= Qt.Key.Key_F35
    return not function and key not in (Qt.Key.Key_Escape, Qt.Key.Key_unknown)
