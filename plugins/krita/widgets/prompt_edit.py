"""The field for a prompt: several lines, Ctrl+Return generates, Ctrl+Up and Ctrl+Down weigh the word at the cursor."""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.emphasis import emphasised

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal

RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
ARROWS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


class PromptEdit(QtWidgets.QPlainTextEdit):
    """A text field of a fixed number of lines."""

    submitted = Signal()

    def __init__(self, name: str, placeholder: str, lines: int) -> None:
        super().__init__(objectName=name, placeholderText=placeholder, tabChangesFocus=True)
        margins = 2 * (self.frameWidth() + int(self.document().documentMargin()))
        self.setFixedHeight(self.fontMetrics().lineSpacing() * lines + margins)

    def text(self) -> str:
        return str(self.toPlainText())

    def set_text(self, text: str) -> None:
        if text != self.toPlainText():
            self.setPlainText(text)

    def event(self, event: Any) -> bool:
        # Krita has shortcuts on plain letters, Space and Delete; accepting the override keeps typing here.
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and _is_typing(event):
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.key() in RETURN:
                self.submitted.emit()
                return
            if event.key() in ARROWS:
                self._weigh(ARROWS[event.key()])
                return
        super().keyPressEvent(event)

    def _weigh(self, steps: int) -> None:
        """Replace only what changes, so that Ctrl+Z in the field takes one step back."""
        cursor = self.textCursor()
        before = self.toPlainText()
        edit = emphasised(before, cursor.selectionStart(), cursor.selectionEnd(), steps)
        if edit.text == before:
            return
        cursor.select(QtGui.QTextCursor.SelectionType.Document)
        cursor.insertText(edit.text)
        cursor.setPosition(edit.start)
        cursor.setPosition(edit.end, QtGui.QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)


def _is_typing(event: Any) -> bool:
    control = bool(event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier))
    if control:
        return event.key() in (*RETURN, *ARROWS, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Left, Qt.Key.Key_Right)
    return bool(event.text()) or event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Down)
