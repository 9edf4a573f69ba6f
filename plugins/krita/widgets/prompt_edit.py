"""The field for a prompt: several lines, Ctrl+Return generates, Ctrl+Up and Ctrl+Down weigh the word at the cursor, and names of
LoRAs and embeddings are completed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.emphasis import emphasised
from acetate.plugins.bridge.forms.completion import Completion

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, guarded

RETURN = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
ARROWS = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}
TAKES = (*RETURN, Qt.Key.Key_Tab, Qt.Key.Key_Escape)
"""The keys that take or leave what the list of completions shows."""


class PromptEdit(QtWidgets.QPlainTextEdit):
    """A text field of a fixed number of lines."""

    submitted = Signal()

    def __init__(self, name: str, placeholder: str, lines: int) -> None:
        super().__init__(objectName=name, placeholderText=placeholder, tabChangesFocus=True)
        margins = 2 * (self.frameWidth() + int(self.document().documentMargin()))
        self.setFixedHeight(self.fontMetrics().lineSpacing() * lines + margins)
        self.completions: Callable[[str, int], Completion | None] = lambda _text, _cursor: None
        """(text, cursor) -> what may follow there."""
        self._offered: Completion | None = None
        self._names = QtCore.QStringListModel(self)
        self._completer = QtWidgets.QCompleter(self._names, self)
        self._completer.setWidget(self)
        self._completer.setCompletionMode(QtWidgets.QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.activated[str].connect(guarded(self._take))
        self.textChanged.connect(guarded(self._complete))

    def canInsertFromMimeData(self, source: Any) -> bool:  # noqa: N802
        """Words can be dropped here; a file belongs to the docker."""
        return not source.hasUrls() and bool(super().canInsertFromMimeData(source))

    def text(self) -> str:
        return str(self.toPlainText())

    def set_text(self, text: str) -> None:
        """Show it; Ctrl+Z in the field brings back what stood there."""
        if text != self.toPlainText():
            self._replace(0, len(self.toPlainText()), text)

    def event(self, event: Any) -> bool:
        # Krita has shortcuts on plain letters, Space and Delete; accepting the override keeps typing here.
        if event.type() == QtCore.QEvent.Type.ShortcutOverride and _is_typing(event):
            event.accept()
            return True
        if event.type() == QtCore.QEvent.Type.KeyPress and self._is_for_the_list(event.key()):
            event.ignore()
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

    def insert_words(self, words: str) -> None:
        """Add words at the end, after a comma where there is something before."""
        before = self.text().rstrip(" ,\n")
        self._replace(len(before), len(self.text()), f", {words}" if before else words)

    def _replace(self, start: int, end: int, text: str) -> None:
        """Replace a part as one step of the field's undo; the cursor is behind it. Characters are counted as Qt does."""
        whole = self.toPlainText()
        cursor = self.textCursor()
        cursor.setPosition(_units(whole[:start]))
        cursor.setPosition(_units(whole[:end]), QtGui.QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text)
        self.setTextCursor(cursor)

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

    def _is_for_the_list(self, key: Any) -> bool:
        return key in TAKES and self._completer.popup().isVisible()

    # --- completion --------------------------------------------------------------------------------------------------

    def _complete(self) -> None:
        """Show the names that the word at the cursor may become, while someone types here."""
        self._offered = self.completions(self.text(), self._cursor()) if self.hasFocus() else None
        popup = self._completer.popup()
        if self._offered is None:
            popup.hide()
            return
        self._names.setStringList(list(self._offered.texts))
        place = self.cursorRect()
        place.setWidth(popup.sizeHintForColumn(0) + popup.verticalScrollBar().sizeHint().width() + 2 * popup.frameWidth())
        self._completer.complete(place)
        popup.setCurrentIndex(self._completer.completionModel().index(0, 0))

    def _take(self, name: str) -> None:
        offered, self._offered = self._offered, None
        if offered is not None and name in offered.texts:
            self._replace(offered.start, self._cursor(), offered.texts[name])
        self._completer.popup().hide()

    def _cursor(self) -> int:
        """The cursor's place in characters."""
        position = self.textCursor().position()
        return len(self.toPlainText().encode("utf-16-le")[: 2 * position].decode("utf-16-le", "ignore"))


def _units(text: str) -> int:
    """How long Qt takes a text to be: a character outside the first 65,536 counts twice."""
    return len(text.encode("utf-16-le")) // 2


def _is_typing(event: Any) -> bool:
    control = bool(event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier))
    if control:
        return event.key() in (*RETURN, *ARROWS, Qt.Key.Key_Backspace, Qt.Key.Key_Delete, Qt.Key.Key_Left, Qt.Key.Key_Right)
    return bool(event.text()) or event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Up, Qt.Key.Key_Down)
