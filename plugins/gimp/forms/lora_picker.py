"""A list with a search field that opens at a button: the LoRAs of the server's library for the model, with their pictures."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence

from acetate.plugins.bridge.forms.lora_previews import lora_preview
from acetate.plugins.bridge.forms.offers import Addition
from acetate.plugins.bridge.translations import _
from gi.repository import GdkPixbuf, Gio, GLib, Gtk, Pango

from ..widgets.layout import SPACING

WIDTH, HEIGHT = 280, 220
PICTURE = 40
"""The side of a picture in the list, in pixels."""


class LoraPicker:
    """`.widget` is the popover; `picked` is called with a name."""

    def __init__(self, button: Gtk.MenuButton, picked: Callable[[str], None]) -> None:
        self._picked = picked
        self._loras: Sequence[Addition] = ()
        self._pictures: dict[str, Gtk.Image] = {}
        self._fetched: dict[str, Gio.Icon] = {}
        self.widget = Gtk.Popover.new(button)
        self._list: Gtk.ListBox = Gtk.ListBox(selection_mode=Gtk.SelectionMode.BROWSE)
        self._search = Gtk.SearchEntry(placeholder_text=_("Search"))
        self._search.set_tooltip_text(_("A part of a LoRA's name or of its trigger words."))
        self._search.connect("search-changed", lambda *_: self._list.invalidate_filter())
        self._search.connect("activate", lambda *_: self._pick_first())
        self._list.set_filter_func(lambda row: self._is_wanted(self._loras[row.get_index()]))
        self._list.connect("row-activated", lambda _list, row: self._pick(row))
        none = _(
            "The server's library has no LoRA for this model. Put one into its models folder, or add a folder: acetate models add"
        )
        nothing = Gtk.Label(label=none, wrap=True, max_width_chars=30, visible=True)
        self._list.set_placeholder(nothing)
        scrolled = Gtk.ScrolledWindow(hscrollbar_policy=Gtk.PolicyType.NEVER, shadow_type=Gtk.ShadowType.IN)
        scrolled.set_size_request(WIDTH, HEIGHT)
        scrolled.add(self._list)
        column = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING, border_width=SPACING)
        column.pack_start(self._search, False, False, 0)
        column.pack_start(scrolled, True, True, 0)
        column.show_all()
        self.widget.add(column)
        self.widget.connect("show", lambda *_: self._opened())

    def offer(self, loras: Sequence[Addition]) -> None:
        """Show these."""
        if list(loras) == list(self._loras):
            return
        for row in self._list.get_children():
            row.destroy()
        self._loras = loras
        self._pictures = {one.name: Gtk.Image(pixel_size=PICTURE, width_request=PICTURE) for one in loras}
        for one in loras:
            line = Gtk.Box(spacing=SPACING)
            line.pack_start(self._pictures[one.name], False, False, 0)
            line.pack_start(Gtk.Label(label=one.name, xalign=0.0, ellipsize=Pango.EllipsizeMode.MIDDLE), True, True, 0)
            words = _("Trigger words: {words}").format(words=", ".join(one.triggers)) if one.triggers else ""
            line.set_tooltip_text("\n".join(filter(None, (one.name, one.what, one.caution, words))))
            self._list.add(line)
        self._list.show_all()

    def _opened(self) -> None:
        self._search.set_text("")
        self._search.grab_focus()
        for name, icon in self._fetched.items():
            self._show_picture(name, icon)
        wanted = [one.name for one in self._loras if one.preview and one.name not in self._fetched]

        def fetch() -> None:
            for name in wanted:
                if (data := lora_preview(name)) is not None:
                    GLib.idle_add(self._arrived, name, data)

        if wanted:
            threading.Thread(target=fetch, name="acetate-lora-pictures", daemon=True).start()

    def _arrived(self, name: str, data: bytes) -> None:
        """Show the picture that lies beside the LoRA's file; what is no picture stays unseen."""
        with contextlib.suppress(GLib.Error):
            loader = GdkPixbuf.PixbufLoader()
            loader.write(data)
            loader.close()
            self._fetched[name] = loader.get_pixbuf()
            self._show_picture(name, self._fetched[name])

    def _show_picture(self, name: str, icon: Gio.Icon) -> None:
        if (image := self._pictures.get(name)) is not None:
            image.set_from_gicon(icon, Gtk.IconSize.DIALOG)
            image.set_pixel_size(PICTURE)

    def _is_wanted(self, lora: Addition) -> bool:
        wanted = self._search.get_text().strip().casefold()
        return wanted in " ".join((lora.name, *lora.triggers)).casefold()

    def _pick_first(self) -> None:
        first = next((row for row in self._list.get_children() if self._is_wanted(self._loras[row.get_index()])), None)
        if first is not None:
            self._pick(first)

    def _pick(self, row: Gtk.ListBoxRow) -> None:
        self.widget.popdown()
        self._picked(self._loras[row.get_index()].name)
