"""The row with the person's styles: words that go round the prompt, and settings that go with them, under a name.

They are kept in a file beside GIMP's own settings. Does not know what a style does to a job.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.styles import Style, StyleBook, style_of, without_style
from acetate.plugins.bridge.translations import _
from gi.repository import Gimp, Gtk

from ..widgets.gallery import tool_button
from ..widgets.layout import SPACING

KEPT = "acetate-styles.json"


class StylesRow:
    """`.widget` is what to pack; `chosen` is called with the style, or with `None`, when the person has chosen."""

    def __init__(self, form: Callable[[], Form], chosen: Callable[[Style | None], None]) -> None:
        self._form, self._chosen = form, chosen
        self._path = Path(Gimp.directory(), "plug-in-settings", KEPT)
        self._book = StyleBook(self._read())
        self._filling = False
        self.list = Gtk.ComboBoxText(tooltip_text=_("Words that go round the prompt, and settings that go with them"))
        self.list.connect("changed", self._on_choice)
        self.widget = Gtk.Box(spacing=SPACING)
        self.widget.pack_start(self.list, True, True, 0)
        self._remove = tool_button("list-remove-symbolic", _("Remove this style"), self._forget)
        self.widget.pack_start(
            tool_button("list-add-symbolic", _("Keep the present settings as a style"), self._add), False, False, 0
        )
        self.widget.pack_start(self._remove, False, False, 0)
        self._fill("")

    @property
    def style(self) -> Style | None:
        """The chosen style."""
        return self._book.style(self.list.get_active_id() or "")

    def worded(self, form: Form) -> Form:
        """The form with the words of the chosen style; its settings stand in the fields already."""
        style = self.style
        if style is None:
            return without_style(form)
        return Style(style.name, style.prompt, style.negative_prompt).chosen(form)

    def _fill(self, name: str) -> None:
        self._filling = True
        self.list.remove_all()
        self.list.append("", _("No style"))
        for one in self._book.names:
            self.list.append(one, one)
        self.list.set_active_id(name if name in self._book else "")
        self._remove.set_sensitive(name in self._book)
        self._filling = False

    def _on_choice(self, _list: Gtk.ComboBoxText) -> None:
        if not self._filling:
            self._remove.set_sensitive(self.style is not None)
            self._chosen(self.style)

    def _add(self) -> None:
        asked = _ask(self.widget.get_toplevel())
        if asked is not None:
            name, words, avoided = asked
            self._book.keep(style_of(name, self._form(), words, avoided))
            self._write()
            self._fill(name.strip())

    def _forget(self) -> None:
        if (style := self.style) is not None:
            self._book.remove(style.name)
            self._write()
            self._fill("")

    def _read(self) -> str:
        try:
            return self._path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # the styles serve until the window is closed
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = self._path.with_name(f".{self._path.name}")
            unfinished.write_text(self._book.to_json(), encoding="utf-8")
            unfinished.replace(self._path)


def _ask(parent: Gtk.Window) -> tuple[str, str, str] | None:
    """Name, words round the prompt and words to avoid; `None` if the person cancels or gives no name."""
    dialog = Gtk.Dialog(title=_("Keep as Style"), transient_for=parent, modal=True, border_width=2 * SPACING)
    dialog.add_button(_("_Cancel"), Gtk.ResponseType.CANCEL)
    dialog.add_button(_("_Keep"), Gtk.ResponseType.OK)
    dialog.set_default_response(Gtk.ResponseType.OK)
    grid = Gtk.Grid(row_spacing=SPACING, column_spacing=SPACING)
    entries = []
    for row, (label, text) in enumerate(((_("_Name"), ""), (_("_Words"), "{prompt}, "), (_("A_void"), ""))):
        entry = Gtk.Entry(text=text, width_chars=40, activates_default=True, hexpand=True)
        caption = Gtk.Label(label=label, use_underline=True, mnemonic_widget=entry, xalign=0.0)
        grid.attach(caption, 0, row, 1, 1)
        grid.attach(entry, 1, row, 1, 1)
        entries.append(entry)
    hint = Gtk.Label(label=_("Your prompt stands where {prompt} is. Model and sampler are kept with it."), xalign=0.0)
    grid.attach(hint, 1, len(entries), 1, 1)
    dialog.get_content_area().add(grid)
    dialog.show_all()
    answer = dialog.run()
    name, words, avoided = (entry.get_text().strip() for entry in entries)
    dialog.destroy()
    return (name, words, avoided) if answer == Gtk.ResponseType.OK and name else None
