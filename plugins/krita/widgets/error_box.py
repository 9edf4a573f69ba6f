"""What went wrong and what to do, with the details to copy for a report, the log, and another try; or what is worth knowing."""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.status.log_file import log_file
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained
from acetate.protocol import Failure

from ..qt import Qt, QtCore, QtGui, QtWidgets, Signal, guarded
from .fields import SPACING, Sentence, tell, tool_button

ERROR, NOTE = (210, 50, 50), (60, 130, 200)
"""Red, green and blue that the box is tinted with."""


class ErrorBox(QtWidgets.QFrame):
    """A box that shows a failure or a note, and is hidden while there is neither."""

    again = Signal()
    """*Try again* was pressed."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("acetate_error")
        self.details = ""
        """What *Copy details* copies."""
        self.failure: Failure | None = None
        """What is shown; `None` for a note."""
        self._tint = ERROR
        self._text = Sentence("acetate_error_text")
        tell(self._text, _("Message"), _("What went wrong, or what is worth knowing."))
        self._again = tool_button("acetate_try_again", _("Try again"))
        tell(self._again, _("Try again"), _("Look for the server once more."))
        self._copy = tool_button("acetate_copy_details", _("Copy details"))
        tell(self._copy, _("Copy details"), _("Copy what happened, for a report."))
        self._log = tool_button("acetate_open_log", _("Open log"))
        tell(self._log, _("Open log"), _("Open the plug-in's own log: {path}").format(path=log_file("krita")))
        self._again.clicked.connect(guarded(lambda: self.again.emit()))
        self._copy.clicked.connect(guarded(self._copy_details))
        self._log.clicked.connect(guarded(_open_log))
        close = tool_button("acetate_close_error", "✕")
        tell(close, _("Close"), _("Hide this message."))
        close.clicked.connect(self.hide)
        upper = QtWidgets.QHBoxLayout()
        upper.addWidget(self._text, 1)
        upper.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        lower = QtWidgets.QHBoxLayout()
        lower.setSpacing(SPACING)
        lower.addStretch(1)
        for button in (self._again, self._copy, self._log):
            lower.addWidget(button)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 4, 4)
        layout.setSpacing(2)
        layout.addLayout(upper)
        layout.addLayout(lower)
        self.hide()

    def show_failure(self, failure: Failure, circumstances: str, *, may_try_again: bool = False) -> None:
        """Show what went wrong, and with `may_try_again` the button for it."""
        self._tint, self.failure = ERROR, failure
        self.details = f"{failure.message} ({failure.code})\n{failure.hint}\n\n{circumstances}"
        self._text.setText(explained(failure))
        self._again.setVisible(may_try_again)
        self._copy.setText(_("Copy details"))
        self._copy.show()
        self._log.setVisible(log_file("krita").exists())
        self.show()

    def show_note(self, text: str) -> None:
        """Show something that an artist may want to know though nothing went wrong."""
        self._tint, self.failure = NOTE, None
        self._text.setText(text)
        for button in (self._again, self._copy, self._log):
            button.hide()
        self.show()

    def text(self) -> str:
        return self._text.text()

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


def _open_log() -> None:
    QtGui.QDesktopServices.openUrl(QtCore.QUrl.fromLocalFile(str(log_file("krita"))))
