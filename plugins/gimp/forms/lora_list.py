"""The LoRAs of a form: each with its weight and its trigger words, and a list of what the library has for the model.

Bound to an argument that holds them as text. Does not know the server.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acetate.plugins.bridge.forms.offers import Addition, Offers
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.translations import _, said
from acetate.plugins.bridge.words import sentence
from gi.repository import Gimp, Gtk, Pango

from ..values import loras_of, text_of_loras
from ..widgets.gallery import tool_button
from ..widgets.layout import SPACING
from .lora_picker import LoraPicker

LEAST, MOST, STEP = -2.0, 2.0, 0.05
"""The weights that the field offers; others come by the prompt's tags."""
NAME_CHARACTERS = 12


class LoraList:
    """`.widget` is what to pack. `words` is called with the trigger words that are wanted in the prompt."""

    def __init__(
        self, config: Gimp.ProcedureConfig, name: str, words: Callable[[str], None], resized: Callable[[], None]
    ) -> None:
        self._config, self._name, self._words, self._resized = config, name, words, resized
        self._offers, self._model = Offers(), ""
        self._chosen: dict[str, float] = {}
        self._rows = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self.button = Gtk.MenuButton(label=_("Add LoRA…"), halign=Gtk.Align.START)
        self.picker = LoraPicker(self.button, self.add)
        self.button.set_popover(self.picker.widget)
        self.widget = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, spacing=SPACING)
        self.widget.pack_start(self._rows, False, False, 0)
        self.widget.pack_start(self.button, False, False, 0)
        config.connect(f"notify::{name}", lambda *_: self._read())
        self._read()

    def offer(self, offers: Offers, model: str) -> None:
        """What there is, and for which model the list is shown."""
        self._offers, self._model = offers, model
        self.picker.offer(offers.of(offers.loras, model))
        self._show()

    def add(self, name: str) -> None:
        """Choose one more, at full weight."""
        if name not in self._chosen:
            self._write({**self._chosen, name: 1.0})

    def _read(self) -> None:
        chosen = chosen_in(self._config.get_property(self._name) or "")
        if chosen != self._chosen:
            self._chosen = chosen
            self._show()

    def _write(self, chosen: dict[str, float]) -> None:
        self._config.set_property(self._name, text_of_loras(tuple(chosen.items())))

    def _weigh(self, name: str, weight: float) -> None:
        self._chosen[name] = round(weight, 2)  # known before the config says so: its row stays, and keeps the focus
        self._write(self._chosen)

    def _show(self) -> None:
        for row in self._rows.get_children():
            row.destroy()
        for name, weight in self._chosen.items():
            self._rows.pack_start(self._row(name, weight), False, False, 0)
        self._rows.show_all()
        self._resized()

    def _row(self, name: str, weight: float) -> Gtk.Widget:
        known, fits = self._offers.loras.get(name), self._offers.lora_suits(name, self._model)
        about = (
            described(known) if fits else _("This model cannot use it, and it is left out: {what}").format(what=described(known))
        )
        label = Gtk.Label(label=name, xalign=0.0, ellipsize=Pango.EllipsizeMode.MIDDLE, width_chars=NAME_CHARACTERS)
        label.set_tooltip_text(about or name)
        label.set_sensitive(fits)
        number = Gtk.SpinButton.new_with_range(LEAST, MOST, STEP)
        number.set_value(weight)
        number.set_tooltip_text(_("How strong the LoRA is; 1 is as it was trained."))
        number.get_accessible().set_name(_("Weight of {name}").format(name=name))
        number.connect("value-changed", lambda number: self._weigh(name, number.get_value()))
        row = Gtk.Box(spacing=SPACING)
        row.pack_start(label, True, True, 0)
        if known is not None and known.triggers:
            words = ", ".join(known.triggers)
            about_words = _("Add its trigger words to the prompt: {words}").format(words=words)
            row.pack_start(tool_button("insert-text-symbolic", about_words, lambda: self._words(words)), False, False, 0)
        row.pack_start(number, False, False, 0)
        remove = _("Remove {name}").format(name=name)
        row.pack_start(tool_button("list-remove-symbolic", remove, lambda: self._remove(name)), False, False, 0)
        return row

    def _remove(self, name: str) -> None:
        self._write({one: weight for one, weight in self._chosen.items() if one != name})


def chosen_in(text: str) -> dict[str, float]:
    """Names with their weights, as the argument has them; what cannot be read so stays as a name, to be seen and removed."""
    found: dict[str, float] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        try:
            found.update(loras_of(part))
        except RefusedError:
            found[part] = 1.0
    return found


def described(known: Addition | None) -> str:
    """What is known of a LoRA, in sentences."""
    if known is None:
        return _("The server does not list it.")
    told: Sequence[str] = [known.what, known.problem, known.caution]
    sentences = [sentence(said(text)) for text in told if text]
    if known.triggers:
        sentences.append(sentence(_("Trigger words: {words}").format(words=", ".join(known.triggers))))
    return " ".join(sentences)
