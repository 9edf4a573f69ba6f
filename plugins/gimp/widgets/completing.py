"""A list at the cursor of a text view with what may follow there: arrows choose, Return and Tab take, Escape leaves.

Knows text; does not know what is completed.
"""

from __future__ import annotations

from collections.abc import Callable

from acetate.plugins.bridge.forms.completion import Completion
from gi.repository import Gdk, GLib, Gtk

ROWS = 6
"""The most names that are shown."""
TAKES = (Gdk.KEY_Return, Gdk.KEY_KP_Enter, Gdk.KEY_Tab)
MOVES = {Gdk.KEY_Up: -1, Gdk.KEY_Down: 1}


class Completing:
    """Works on `view`; `completions` gives what may follow, from a text and the cursor's place."""

    def __init__(self, view: Gtk.TextView) -> None:
        self._view = view
        self.completions: Callable[[str, int], Completion | None] = lambda _text, _cursor: None
        self._offered: Completion | None = None
        self._names: list[str] = []
        self._writing = False
        self._list = Gtk.ListBox(selection_mode=Gtk.SelectionMode.BROWSE)
        self._list.connect("row-activated", lambda *_: self._take())
        self._popover = Gtk.Popover(modal=False, position=Gtk.PositionType.BOTTOM, relative_to=view)
        self._popover.add(self._list)
        self._list.show()
        view.connect("key-press-event", self._on_key)
        view.connect("focus-out-event", lambda *_: self._leave())
        view.get_buffer().connect("changed", lambda *_: GLib.idle_add(self._look))

    def _look(self) -> None:
        """After a change, when the cursor is at its place."""
        if self._writing or not self._view.has_focus():
            return
        buffer = self._view.get_buffer()
        cursor = buffer.get_iter_at_mark(buffer.get_insert())
        text = buffer.get_text(buffer.get_start_iter(), buffer.get_end_iter(), False)
        self._offered = self.completions(text, cursor.get_offset())
        if self._offered is None:
            self._leave()
            return
        self._fill(list(self._offered.texts)[:ROWS])
        place = self._view.get_iter_location(cursor)
        place.x, place.y = self._view.buffer_to_window_coords(Gtk.TextWindowType.WIDGET, place.x, place.y)
        self._popover.set_pointing_to(place)
        self._popover.popup()

    def _fill(self, names: list[str]) -> None:
        self._names = names
        for row in self._list.get_children():
            row.destroy()
        for name in names:
            self._list.add(Gtk.Label(label=name, xalign=0.0, margin=2))
        self._list.show_all()
        self._list.select_row(self._list.get_row_at_index(0))

    def _on_key(self, _view: Gtk.TextView, event: Gdk.EventKey) -> bool:
        if self._offered is None or event.state & (Gdk.ModifierType.CONTROL_MASK | Gdk.ModifierType.MOD1_MASK):
            return False
        if event.keyval in TAKES:
            self._take()
        elif event.keyval in MOVES:
            at = self._list.get_selected_row().get_index() + MOVES[event.keyval]
            self._list.select_row(self._list.get_row_at_index(at % len(self._names)))
        elif event.keyval == Gdk.KEY_Escape:
            self._leave()
        else:
            return False
        return True

    def _take(self) -> None:
        """Put the chosen name's text in the place of what was typed of it."""
        offered, name = self._offered, self._names[self._list.get_selected_row().get_index()]
        self._leave()
        if offered is None:
            return
        buffer = self._view.get_buffer()
        self._writing = True
        start, end = buffer.get_iter_at_offset(offered.start), buffer.get_iter_at_mark(buffer.get_insert())
        buffer.delete(start, end)
        buffer.insert_at_cursor(offered.texts[name], -1)
        self._writing = False

    def _leave(self) -> None:
        self._offered = None
        self._popover.popdown()
