"""Distances and heights: what the window's parts have in common."""

from __future__ import annotations

from gi.repository import Gdk, Gtk

SPACING = 6
"""Pixels between neighbours; GIMP's dialogs have the same."""


class Growth:
    """Gives a window its height back when what made it higher has gone: GTK only ever lets windows grow by themselves."""

    def __init__(self, widget: Gtk.Widget) -> None:
        self._widget = widget
        self._before: int | None = None

    def begin(self) -> None:
        """Something is about to need room."""
        window = self._widget.get_toplevel()
        if self._before is None and isinstance(window, Gtk.Window) and window.get_mapped():
            self._before = window.get_size().height

    def end(self) -> None:
        """It needs it no more. A person who has made the window smaller meanwhile keeps that."""
        window, before, self._before = self._widget.get_toplevel(), self._before, None
        if before is not None and isinstance(window, Gtk.Window):
            size = window.get_size()
            window.resize(size.width, min(size.height, before))


def height_of_screen(widget: Gtk.Widget) -> int:
    """How high the smallest screen is, without panels, in the units of widgets: half as many on one of twice the density."""
    display = widget.get_display() or Gdk.Display.get_default()
    height: int = min(display.get_monitor(number).get_workarea().height for number in range(display.get_n_monitors()))
    return height
