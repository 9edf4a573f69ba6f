"""The fields of a procedure's dialog, bound to its config: whatever is typed is remembered, reset and preset by GIMP.

Does not know what the values are for, nor the server. Imported only when there is a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gi.repository import Gdk, Gimp, GimpUi, GObject, Gtk

from .arguments import MORE

BESIDE = ("width", "height", "new-seed")
"""The arguments whose fields stand in another one's row."""
UNCHOSEN = {"model": "Default", "upscaler": "Interpolation"}
"""What an empty name is shown as."""
PROMPT_LINES = 4
SEED_DIGITS = 11
SPACING = 6


class FieldGrid:
    """A grid of labelled fields for `names`, in their order. `.widget` is what to pack."""

    def __init__(
        self, procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, names: Sequence[str], submit: Callable[[], None]
    ) -> None:
        self._procedure, self._config, self._submit = procedure, config, submit
        self._lists: dict[str, Gtk.ListStore] = {}
        self._own_size: list[Gtk.Widget] = []
        self._prompt_view: Gtk.TextView | None = None
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        names = [name for name in names if name not in BESIDE]
        grid = self._grid([name for name in names if name not in MORE])
        self.widget.pack_start(grid, False, False, 0)
        hidden = [name for name in names if name in MORE]
        if hidden:
            expander = Gtk.Expander.new_with_mnemonic("_Details")
            inside = self._grid(hidden)
            inside.set_margin_top(SPACING)
            expander.add(inside)
            self.widget.pack_start(expander, False, False, 0)

    def take_focus(self) -> None:
        """Let the person type the prompt at once."""
        if self._prompt_view is not None:
            self._prompt_view.grab_focus()

    def adapt(self) -> None:
        """Show the fields that the values call for; call this after `show_all`."""
        self._show_own_size()

    def offer(self, name: str, choices: Mapping[str, str]) -> None:
        """Fill the list of the argument `name` with values and labels; what is chosen stays, even when it is not among them."""
        if name not in self._lists:
            return
        chosen, rows = self._config.get_property(name) or "", self._lists[name]
        rows.clear()
        for value, label in {"": UNCHOSEN[name], **choices}.items():
            rows.append([value, label])
        if chosen and chosen not in choices:
            rows.append([chosen, f"{chosen} (not on this server)"])
        self._config.set_property(name, chosen)

    def _grid(self, names: Sequence[str]) -> Gtk.Grid:
        grid = Gtk.Grid(row_spacing=SPACING, column_spacing=SPACING)
        for row, name in enumerate(names):
            label, field = self._field(name)
            if label is not None:
                label.set_xalign(0.0)
                label.set_yalign(0.0 if name == "prompt" else 0.5)
                label.set_mnemonic_widget(self._prompt_view if name == "prompt" else field)
                grid.attach(label, 0, row, 1, 1)
                grid.attach(field, 1, row, 1, 1)
            else:
                grid.attach(field, 0, row, 2, 1)
            field.set_hexpand(True)
        return grid

    def _field(self, name: str) -> tuple[Gtk.Label | None, Gtk.Widget]:
        """The label, unless the field says its own name, and the field of an argument."""
        spec = self._procedure.find_argument(name) or self._procedure.find_aux_argument(name)
        label = Gtk.Label.new_with_mnemonic(spec.get_nick())
        builders: dict[str, Callable[[], Gtk.Widget]] = {
            "prompt": self._prompt,
            "model": lambda: self._list("model"),
            "upscaler": lambda: self._list("upscaler"),
            "area": self._area,
            "method": lambda: GimpUi.prop_choice_combo_box_new(self._config, "method"),
            "seed": self._seed,
        }
        if name in builders:
            field = builders[name]()
        elif spec.value_type == GObject.TYPE_BOOLEAN:
            label, field = None, GimpUi.prop_check_button_new(self._config, name, spec.get_nick())
        elif spec.value_type == GObject.TYPE_DOUBLE:
            label, field = None, GimpUi.prop_spin_scale_new(self._config, name, 0.01, 0.1, 2)
        elif spec.value_type == GObject.TYPE_INT:
            field = GimpUi.prop_spin_button_new(self._config, name, 1, 10, 0)
        else:
            field = GimpUi.prop_entry_new(self._config, name, -1)
        field.set_tooltip_text(spec.get_blurb())
        return label, field

    def _prompt(self) -> Gtk.Widget:
        text = GimpUi.prop_text_buffer_new(self._config, "prompt", -1)
        margins = {f"{side}_margin": 4 for side in ("top", "bottom", "left", "right")}
        view = Gtk.TextView(buffer=text, wrap_mode=Gtk.WrapMode.WORD_CHAR, accepts_tab=False, **margins)
        view.connect("key-press-event", self._on_key)
        scrolled = Gtk.ScrolledWindow(shadow_type=Gtk.ShadowType.IN, hscrollbar_policy=Gtk.PolicyType.NEVER)
        line = view.create_pango_layout("Ag").get_pixel_size()[1]
        scrolled.set_min_content_height(PROMPT_LINES * line + 8)
        scrolled.add(view)
        self._prompt_view = view
        return scrolled

    def _on_key(self, _view: Gtk.TextView, event: Gdk.EventKey) -> bool:
        if event.keyval in (Gdk.KEY_Return, Gdk.KEY_KP_Enter) and event.state & Gdk.ModifierType.CONTROL_MASK:
            self._submit()
            return True
        return False

    def _list(self, name: str) -> Gtk.Widget:
        """A choice that the server fills later: choices of GIMP's own kind are fixed when the plug-in is registered."""
        self._lists[name] = Gtk.ListStore.new([str, str])
        self._lists[name].append(["", UNCHOSEN[name]])
        return GimpUi.prop_string_combo_box_new(self._config, name, self._lists[name], 0, 1)

    def _area(self) -> Gtk.Widget:
        """The choice, followed by width and height, which show only for a custom size."""
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(GimpUi.prop_choice_combo_box_new(self._config, "area"), True, True, 0)
        self._own_size = [GimpUi.prop_spin_button_new(self._config, name, 8, 64, 0) for name in ("width", "height")]
        times = Gtk.Label.new("×")
        for widget in (self._own_size[0], times, self._own_size[1]):
            row.pack_start(widget, False, False, 0)
        self._own_size.append(times)
        self._config.connect("notify::area", lambda *_: self._show_own_size())
        return row

    def _show_own_size(self) -> None:
        for widget in self._own_size:
            widget.set_visible(self._config.get_property("area") == "custom")

    def _seed(self) -> Gtk.Widget:
        row = Gtk.Box(spacing=SPACING)
        spin = GimpUi.prop_spin_button_new(self._config, "seed", 1, 1000, 0)
        spin.set_width_chars(SEED_DIGITS)
        row.pack_start(spin, True, True, 0)
        fresh = self._procedure.find_aux_argument("new-seed")
        row.pack_start(GimpUi.prop_check_button_new(self._config, "new-seed", fresh.get_nick()), False, False, 0)
        return row
