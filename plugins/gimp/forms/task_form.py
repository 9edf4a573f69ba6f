"""The form of one task: its procedure's values, its fields, and how the two are kept. Does not know what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.offers import Offers
from acetate.vocabulary.tasks import Task
from gi.repository import Gtk

from ..commands import BY_PROCEDURE, registered
from ..procedure_call import ProcedureCall
from ..values import fill, form_of, parameter_of
from .fields import FieldGrid
from .presets import Presets


class TaskForm:
    """One for each task, made when the person first chooses it; `.fields.widget` is what to show."""

    def __init__(self, given: ProcedureCall, command: str, labels: Gtk.SizeGroup, resized: Callable[[], None]) -> None:
        self.call = given if command == given.command.name else _like(given, command)
        """A call of this task's procedure with this form's values."""
        self.presets = Presets(command, self.call.config)
        self.presets.recall()
        names = [*self.call.command.names, "keep-open"]
        self.fields = FieldGrid(self.call.procedure, self.call.config, names, labels, resized)

    @property
    def task(self) -> Task:
        task = self.call.command.task
        assert task is not None, "only procedures with a task have a form"
        return task

    @property
    def form(self) -> Form:
        """What is asked for now."""
        return form_of(self.call.config, self.call.command.names, self.task.name)

    def offer(self, offers: Offers, models: Mapping[str, str]) -> None:
        """Show what can be chosen: these models, and what the chosen one does with what is left out."""
        fields, model = self.fields, self.call.value("model") or ""
        fields.offer("model", models, offers.default_label)
        for name, choices in (("upscaler", offers.upscalers), ("scheduler", offers.schedulers), ("spacing", offers.spacings)):
            parameter = parameter_of(name)
            unchosen = "" if name == "upscaler" else offers.own_label(model, parameter)
            fields.offer(name, {choice: choice for choice in choices}, unchosen)
        fields.leave_to_model(lambda name: offers.own_label(model, parameter_of(name)))
        fields.offer_additions(offers, model)
        idle = offers.model(model).idle.get(self.task.name, ())
        fields.hide([name for name in self.call.command.names if parameter_of(name) in idle])

    def fill(self, form: Form, *, seed_too: bool = False) -> None:
        """Show these values; with `seed_too` the seed is kept for the next run as well."""
        fill(self.call.config, [name for name in self.call.command.names if seed_too or name != "new-seed"], form)


def _like(given: ProcedureCall, name: str) -> ProcedureCall:
    """A call of another procedure of ours, as if GIMP had made it."""
    command = BY_PROCEDURE[name]
    procedure = registered(given.procedure.get_plug_in(), command, lambda *_: None)
    return replace(given, procedure=procedure, command=command, config=procedure.create_config())
