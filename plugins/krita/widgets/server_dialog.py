"""Where the server is: on this computer, or at an address with a token. *Test* says whether it works, or what is wrong.

Knows widgets; asks nobody itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.forms.server_address import read_address
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained
from acetate.protocol import Address, ProtocolError

from ..qt import Qt, QtWidgets, Signal, guarded
from .fields import side_by_side, tell

Told = Callable[[tuple[bool, str]], None]
"""Is told whether the server works, and what to say of it."""


class ServerDialog(QtWidgets.QDialog):
    """Asks for the server; nothing waits for the answer, which comes by `decided`."""

    decided = Signal(object)
    """The `Address`, or `None` for this computer."""

    def __init__(self, parent: Any, present: Address | None, test: Callable[[Address | None, Told], None]) -> None:
        """`test` finds out on a thread whether a server works, and tells it here."""
        super().__init__(parent)
        self.setObjectName("acetate_server_dialog")
        self.setWindowTitle(_("Acetate's Server"))
        self._ask, self._asked = test, 0
        self.local = QtWidgets.QRadioButton(_("On this computer"), objectName="acetate_server_local")
        tell(self.local, _("On this computer"), _("The server is started when it is needed."))
        self.other = QtWidgets.QRadioButton(_("On another computer"), objectName="acetate_server_other")
        tell(self.other, _("On another computer"), _("One that somebody has started with acetate serve."))
        self.url = QtWidgets.QLineEdit(objectName="acetate_server_url", placeholderText="ws://192.168.1.20:22380/")
        tell(self.url, _("Address"), _("The server's name or number with its port; wss:// for an encrypted connection."))
        self.token = QtWidgets.QLineEdit(objectName="acetate_server_token")
        self.token.setEchoMode(QtWidgets.QLineEdit.EchoMode.PasswordEchoOnEdit)
        tell(
            self.token,
            _("Token"),
            _("What acetate token add NAME prints on the server's computer. It is kept where only you can read it."),
        )
        self.cafile = QtWidgets.QLineEdit(
            objectName="acetate_server_cafile", placeholderText=_("Only for wss:// with a certificate of one's own")
        )
        tell(self.cafile, _("Certificate"), _("The file of the server's certificate, where no authority has signed it."))
        self.test = QtWidgets.QPushButton(_("Test"), objectName="acetate_server_test")
        tell(self.test, _("Test"), _("Ask the server whether it works, before it is used."))
        self.answer = QtWidgets.QLabel(objectName="acetate_server_answer", wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        buttons = QtWidgets.QDialogButtonBox
        self.buttons = buttons(buttons.StandardButton.Ok | buttons.StandardButton.Cancel)
        self._lay_out()
        self._show(present)
        self.other.toggled.connect(guarded(self._allow))
        self.test.clicked.connect(guarded(self._test))
        self.buttons.accepted.connect(guarded(self._decide))
        self.buttons.rejected.connect(self.reject)

    def _lay_out(self) -> None:
        rows = QtWidgets.QFormLayout(self)
        rows.addRow(self.local)
        rows.addRow(self.other)
        for label, field in ((_("Address"), self.url), (_("Token"), self.token), (_("Certificate"), self.cafile)):
            rows.addRow(label, field)
        rows.addRow(side_by_side(self.test, QtWidgets.QLabel()))
        rows.addRow(self.answer)
        rows.addRow(self.buttons)
        self.answer.setMinimumHeight(3 * self.answer.fontMetrics().lineSpacing())
        self.setMinimumWidth(420)

    def _show(self, present: Address | None) -> None:
        (self.other if present is not None else self.local).setChecked(True)
        if present is not None:
            self.url.setText(present.url)
            self.token.setText(present.token)
            self.cafile.setText(present.cafile or "")
        self._allow()

    def _allow(self) -> None:
        for field in (self.url, self.token, self.cafile):
            field.setEnabled(self.other.isChecked())
        self.answer.clear()

    def _address(self) -> Address | None:
        """What is filled in. Raises `ProtocolError` with what is wrong."""
        if self.local.isChecked():
            return None
        return read_address(self.url.text(), self.token.text(), self.cafile.text().strip())

    def _test(self) -> None:
        try:
            address = self._address()
        except ProtocolError as wrong:
            self.answer.setText(explained(wrong.failure))
            return
        self._asked += 1
        question = self._asked
        self.test.setEnabled(False)
        self.answer.setText(_("Asking the server…"))
        self._ask(address, lambda told: self._told(question, told))

    def _told(self, question: int, told: tuple[bool, str]) -> None:
        if question == self._asked:
            self.test.setEnabled(True)
            works, said = told
            self.answer.setText(f"✓ {said}" if works else said)

    def _decide(self) -> None:
        try:
            address = self._address()
        except ProtocolError as wrong:
            self.answer.setText(explained(wrong.failure))
            return
        self.decided.emit(address)
        self.accept()
