"""The fields of a procedure's form, bound to its config: whatever is typed is there to be kept, reset and saved.

Does not know what the values are for, nor the server.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from acetate.plugins.bridge.forms.completion import completion
from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.translations import _, marked
from gi.repository import Gimp, GimpUi, GLib, GObject, Gtk

from ..arguments import MORE
from ..values import UNSET
from ..widgets.layout import SPACING, Growth
from ..widgets.mnemonics import DETAILS
from ..widgets.prompt_field import PromptField
from .lora_list import LoraList

BESIDE = ("width", "height", "new-seed")
"""The arguments whose fields stand in another one's row."""
MODELS_OWN = marked("Model's own")
UNCHOSEN = {
    "model": marked("Default model"),
    "upscaler": marked("Interpolation"),
    "scheduler": MODELS_OWN,
    "spacing": MODELS_OWN,
}
"""What an empty name is shown as while the server has not said more."""
LEFT_TO_MODEL = ("steps", "guidance", "clip-skip")
"""The numbers that may be left to the model."""
SEED_DIGITS = 11


class Field(NamedTuple):
    """One row of the grid."""

    label: str
    """With a mnemonic; empty when the field says its own name."""
    widget: Gtk.Widget
    """What is packed."""
    focus: Gtk.Widget
    """What the label's mnemonic leads to, and a screen reader finds the label by."""


class FieldGrid:
    """A grid of labelled fields for `names`, in their order. `.widget` is what to pack."""

    def __init__(
        self,
        procedure: Gimp.Procedure,
        config: Gimp.ProcedureConfig,
        names: Sequence[str],
        labels: Gtk.SizeGroup,
        resized: Callable[[], None],
    ) -> None:
        """`labels` gives the labels of all grids one width; `resized` is called when the fields need more or less room."""
        self._resized = resized
        self._procedure, self._config, self._labels = procedure, config, labels
        self._lists: dict[str, Gtk.ListStore] = {}
        self._own_size: list[Gtk.Widget] = []
        self._prompt: PromptField | None = None
        self._own_label: Callable[[str], str] = lambda _name: _(MODELS_OWN)
        self._rows: dict[str, list[Gtk.Widget]] = {}
        self.details: Gtk.Expander | None = None
        """What holds the fields that few people need; `None` where there are none."""
        self._loras: LoraList | None = None
        self._spins: dict[str, Gtk.SpinButton] = {}
        self.labels: list[str] = []
        """The labels of the fields; a letter is underlined in most."""
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        names = [name for name in names if name not in BESIDE]
        details = (*MORE, "keep-open")
        self.widget.pack_start(self._grid([name for name in names if name not in details]), False, False, 0)
        hidden = [name for name in names if name in details]
        if hidden:
            self.details = expander = Gtk.Expander.new_with_mnemonic(_(DETAILS))
            expander.connect("notify::expanded", self._on_details)
            self._growth = Growth(self.widget)
            inside = self._grid(hidden)
            inside.set_margin_top(SPACING)
            expander.add(inside)
            self.widget.pack_start(expander, False, False, 0)

    def take_focus(self) -> None:
        """Let the person type the prompt at once."""
        if self._prompt is not None:
            self._prompt.view.grab_focus()

    def adapt(self) -> None:
        """Show the fields that the values call for; call this after `show_all`."""
        for widget in self._own_size:
            widget.set_visible(self._config.get_property("area") == "custom")

    def offer(self, name: str, choices: Mapping[str, str], unchosen: str = "") -> None:
        """Fill the list of the argument `name` with values and labels; what is chosen stays, even when it is not among them."""
        if name not in self._lists:
            return
        chosen, rows = self._config.get_property(name) or "", self._lists[name]
        wanted = [["", unchosen or _(UNCHOSEN[name])], *([value, label] for value, label in choices.items())]
        if chosen and chosen not in choices:
            wanted.append([chosen, _("{name} (not on this server)").format(name=chosen)])
        if [list(row) for row in rows] != wanted:
            rows.clear()
            for row in wanted:
                rows.append(row)
            self._config.set_property(name, chosen)

    def leave_to_model(self, own_label: Callable[[str], str]) -> None:
        """Say by `own_label`, from an argument's name, what a number is called that is left to the model."""
        self._own_label = own_label
        for name, spin in self._spins.items():
            if name in LEFT_TO_MODEL:
                self._say_model(spin, name)

    def offer_additions(self, offers: Offers, model: str) -> None:
        """Let the person add what the library has for this model: LoRAs by a list, both kinds by typing their names."""
        if self._loras is not None:
            self._loras.offer(offers, model)
        loras, embeddings = (offers.of(kind, model) for kind in (offers.loras, offers.embeddings))
        if self._prompt is not None:
            self._prompt.completing.completions = lambda text, cursor: completion(text, cursor, loras, embeddings)

    def _add_words(self, words: str) -> None:
        """Put a LoRA's trigger words at the end of the prompt."""
        present = (self._config.get_property("prompt") or "").rstrip(" ,")
        self._config.set_property("prompt", f"{present}, {words}" if present else words)

    def hide(self, names: Collection[str]) -> None:
        """Show the rows of all arguments but these, which would change nothing."""
        for name, widgets in self._rows.items():
            for widget in widgets:
                widget.set_visible(name not in names)

    def propose_size(self, width: int, height: int) -> None:
        """Begin an own size with something useful, if it has none yet."""
        if "width" in self._spins and not self._config.get_property("width") and not self._config.get_property("height"):
            self._config.set_property("width", width)
            self._config.set_property("height", height)

    def _on_details(self, expander: Gtk.Expander, _spec: object) -> None:
        self._growth.begin() if expander.get_expanded() else self._growth.end()
        GLib.idle_add(self._resized)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _grid(self, names: Sequence[str]) -> Gtk.Grid:
        grid = Gtk.Grid(row_spacing=SPACING, column_spacing=SPACING)
        for row, name in enumerate(names):
            self._attach(grid, row, name)
        return grid

    def _attach(self, grid: Gtk.Grid, row: int, name: str) -> None:
        field = self._field(name)
        field.widget.set_hexpand(True)
        field.focus.set_tooltip_text(self._spec(name).get_blurb())
        self._rows[name] = [field.widget]
        if not field.label:
            grid.attach(field.widget, 1, row, 1, 1)
            return
        self.labels.append(field.label)
        label = Gtk.Label.new_with_mnemonic(field.label)
        label.set_xalign(0.0)
        label.set_yalign(0.0 if name in ("prompt", "loras") else 0.5)
        label.set_mnemonic_widget(field.focus)
        self._rows[name].append(label)
        self._labels.add_widget(label)
        grid.attach(label, 0, row, 1, 1)
        grid.attach(field.widget, 1, row, 1, 1)

    def _spec(self, name: str) -> GObject.ParamSpec:
        return self._procedure.find_argument(name) or self._procedure.find_aux_argument(name)

    def _field(self, name: str) -> Field:
        spec = self._spec(name)
        builders: dict[str, Callable[[str], Field]] = {
            "prompt": self._prompt_field,
            "area": self._area_field,
            "seed": self._seed_field,
            "loras": self._loras_field,
            **dict.fromkeys(UNCHOSEN, self._list_field),
            **dict.fromkeys(LEFT_TO_MODEL, self._number_field),
        }
        by_kind: dict[GObject.GType, Callable[[str], Field]] = {
            GObject.TYPE_BOOLEAN: self._switch_field,
            GObject.TYPE_DOUBLE: self._number_field,
            GObject.TYPE_INT: self._number_field,
        }
        return (builders.get(name) or by_kind.get(spec.value_type) or self._text_field)(name)

    def _nick(self, name: str) -> str:
        nick: str = self._spec(name).get_nick()
        return nick

    def _prompt_field(self, name: str) -> Field:
        self._prompt = PromptField(self._config, name)
        return Field(self._nick(name), self._prompt.widget, self._prompt.view)

    def _text_field(self, name: str) -> Field:
        if type(self._spec(name)).__name__ == "ParamChoice" or self._spec(name).__gtype__.name == "GimpParamChoice":
            combo = GimpUi.prop_choice_combo_box_new(self._config, name)
            return Field(self._nick(name), combo, combo)
        entry = GimpUi.prop_entry_new(self._config, name, -1)
        return Field(self._nick(name), entry, entry)

    def _switch_field(self, name: str) -> Field:
        self.labels.append(self._nick(name))
        check = GimpUi.prop_check_button_new(self._config, name, self._nick(name))
        return Field("", check, check)

    def _number_field(self, name: str) -> Field:
        whole = self._spec(name).value_type != GObject.TYPE_DOUBLE
        spin = GimpUi.prop_spin_button_new(self._config, name, 1 if whole else 0.05, 10 if whole else 0.5, 0 if whole else 2)
        self._spins[name] = spin
        if name in LEFT_TO_MODEL:
            spin.set_numeric(False)  # or it would refuse words
            spin.connect("output", lambda spin: self._say_model(spin, name))
            self._say_model(spin, name)
        return Field(self._nick(name), spin, spin)

    def _say_model(self, spin: Gtk.SpinButton, name: str) -> bool:
        """The number that leaves it to the model is shown as words. Reading them back gives 0 again, as any text does."""
        unset = spin.get_value() == UNSET
        style = spin.get_style_context()
        style.add_class("dim-label") if unset else style.remove_class("dim-label")
        if not unset:
            return False
        text = self._own_label(name)
        if spin.get_text() != text:
            spin.set_text(text)
        return True

    def _list_field(self, name: str) -> Field:
        """A choice that the server fills later: choices of GIMP's own kind are fixed when the plug-in is registered."""
        self._lists[name] = Gtk.ListStore.new([str, str])
        self._lists[name].append(["", _(UNCHOSEN[name])])
        combo = GimpUi.prop_string_combo_box_new(self._config, name, self._lists[name], 0, 1)
        return Field(self._nick(name), combo, combo)

    def _area_field(self, name: str) -> Field:
        """The choice, followed by width and height, which show only for a custom size."""
        combo = GimpUi.prop_choice_combo_box_new(self._config, name)
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(combo, True, True, 0)
        for number in ("width", "height"):
            self._spins[number] = GimpUi.prop_spin_button_new(self._config, number, 8, 64, 0)
            self._spins[number].set_tooltip_text(self._spec(number).get_blurb())
        times = Gtk.Label.new("×")
        self._own_size = [self._spins["width"], times, self._spins["height"]]
        for widget in self._own_size:
            row.pack_start(widget, False, False, 0)
        self._config.connect("notify::area", lambda *_: self.adapt())
        return Field(self._nick(name), row, combo)

    def _loras_field(self, name: str) -> Field:
        self._loras = LoraList(self._config, name, self._add_words, lambda: GLib.idle_add(self._resized))
        return Field(self._nick(name), self._loras.widget, self._loras.button)

    def _seed_field(self, name: str) -> Field:
        row = Gtk.Box(spacing=SPACING)
        spin = GimpUi.prop_spin_button_new(self._config, name, 1, 1000, 0)
        spin.set_width_chars(SEED_DIGITS)
        row.pack_start(spin, True, True, 0)
        if (fresh := self._procedure.find_aux_argument("new-seed")) is not None:
            self.labels.append(fresh.get_nick())
            check = GimpUi.prop_check_button_new(self._config, "new-seed", fresh.get_nick())
            check.set_tooltip_text(fresh.get_blurb())
            row.pack_start(check, False, False, 0)
        return Field(self._nick(name), row, spin)
