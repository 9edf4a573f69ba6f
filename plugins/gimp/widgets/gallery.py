"""Pictures of jobs as thumbnails in rows, one of them chosen. Does not know where they come from, nor what is done with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acetate.plugins.bridge.candidates import Candidate, Key, size_words
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import short_prompt
from gi.repository import Gdk, Gio, Gtk

STAR = "★"
Picture = Callable[[Candidate], Gio.Icon | None]
"""A function that gives a picture's thumbnail; `None` as long as there is none."""


class Gallery:
    """`.widget` is what to pack. One click or an arrow key chooses, Return or two clicks call `act`, Delete calls `delete`."""

    def __init__(
        self, side: int, chosen: Callable[[], None], act: Callable[[], None], delete: Callable[[], None], *, captions: int = 0
    ) -> None:
        self._side, self._captions = side, captions
        self._delete = delete
        self._children: dict[Key, _Thumbnail] = {}
        self.widget = Gtk.FlowBox(
            homogeneous=True,
            valign=Gtk.Align.START,
            max_children_per_line=20,
            selection_mode=Gtk.SelectionMode.BROWSE,
            activate_on_single_click=False,
        )
        self.widget.connect("selected-children-changed", lambda *_: chosen())
        self.widget.connect("child-activated", lambda *_: act())
        self.widget.connect("key-press-event", self._on_key)

    @property
    def chosen(self) -> Key | None:
        """The name of the chosen picture."""
        selected = self.widget.get_selected_children()
        return next((key for key, one in self._children.items() if selected and one.widget is selected[0]), None)

    def choose(self, key: Key) -> None:
        if key in self._children:
            self.widget.select_child(self._children[key].widget)

    def take_focus(self) -> None:
        """Let the arrow keys go from the chosen picture to others."""
        selected = self.widget.get_selected_children()
        if selected and selected[0].get_mapped():
            selected[0].grab_focus()

    def show(
        self,
        candidates: Sequence[Candidate],
        picture_of: Callable[[Candidate], Gio.Icon | None],
        about: Callable[[Candidate], str],
    ) -> None:
        """Show these pictures, in their order; what is shown already stays as it is."""
        wanted = {one.key: one for one in candidates}
        before = self.chosen
        place = list(self._children).index(before) if before is not None else 0
        for key in [key for key in self._children if key not in wanted]:
            self.widget.remove(self._children.pop(key).widget)
        for position, (key, candidate) in enumerate(wanted.items()):
            if key not in self._children:
                shown = self._children[key] = _Thumbnail(self._side, self._captions)
                self.widget.insert(shown.widget, position)
            self._children[key].show(candidate, picture_of, about)
        self._children = {key: self._children[key] for key in wanted}
        if before is not None and before not in wanted and wanted:  # its neighbour takes its place
            self.choose(list(wanted)[min(place, len(wanted) - 1)])

    def _on_key(self, _widget: Gtk.FlowBox, event: Gdk.EventKey) -> bool:
        if event.keyval == Gdk.KEY_Delete:
            self._delete()
        return bool(event.keyval == Gdk.KEY_Delete)


class _Thumbnail:
    def __init__(self, side: int, captions: int) -> None:
        self._side, self._captions = side, captions
        self._picture = Gtk.Image(width_request=side, height_request=side)
        self._has_picture = False
        self._caption = Gtk.Label()
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=2, margin=2)
        self._star = Gtk.Label(label=STAR, halign=Gtk.Align.END, valign=Gtk.Align.START, no_show_all=True)
        overlay = Gtk.Overlay()
        overlay.add(self._picture)
        overlay.add_overlay(self._star)
        box.pack_start(overlay, False, False, 0)
        if captions:
            box.pack_start(self._caption, False, False, 0)
        self.widget = Gtk.FlowBoxChild()
        self.widget.add(box)
        self.widget.show_all()

    def show(self, candidate: Candidate, picture_of: Picture, about: Callable[[Candidate], str]) -> None:
        if not self._has_picture and (picture := picture_of(candidate)) is not None:
            self._has_picture = True
            self._picture.set_from_gicon(picture, Gtk.IconSize.DIALOG)
            self._picture.set_pixel_size(self._side)
        self._caption.set_text(short_prompt(candidate.title, self._captions) if self._captions else "")
        self._star.set_visible(candidate.starred)
        text = about(candidate)
        self.widget.set_tooltip_text(text)
        self.widget.get_accessible().set_name(text)


def described(candidate: Candidate) -> str:
    """What a picture is: its prompt, its seed, and how large it was drawn."""
    lines = [candidate.title, _("Seed {seed}").format(seed=candidate.seed)]
    if candidate.drawn is not None:
        lines.append(size_words(candidate.drawn))
    return "\n".join(lines)


def tool_button(icon: str, about: str, act: Callable[[], None]) -> Gtk.Button:
    """A small button with a picture, and words for the pointer and for a screen reader."""
    button = Gtk.Button.new_from_icon_name(icon, Gtk.IconSize.BUTTON)
    button.set_tooltip_text(about)
    button.get_accessible().set_name(about)
    button.set_valign(Gtk.Align.CENTER)
    button.connect("clicked", lambda *_: act())
    return button
