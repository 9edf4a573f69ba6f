"""The form of one task: its procedure's values, its fields, and how the two are kept. Does not know what becomes of it."""

from __future__ import annotations

from dataclasses import replace

from acetate.plugins.bridge.form import Form
from acetate.vocabulary.tasks import Task

from ..commands import BY_PROCEDURE, registered
from ..presets import Presets
from ..procedure_call import ProcedureCall
from ..values import fill, form_of
from .fields import FieldGrid


class TaskForm:
    """One for each task, made when the person first chooses it; `.fields.widget` is what to show."""

    def __init__(self, given: ProcedureCall, command: str) -> None:
        self.call = given if command == given.command.name else _like(given, command)
        """A call of this task's procedure with this form's values."""
        self.presets = Presets(command, self.call.config)
        self.presets.recall()
        self.fields = FieldGrid(self.call.procedure, self.call.config, self.call.command.names)

    @property
    def task(self) -> Task:
        task = self.call.command.task
        assert task is not None, "only procedures with a task have a form"
        return task

    @property
    def form(self) -> Form:
        """What is asked for now."""
        return form_of(self.call.config, self.call.command.names, self.task.name)

    def fill(self, form: Form) -> None:
        """Show these values, except whether the seed is drawn anew each time."""
        fill(self.call.config, [name for name in self.call.command.names if name != "new-seed"], form)


def _like(given: ProcedureCall, name: str) -> ProcedureCall:
    """A call of another procedure of ours, as if GIMP had made it."""
    command = BY_PROCEDURE[name]
    procedure = registered(given.procedure.get_plug_in(), command, lambda *_: None)
    return replace(given, procedure=procedure, command=command, config=procedure.create_config())
