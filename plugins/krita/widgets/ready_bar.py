"""What lies ready and waits for the artist: how much, a button that puts it in, and one that dismisses it.

Knows widgets and results; the session does the work.
"""

from __future__ import annotations

from collections.abc import Sequence

from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.translations import _, counted

from ..qt import QtWidgets, Signal, guarded
from .fields import SPACING


class ReadyBar(QtWidgets.QWidget):
    """Hidden while nothing is ready."""

    insert = Signal(object)
    """The artist wants this `PendingResult` now."""
    dismiss = Signal(object)
    """He does not want it in the document; it stays in the history."""

    def __init__(self) -> None:
        super().__init__(objectName="acetate_ready", visible=False)
        self._oldest: PendingResult | None = None
        self.text = QtWidgets.QLabel(objectName="acetate_ready_text", wordWrap=True)
        self.insert_button = QtWidgets.QPushButton(_("Insert"), objectName="acetate_ready_insert")
        self.insert_button.setToolTip(_("Put the oldest result that is ready into its document now"))
        self.dismiss_button = QtWidgets.QPushButton(_("Not Now"), objectName="acetate_ready_dismiss")
        self.dismiss_button.setToolTip(_("Leave it out of the document; it stays in the history"))
        self.insert_button.clicked.connect(guarded(lambda: self._tell(self.insert)))
        self.dismiss_button.clicked.connect(guarded(lambda: self._tell(self.dismiss)))
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(self.insert_button)
        row.addWidget(self.dismiss_button)
        row.addStretch(1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACING)
        column.addWidget(self.text)
        column.addLayout(row)

    def show_ready(self, results: Sequence[PendingResult]) -> None:
        """Show what is ready, oldest first."""
        self._oldest = results[0] if results else None
        if self._oldest is not None:
            waits = counted("{count} result is ready", "{count} results are ready", len(results))
            when = _("{results} – will be inserted when your hand is free") if self._oldest.held else _("{results} to insert")
            self.text.setText(when.format(results=waits))
        self.setVisible(self._oldest is not None)

    def _tell(self, signal: Signal) -> None:
        if self._oldest is not None:
            signal.emit(self._oldest)
