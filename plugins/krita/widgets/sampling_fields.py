"""The fields of the sampler and of the model's additions, made from the parameters' own rows. Knows widgets and the form; knows
no document and no server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.tasks import INJECTIONS
from acetate.plugins.bridge.translations import _, marked, said
from acetate.plugins.bridge.words import sentence
from acetate.vocabulary.parameters import PARAMETERS, range_of
from acetate.vocabulary.value_types import Choice, Flag, Whole

from ..qt import QtWidgets
from .fields import OwnChoice, OwnNumber, OwnWhole, choose, combo_box, decimal_box, tell

LABELS = {
    "steps": marked("Steps"),
    "guidance_scale": marked("Guidance"),
    "scheduler": marked("Sampler"),
    "spacing": marked("Spacing"),
    "clip_skip": marked("CLIP skip"),
    "fast": marked("Few steps"),
    "injection": marked("Injection"),
    "layer_weight": marked("Layer weight"),
    "stop_at": marked("Stop at"),
}
"""The fields in their order; each is a parameter, whose row says the rest."""
Access = tuple[Callable[[Any], Any], Callable[[Any, Any], None]]
"""How a value is read from a widget, and set."""


class SamplingFields:
    """The widgets by their parameters' names, and their values as the form has them."""

    def __init__(self) -> None:
        self.widgets: dict[str, Any] = {name: _field(name) for name in LABELS}
        for name, widget in self.widgets.items():
            tell(widget, _(LABELS[name]), sentence(said(PARAMETERS[name].help)))

    def values(self) -> dict[str, Any]:
        return {name: _ACCESS[type(widget)][0](widget) for name, widget in self.widgets.items()}

    def show(self, form: Form) -> None:
        for name, widget in self.widgets.items():
            _ACCESS[type(widget)][1](widget, getattr(form, name))

    def offer(self, offers: Offers) -> None:
        self.widgets["scheduler"].offer(offers.schedulers)
        self.widgets["spacing"].offer(offers.spacings)

    def adapt(self, offers: Offers, model: str) -> None:
        """Say what the model takes by itself."""
        for name, widget in self.widgets.items():
            if isinstance(widget, (OwnWhole, OwnNumber, OwnChoice)):
                widget.set_own(_("Sampler's own") if name == "spacing" else offers.own_label(model, name))


def _field(name: str) -> Any:
    """A field for the parameter's type: one that is left to the model where the parameter has no value of its own."""
    row, called = PARAMETERS[name], f"acetate_{name}"
    if isinstance(row.type, Flag):
        return QtWidgets.QCheckBox(_(LABELS[name]), objectName=called)
    if isinstance(row.type, Choice):
        return OwnChoice(called) if row.default is None else combo_box(called, [(key, _(one)) for key, one in INJECTIONS.items()])
    if row.default is not None:
        return decimal_box(called, *range_of(name), step=0.05)
    return (OwnWhole if isinstance(row.type, Whole) else OwnNumber)(called, *range_of(name))


_OWN: Access = (lambda widget: widget.chosen(), lambda widget, value: widget.choose(value))
_ACCESS: dict[type, Access] = {
    OwnWhole: _OWN,
    OwnNumber: _OWN,
    OwnChoice: _OWN,
    QtWidgets.QCheckBox: (lambda box: box.isChecked(), lambda box, value: box.setChecked(value)),
    QtWidgets.QComboBox: (lambda combo: combo.currentData(), choose),
    QtWidgets.QDoubleSpinBox: (lambda box: round(box.value(), 2), lambda box, value: box.setValue(value)),
}
"""By the widgets' classes."""
