"""Where the server is: on this computer, or at an address with a token. *Test* says whether it works, or what is wrong.

Does not know what becomes of the answer.
"""

from __future__ import annotations

import threading

from acetate.plugins.bridge.forms.server_address import read_address, try_server
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained
from acetate.protocol import Address, ProtocolError
from gi.repository import GLib, Gtk

from ..widgets.layout import SPACING

CHARACTERS = 50
"""Width at which the answer breaks into lines."""
LINES = 3
"""Room for the answer, so that the dialog keeps its size."""


class ServerDialog:
    """One question. `run` returns whether the person has decided; `.address` is the server then, `None` for this computer."""

    def __init__(self, parent: Gtk.Window, present: Address | None) -> None:
        self.address = present
        self._asked = 0
        self._dialog = Gtk.Dialog(title=_("Acetate's Server"), transient_for=parent, modal=True, border_width=2 * SPACING)
        self._dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
        self._dialog.add_button(_("_OK"), Gtk.ResponseType.OK)
        self._dialog.set_default_response(Gtk.ResponseType.OK)
        self._build()
        self._show(present)

    def run(self) -> bool:
        """Until what is filled in can be an address, or the person gives up."""
        self._dialog.show_all()
        decided = False
        while not decided and self._dialog.run() == Gtk.ResponseType.OK:
            decided = self._read()
        self._asked += 1  # a test that is under way has nobody to tell any more
        self._dialog.destroy()
        return decided

    def _read(self) -> bool:
        """Take what is filled in as the address; what is wrong with it is said."""
        try:
            url, token, cafile = (entry.get_text() for entry in self._entries)
            self.address = None if self._local.get_active() else read_address(url, token, cafile.strip())
        except ProtocolError as wrong:
            self._answer.set_text(explained(wrong.failure))
            return False
        return True

    def _test(self, _button: Gtk.Button) -> None:
        if not self._read():
            return
        self._asked += 1
        question, address = self._asked, self.address
        self._test_button.set_sensitive(False)
        self._answer.set_text(_("Asking the server…"))

        def ask() -> None:
            told = try_server(address)
            GLib.idle_add(self._told, question, *told)

        threading.Thread(target=ask, name="acetate-test-server", daemon=True).start()

    def _told(self, question: int, works: bool, text: str) -> None:
        if question == self._asked:
            self._test_button.set_sensitive(True)
            self._answer.set_text(f"✓ {text}" if works else text)

    def _show(self, present: Address | None) -> None:
        (self._local if present is None else self._other).set_active(True)
        if present is not None:
            for entry, text in zip(self._entries, (present.url, present.token, present.cafile or ""), strict=True):
                entry.set_text(text)
        self._allow()

    def _allow(self, *_: object) -> None:
        """What was said is about another address."""
        for entry in self._entries:
            entry.set_sensitive(self._other.get_active())
        self._asked += 1
        self._test_button.set_sensitive(True)
        self._answer.set_text("")

    def _build(self) -> None:
        local, other = _("On t_his computer"), _("On _another computer")
        self._local = Gtk.RadioButton(label=local, use_underline=True)
        self._local.set_tooltip_text(_("The server is started when it is needed."))
        self._other = Gtk.RadioButton(label=other, use_underline=True, group=self._local)
        self._other.set_tooltip_text(_("One that somebody has started with acetate serve."))
        grid = Gtk.Grid(row_spacing=SPACING, column_spacing=SPACING)
        grid.attach(self._local, 0, 0, 2, 1)
        grid.attach(self._other, 0, 1, 2, 1)
        address = _("The server's name or number with its port; wss:// for an encrypted connection.")
        token = _("What acetate token add NAME prints on the server's computer. It is kept where only you can read it.")
        certificate = _("The file of the server's certificate, where no authority has signed it.")
        about = (
            (_("A_ddress"), "ws://192.168.1.20:22380/", address),
            (_("To_ken"), "", token),
            (_("C_ertificate"), _("Only for wss:// with a certificate of one's own"), certificate),
        )
        self._entries = [self._entry(grid, row, *words) for row, words in enumerate(about, 2)]
        self._entries[1].set_visibility(False)
        self._entries[1].set_input_purpose(Gtk.InputPurpose.PASSWORD)
        self._test_button = Gtk.Button(label=_("_Test"), use_underline=True, halign=Gtk.Align.START)
        self._test_button.set_tooltip_text(_("Ask the server whether it works, before it is used."))
        self._test_button.connect("clicked", self._test)
        grid.attach(self._test_button, 1, 5, 1, 1)
        self._answer = Gtk.Label(wrap=True, selectable=True, xalign=0.0, yalign=0.0, can_focus=False)
        self._answer.set_max_width_chars(CHARACTERS)
        self._answer.set_size_request(-1, LINES * self._answer.create_pango_layout("Ag").get_pixel_size()[1])
        grid.attach(self._answer, 0, 6, 2, 1)
        self._other.connect("toggled", self._allow)
        self._dialog.get_content_area().add(grid)

    def _entry(self, grid: Gtk.Grid, row: int, label: str, example: str, about: str) -> Gtk.Entry:
        entry = Gtk.Entry(placeholder_text=example, tooltip_text=about, width_chars=40, activates_default=True, hexpand=True)
        entry.connect("changed", self._allow)
        grid.attach(Gtk.Label(label=label, use_underline=True, mnemonic_widget=entry, xalign=0.0), 0, row, 1, 1)
        grid.attach(entry, 1, row, 1, 1)
        return entry
