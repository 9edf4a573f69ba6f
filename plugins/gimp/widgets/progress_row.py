"""How far a job is, and a button that stops it. Does not know which job."""

from __future__ import annotations

from collections.abc import Callable

from acetate.plugins.bridge.translations import _
from gi.repository import Gtk

from .layout import SPACING
from .mnemonics import STOP


class ProgressRow:
    """`.widget` is what to pack; `stop` is called when the person wants the job to end."""

    def __init__(self, text: str, stop: Callable[[], None]) -> None:
        self._bar = Gtk.ProgressBar(show_text=True, text=text, valign=Gtk.Align.CENTER)
        self._button = Gtk.Button(label=_(STOP), use_underline=True, sensitive=False)
        self._button.connect("clicked", lambda *_: stop())
        self.widget = Gtk.Box(spacing=SPACING)
        self.widget.pack_start(self._bar, True, True, 0)
        self.widget.pack_start(self._button, False, False, 0)

    def say(self, text: str) -> None:
        """Show this text, and leave the bar as it is."""
        self._bar.set_text(text)

    def show(self, text: str, fraction: float | None) -> None:
        """Show this much of a job as done, from 0 to 1; `None` while nobody knows."""
        self._bar.set_text(text)
        if fraction is None:
            self._bar.pulse()
        else:
            self._bar.set_fraction(fraction)

    def allow_stop(self, allowed: bool) -> None:
        self._button.set_sensitive(allowed)
