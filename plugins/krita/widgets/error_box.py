"""One line that says what went wrong and what to do, with the details to copy for a report; or what is worth knowing."""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained
from acetate.protocol import Failure

from ..qt import Qt, QtGui, QtWidgets, guarded
from .fields import Sentence, tell, tool_button

ERROR, NOTE = (210, 50, 50), (60, 130, 200)
"""Red, green and blue that the box is tinted with."""


class ErrorBox(QtWidgets.QFrame):
    """A box that shows a failure or a note, and is hidden while there is neither."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("acetate_error")
        self.details = ""
        """What *Copy details* copies."""
        self._tint = ERROR
        self._text = Sentence("acetate_error_text")
        self._copy = tool_button("acetate_copy_details", _("Copy details"))
        tell(self._copy, _("Copy details"), _("Copy what happened, for a report."))
        self._copy.clicked.connect(guarded(self._copy_details))
        close = tool_button("acetate_close_error", "✕")
        tell(close, _("Close"), _("Hide this message."))
        close.clicked.connect(self.hide)
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(8, 4, 4, 4)
        layout.setSpacing(2)
        layout.addWidget(self._text, 0, 0, 2, 1)
        layout.addWidget(close, 0, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._copy, 1, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        layout.setColumnStretch(0, 1)
        tell(self._text, _("Message"), _("What went wrong, or what is worth knowing."))
        self.hide()

    def show_failure(self, failure: Failure, circumstances: str) -> None:
        """Show what went wrong; a refusal of the plug-in's own has no details to report."""
        self._tint = ERROR
        self.details = f"{failure.message} ({failure.code})\n{failure.hint}\n\n{circumstances}"
        self._text.setText(explained(failure))
        self._copy.setVisible(failure.code != "refused")
        self._copy.setText(_("Copy details"))
        self.show()

    def show_note(self, text: str) -> None:
        """Show something that an artist may want to know though nothing went wrong."""
        self._tint = NOTE
        self._text.setText(text)
        self._copy.hide()
        self.show()

    def text(self) -> str:
        return str(self._text.text())

    def _copy_details(self) -> None:
        QtWidgets.QApplication.clipboard().setText(self.details)
        self._copy.setText(_("Copied"))

    def paintEvent(self, _event: Any) -> None:  # noqa: N802
        """The window's colour, tinted: readable in dark and light themes."""
        window = self.palette().color(QtGui.QPalette.ColorRole.Window)
        tinted = QtGui.QColor(*((3 * own + tint) // 4 for own, tint in zip(window.getRgb()[:3], self._tint, strict=True)))
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tinted)
        painter.drawRoundedRect(self.rect(), 3, 3)
        painter.end()
