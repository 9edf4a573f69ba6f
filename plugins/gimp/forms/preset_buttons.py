"""GIMP's own buttons for the values of a form: load what was saved, save, reset. Does not know what the values are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acetate.plugins.bridge.translations import _
from gi.repository import Gtk

from ..widgets.mnemonics import LOAD, RESET, SAVE
from .presets import Presets


class PresetButtons:
    """`.widgets` stand at the left of the window's buttons; `present` says which form is shown."""

    def __init__(self, present: Callable[[], Presets], say: Callable[..., None]) -> None:
        self._present, self._say = present, say
        self._load = self._button(_(LOAD), lambda: present().load())
        save = self._button(_(SAVE), lambda: present().save())
        reset = Gtk.MenuButton(label=_(RESET), use_underline=True, popup=self._choices())
        self.widgets: Sequence[Gtk.Widget] = (self._load, save, reset)

    def adapt(self) -> None:
        """What can be loaded depends on the form."""
        self._load.set_sensitive(self._present().has_saved)

    def _button(self, label: str, act: Callable[[], None]) -> Gtk.Button:
        button = Gtk.Button(label=label, use_underline=True)
        button.connect("clicked", lambda *_: self._do(act))
        return button

    def _choices(self) -> Gtk.Menu:
        menu = Gtk.Menu()
        for label, act in (
            (_("Reset to _Initial Values"), lambda: self._present().reset_to_initial()),
            (_("Reset to _Factory Defaults"), lambda: self._present().reset_to_factory()),
        ):
            entry = Gtk.MenuItem(label=label, use_underline=True)
            entry.connect("activate", lambda _entry, act=act: self._do(act))
            menu.append(entry)
        menu.show_all()
        return menu

    def _do(self, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            self._say(_("The settings cannot be kept: {reason}. Look at GIMP's folder.").format(reason=error.strerror))
        self.adapt()
