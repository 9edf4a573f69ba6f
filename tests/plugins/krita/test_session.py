"""Krita's one conversation with the server, with a fake Krita, a fake Qt and a client that writes down what it is asked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.host import EditorHost
from acetate.plugins.krita import canvas
from acetate.plugins.krita.session import QtHost, Session
from acetate.protocol import (
    Box,
    Cancelled,
    Connected,
    Disconnected,
    Engine,
    Error,
    Failure,
    FileReady,
    Finished,
    HistoryEntry,
    HistoryPage,
    Layer,
    LayerReady,
    Queued,
    Starting,
)
from acetate.protocol.messages import File

from ..bridge.fakes import FakeClient
from .fake_qt import fire

ENGINE = Engine("ready", "cpu", ({"name": "sketchpad", "tasks": ["foreground"]},))
WELCOME = SimpleNamespace(engine=ENGINE, server="acetate 0.4")
LOST, NO_SERVER = Failure("connection-lost", "gone"), Failure("no-server", "no server is running", "?")


class Client(FakeClient):
    """With events that wait."""

    def __init__(self):
        super().__init__()
        self.waiting = []

    def poll(self):
        events, self.waiting = self.waiting, []
        return events

    def fileno(self):
        return 0


class Desk:
    """A session with everything that it says, and one document."""

    def __init__(self, app):
        self.client, self.made = Client(), []
        app.action = lambda name: None
        app.windows, app.activeWindow, app.activeDocument = list, lambda: None, lambda: self.document
        self.session = Session(app, lambda launch: self.made.append(launch) or self.client)
        self.said = []
        for name in ("changed", "history_changed", "engine_changed", "inserted", "failed", "noted"):
            getattr(self.session, name).connect(lambda *what, name=name: self.said.append((name, *what)))
        self.document = app.createDocument(40, 30)
        (self.paper,) = self.document.topLevelNodes()
        self.document.setActiveNode(self.paper)

    def happen(self, *events):
        """The client's socket becomes readable."""
        self.session.connect_to_server()
        self.client.waiting += events
        self.session._notifier.activated.emit()
        fire()

    def heard(self, name):
        return [what for said, *what in self.said if said == name]

    @property
    def failure(self):
        return self.heard("failed")[-1][0]

    def generate(self, **form):
        self.session.generate(self.document, Form(**{"prompt": "fig", "seed": 7, **form}))
        fire()
        return self.session.current

    def names(self):
        return [node.name() for node in self.document.topLevelNodes()]


@pytest.fixture
def desk(app, monkeypatch):
    monkeypatch.setattr(QtHost, "on_thread", EditorHost.on_thread)
    return Desk(app)


def finished(job, **more):
    shape = {"box": Box(0, 0, 2, 2), "format": "bgra8", "bytes": 16, "sha256": "0" * 64, "parameters": {"prompt": "fig"}}
    layer = LayerReady(Layer(job, 0, "fig (7)", "foreground", 0, 0, 2, 2, **shape, **more), bytes(range(16)))
    return Queued(job, 0), layer, Finished(job, 1, 1.0, ("a note",))


def entry(job):
    return HistoryEntry(job, "foreground", 1.0, parameters={"prompt": "old boot"})


def test_the_first_use_connects_and_later_ones_go_on(desk):
    for _ in range(2):
        desk.session.connect_to_server()
    assert (len(desk.made), desk.session.connection) == (1, "Looking for the server")


def test_a_connection_brings_the_engine_and_asks_for_the_history(desk):
    desk.happen(Starting(("acetate", "serve")))
    assert desk.session.connection == "Starting the Acetate server"
    desk.happen(Connected(WELCOME))
    assert (desk.session.connection, desk.session.engine) == ("", ENGINE)
    assert desk.heard("engine_changed") and desk.client.asked("history") == [((), {"limit": 40})]


def test_without_a_server_the_command_to_start_one_is_said_once(desk):
    desk.happen(Disconnected(NO_SERVER, 1.0, settled=True), Disconnected(NO_SERVER, 2.0, settled=True))
    assert desk.session.connection == "No server is running"
    assert [what.hint for (what,) in desk.heard("failed")] == ["Start it in a terminal: acetate serve"]


def test_a_lost_connection_is_no_failure_while_it_is_being_made_again(desk):
    desk.happen(Connected(WELCOME), Disconnected(LOST, 1.0))
    assert (desk.session.connection, desk.heard("failed")) == ("Reconnecting", [])
    desk.happen(Disconnected(LOST, None, settled=True))
    assert (desk.session.connection, desk.failure) == ("Not connected", LOST)


def test_what_the_engine_or_the_server_complains_of_is_said(desk):
    broken = Failure("no-model", "there is no model")
    desk.happen(Engine("failed", "cpu", (), failure=broken), Error(LOST))
    assert [what for (what,) in desk.heard("failed")] == [broken, LOST]


def test_a_generation_becomes_the_active_layer_and_is_acknowledged(desk):
    result = desk.generate()
    assert desk.client.asked("submit")[0][1]["format"] == "bgra8" and desk.heard("changed")
    desk.happen(*finished(result.job, warnings=("hazy",)))
    assert (desk.names(), desk.document.activeNode().name()) == (["Background", "fig (7)"], "fig (7)")
    assert desk.client.asked("acknowledge") == [((result.job,), {})]
    assert (desk.heard("inserted"), desk.heard("noted")) == ([[result]], [["A note. Hazy."]])
    assert desk.session.current is None and desk.client.asked("history")


def test_cancel_stops_the_generation_that_runs_and_the_next_goes_on(desk):
    first = desk.generate()
    desk.generate()
    second = desk.session.jobs.generations[1]
    desk.session.cancel()
    desk.happen(Queued(first.job, 0), Cancelled(first.job))
    assert (desk.session.current, desk.heard("failed"), desk.names()) == (second, [], ["Background"])
    assert desk.client.asked("cancel") == [((first.job,), {})]


def test_what_is_refused_is_said_with_what_to_do(desk):
    desk.generate(prompt="")
    assert desk.failure == Failure("refused", "The prompt is empty", "Say in a few words what to draw.")
    desk.session.generate(None, Form(prompt="fig"))
    assert desk.failure == Failure("refused", "No document is open", "Create or open one first.")
    assert desk.client.asked("submit") == []


def test_a_document_that_was_closed_meanwhile_is_said(desk):
    result = desk.generate()
    desk.document.close()
    desk.happen(*finished(result.job))
    assert desk.failure.code == "document-closed" and desk.client.asked("acknowledge") == []


def test_a_generation_is_repeated_with_another_seed(desk):
    desk.session.repeat(desk.document)
    assert desk.failure.message == "Nothing has been generated in this document yet"
    desk.happen(*finished(desk.generate().job))
    desk.session.repeat(desk.document)
    fire()
    first, second = (arguments[1] for arguments, _ in desk.client.asked("submit"))
    assert (first.prompt, second.prompt) == ("fig", "fig") and first.seed != second.seed


def test_a_result_of_the_history_replaces_the_active_layer_and_both_are_remembered_for_undo(desk):
    desk.happen(HistoryPage((entry("job-0001"),), {}, False))
    assert desk.heard("history_changed")
    old = canvas.identity(desk.paper)
    desk.session.insert_again("job-0001", desk.document, instead=True)
    desk.happen(*finished("job-0001"))
    assert desk.names() == ["Background"], "it has the name of the layer that it replaces"
    ((pair,),) = desk.session._host.replacements._pairs.values()
    assert (pair.old, pair.new) == (old, canvas.identity(desk.document.topLevelNodes()[0]))
    desk.document.setActiveNode(None)
    desk.session.insert_again("job-0001", desk.document, instead=True)
    assert desk.failure.message == "No layer is active"


def test_a_result_is_saved_under_the_name_that_was_asked_for(desk, tmp_path):
    desk.session.save("job-0001", tmp_path / "boot v1.2", "ora")
    ((jobs, kind), named) = desk.client.asked("export")[0]
    assert (jobs, kind) == (["job-0001"], "ora")
    job = named["job"]
    desk.happen(Queued(job, 0), FileReady(File(job, "x", 3, "0" * 64), b"ORA"), Finished(job, 0, 1.0, ("no modes",)))
    assert (tmp_path / "boot v1.2.ora").read_bytes() == b"ORA"
    assert (desk.heard("noted"), desk.heard("inserted"), desk.heard("failed")) == (
        [["Saved as boot v1.2.ora. No modes."]],
        [],
        [],
    )
    desk.session.save("job-0001", tmp_path / "boot v1.2", "ora")
    assert desk.failure.message == "boot v1.2.ora already exists" and len(desk.client.asked("export")) == 1


def test_the_end_of_krita_ends_the_conversation(desk):
    desk.session.generate(desk.document, Form(prompt="fig"))
    notifier = desk.session._notifier
    desk.session.close()
    fire()
    assert (notifier.enabled, desk.client.asked("submit"), len(desk.client.asked("close"))) == (False, [], 1)
