"""The menu of what is seldom wanted: the server, what documents remember, layers from a file. Knows the panel, the session and
kritarc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.forms.server_address import choose_server, chosen_server, try_server
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import refusal
from acetate.plugins.bridge.translations import _
from acetate.protocol import Address
from krita import Krita

from ..qt import QtCore, guarded
from ..session import Session
from ..widgets.form_panel import FormPanel
from ..widgets.server_dialog import ServerDialog, Told
from . import remembering, settings


class SettingsMenu(QtCore.QObject):
    """Fills the panel's menu, and keeps what is chosen in it and in the panel's list of styles."""

    def __init__(self, panel: FormPanel, session: Session, insert_file: Callable[[], None]) -> None:
        super().__init__(panel)
        self._panel, self._session = panel, session
        menu = panel.settings_menu
        menu.setToolTipsVisible(True)
        self._remember = menu.addAction(_("Save Prompts in Documents"))
        self._remember.setCheckable(True)
        self._remember.setToolTip(_("Prompts and settings are saved inside .kra files, for Repeat and Refine after reopening."))
        self._remember.triggered.connect(guarded(settings.keep_prompts_in_documents))
        self._chosen = menu.addAction(_("Insert Results Only When I Choose"))
        self._chosen.setCheckable(True)
        self._chosen.setToolTip(_("A finished result waits for its button; otherwise it is inserted when your hand is free."))
        self._chosen.triggered.connect(guarded(self._insert_when_chosen))
        self._forget = self._add(_("Take Prompts out of This Document"), self._take_out)
        menu.addSeparator()
        self._add(_("Insert Layers from File") + "…", insert_file)
        self._add(_("Server…"), self.ask_for_server)
        menu.aboutToShow.connect(guarded(self._show))
        self._show()
        panel.style.use(settings.styles())
        panel.style.kept.connect(guarded(settings.keep_styles))

    def ask_for_server(self) -> None:
        """Ask where the server is; nothing waits for the answer."""
        dialog = ServerDialog(self._panel, chosen_server(), self._try)
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.decided.connect(guarded(self._choose))
        dialog.open()

    def _try(self, address: Address | None, tell: Told) -> None:
        def told(answer: tuple[bool, str] | None, error: BaseException | None) -> None:
            tell(answer if answer is not None else (False, str(error)))

        self._session.aside(lambda: try_server(address), told)

    def _choose(self, address: Address | None) -> None:
        if address == chosen_server():
            return
        try:
            if self._session.current is not None:
                raise RefusedError(_("A generation runs. Wait for it, or cancel it, before you choose another server."))
            choose_server(address)
            self._session.reconnect()
        except OSError as error:
            wrong = _("The server's address cannot be kept: {reason}. Make that folder writable.").format(reason=error)
            self._session.failed.emit(refusal(RefusedError(wrong)))
        except RefusedError as refused:
            self._session.failed.emit(refusal(refused))

    def _show(self) -> None:
        self._remember.setChecked(settings.prompts_in_documents())
        self._chosen.setChecked(not settings.inserts_at_once())
        document = Krita.instance().activeDocument()
        self._forget.setEnabled(document is not None and remembering.is_saved(document))

    def _insert_when_chosen(self, wanted: bool) -> None:
        settings.keep_inserting_at_once(not wanted)
        self._session.set_inserting_at_once(not wanted)

    def _take_out(self) -> None:
        if (document := Krita.instance().activeDocument()) is not None:
            remembering.unsave(document)

    def _add(self, text: str, slot: Callable[[], None]) -> Any:
        action = self._panel.settings_menu.addAction(text)
        action.triggered.connect(guarded(slot))
        return action
