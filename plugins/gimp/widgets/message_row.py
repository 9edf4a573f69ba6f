"""A row with something to say, and a button for what can be done about it; it takes no room while there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from acetate.plugins.bridge.translations import said
from gi.repository import Gtk

from .layout import SPACING, Growth

MESSAGE_CHARACTERS = 60
"""Width at which a message breaks into lines."""


class Offer(NamedTuple):
    """What a person may do about a message."""

    label: str
    about: str
    """For the pointer and for a screen reader."""
    act: Callable[[], object]


class MessageRow:
    """`.widget` is what to pack."""

    def __init__(self) -> None:
        self._text = Gtk.Label(wrap=True, selectable=True, xalign=0.0, max_width_chars=MESSAGE_CHARACTERS, can_focus=False)
        self._icon = Gtk.Image(valign=Gtk.Align.START)
        self._button = Gtk.Button(use_underline=True, no_show_all=True, valign=Gtk.Align.CENTER)
        self._button.connect("clicked", self._on_click)
        self._offer: Offer | None = None
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(self._icon, False, False, 0)
        row.pack_start(self._text, True, True, 0)
        row.pack_start(self._button, False, False, 0)
        self.widget = Gtk.Revealer(transition_type=Gtk.RevealerTransitionType.NONE)
        self.widget.add(row)
        self._growth = Growth(self.widget)

    @property
    def offer(self) -> Offer | None:
        """What the button does now; `None` while there is none."""
        return self._offer

    def say(self, text: str, icon: str = "dialog-error", offer: Offer | None = None) -> None:
        """Show a text with the icon of that name; an empty one takes the row away."""
        self._icon.set_from_icon_name(icon, Gtk.IconSize.BUTTON)
        self._text.set_text(said(text))
        self._offer = offer if text else None
        if self._offer is not None:
            self._button.set_label(self._offer.label)
            self._button.set_tooltip_text(self._offer.about)
        self._button.set_visible(self._offer is not None)
        if bool(text) != self.widget.get_reveal_child():
            self._growth.begin() if text else self._growth.end()  # a row that has gone leaves no gap
            self.widget.set_reveal_child(bool(text))

    def _on_click(self, _button: Gtk.Button) -> None:
        if self._offer is not None:
            self._offer.act()
