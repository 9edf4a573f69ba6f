"""Procedures that ask about the server without an image, for scripts: whether one runs, and which models it has.

They stand in no menu. Does not know images or layers.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from acetate.plugins.bridge.forms.server_address import chosen_server
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.launch import server_command
from acetate.plugins.bridge.translations import _, counted, marked
from acetate.protocol import Client, Engine, ProtocolError
from acetate.vocabulary.tasks import TASKS
from gi.repository import Gimp, GLib, GObject

from .arguments import BOTH_WAYS
from .commands import AUTHORS, YEAR
from .procedure_call import told

SECONDS = 120.0
"""How long a server that has just been started may take to know its models."""
FAILED = Gimp.PDBStatusType.EXECUTION_ERROR


@dataclass(frozen=True)
class Question:
    """A procedure without a menu entry: what it takes, what it answers, and what finds the answers out."""

    name: str
    blurb: str
    help: str
    describe: Callable[[Gimp.Procedure], None]
    """Adds arguments and return values."""
    answer: Callable[[Gimp.ProcedureConfig], list[GObject.Value]]
    """The return values; raises `RefusedError`."""

    def registered(self, plug_in: Gimp.PlugIn) -> Gimp.Procedure:
        """The procedure as GIMP wants it described."""
        procedure = Gimp.Procedure.new(plug_in, self.name, Gimp.PDBProcType.PLUGIN, self._run, None)
        procedure.set_documentation(_(self.blurb), _(self.help), None)
        procedure.set_attribution(AUTHORS, AUTHORS, YEAR)
        self.describe(procedure)
        return procedure

    def _run(self, procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, _data: Any) -> Gimp.ValueArray:
        try:
            answers = self.answer(config)
        except RefusedError as refusal:
            return procedure.new_return_values(FAILED, GLib.Error.new_literal(Gimp.PlugIn.error_quark(), str(refusal), 0))
        values = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())
        for place, value in enumerate(answers, 1):
            values.remove(place)
            values.insert(place, value)
        return values


def _describe_models(procedure: Gimp.Procedure) -> None:
    meaning = _("Only the models that can do this task: {tasks}; empty means all").format(tasks=", ".join(TASKS))
    procedure.add_string_argument("task", _("_Task"), meaning, "", BOTH_WAYS)
    order = _("The names of the models, the default one first")
    procedure.add_string_array_return_value("models", _("Models"), order, BOTH_WAYS)


def _models(config: Gimp.ProcedureConfig) -> list[GObject.Value]:
    task = config.get_property("task") or ""
    if task and task not in TASKS:
        raise RefusedError(_("The task is “{task}”; it must be one of {tasks}.").format(task=task, tasks=", ".join(TASKS)))
    with _connected(server_command()) as client:
        models = _known(client).models
    return [GObject.Value(GObject.TYPE_STRV, [str(one["name"]) for one in models if task in ("", *one.get("tasks", (task,)))])]


def _describe_status(procedure: Gimp.Procedure) -> None:
    procedure.add_boolean_return_value("running", _("Running"), _("Whether a server answers"), False, BOTH_WAYS)
    answer = _("What it is and on what it works, or why none answers")
    procedure.add_string_return_value("text", _("Text"), answer, "", BOTH_WAYS)


def _status(_config: Gimp.ProcedureConfig) -> list[GObject.Value]:
    try:
        with _connected(None) as client:
            welcome = client.welcome
            assert welcome is not None
            devices = ", ".join(f"{one.name} ({one.state})" for one in welcome.engine.devices) or welcome.engine.device
            about = {"server": welcome.server, "devices": devices}
            count = len(welcome.engine.models)
            text = counted("{server} on {devices}, {count} model.", "{server} on {devices}, {count} models.", count, **about)
            running = True
    except RefusedError as refusal:
        running, text = False, str(refusal)
    return [GObject.Value(GObject.TYPE_BOOLEAN, running), GObject.Value(GObject.TYPE_STRING, text)]


def _connected(launch: list[str] | None) -> Client:
    """A client that has a connection; `launch` starts a server when none runs. Raises `RefusedError`."""
    client = Client(f"gimp {Gimp.version()}", address=chosen_server(), launch=launch)
    try:
        client.wait_until_connected()
    except ProtocolError as error:
        client.close()
        raise RefusedError(told(error.failure)) from None
    return client


def _known(client: Client) -> Engine:
    """What the engine can do, as soon as it knows. Raises `RefusedError` where it has failed or says nothing."""
    assert client.welcome is not None
    engine, deadline = client.welcome.engine, time.monotonic() + SECONDS
    while engine.state == "starting":
        try:
            event = client.events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise RefusedError(_("The server did not say in time which models it has. Ask again.")) from None
        engine = event if isinstance(event, Engine) else engine
    if engine.failure is not None:
        raise RefusedError(told(engine.failure))
    return engine


QUESTIONS: Mapping[str, Question] = {
    one.name: one
    for one in (
        Question(
            "acetate-list-models",
            marked("List the models of the Acetate server"),
            marked(
                "The names are what the argument model of the other procedures takes. A server is started if none is running."
            ),
            _describe_models,
            _models,
        ),
        Question(
            "acetate-status",
            marked("Tell whether an Acetate server is running"),
            marked("No server is started. Without one the text says why, and what to do."),
            _describe_status,
            _status,
        ),
    )
}
