"""One conversation with the server for all of Krita's windows: jobs, their results, the history.

Knows the protocol and the documents; knows no widget: dockers listen to its signals. Everything runs on the main thread; the
client's own threads only put events into a queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from acetate.plugins.bridge import files
from acetate.plugins.bridge.form import Form, fresh_seed, from_json
from acetate.plugins.bridge.forms.form_memory import FormMemory
from acetate.plugins.bridge.history import JobHistory
from acetate.plugins.bridge.host import JobPlan, RefusedError, T, Then
from acetate.plugins.bridge.job import EditorJobs
from acetate.plugins.bridge.launch import by_hand, server_command
from acetate.plugins.bridge.pending import PendingResult, refusal
from acetate.plugins.bridge.words import sentence, short_prompt
from acetate.protocol import Client, Connected, Disconnected, Engine, Error, Event, Failure, Starting

from . import conditions
from .forms import remembering
from .qt import QtCore, Signal, guarded
from .qt_host import QtHost

HISTORY_PAGE = 40
SKETCHING = ("sketchpad", "fake")
"""The families of models that draw only sketches."""


class Session(QtCore.QObject):
    """The conversation with the server. It is created once, while dockers come and go."""

    changed = Signal()
    """The state of the connection or of the running job has changed."""
    history_changed = Signal()
    engine_changed = Signal()
    inserted = Signal(object)
    """A result is in its document: the `PendingResult`."""
    failed = Signal(object)
    """Something failed: the `Failure` to show."""
    noted = Signal(str)
    """What is worth knowing about a result: what a file could not keep, or that a layer is hardly transparent."""

    def __init__(self, app: Any, make_client: Callable[[list[str] | None], Client]) -> None:
        super().__init__()
        self._app = app
        self._make_client = make_client
        self.client: Client | None = None
        self.engine: Engine | None = None
        self.connection = ""
        """A few words while there is no connection; empty while there is one."""
        self.history = JobHistory()
        self.forms = FormMemory()
        self._host = QtHost(app, self._notice)
        self.jobs = EditorJobs(self._host, self.connect_to_server)
        self._notifier: Any = None

    # --- the connection ----------------------------------------------------------------------------------------------

    def connect_to_server(self) -> Client:
        """Find the server, or start one. Harmless when that was already done."""
        if self.client is None:
            self.connection = "Looking for the server"
            self.client = self._make_client(server_command())
            # The client makes this socket readable when something happened: no polling.
            self._notifier = QtCore.QSocketNotifier(self.client.fileno(), QtCore.QSocketNotifier.Type.Read)
            self._notifier.activated.connect(self._read_events)
            self.changed.emit()
        self.client.connect()
        return self.client

    def reconnect(self) -> None:
        """Leave the present server for the one that is chosen now; call it while nothing is awaited."""
        if self._notifier is not None:
            self._notifier.setEnabled(False)
        if self.client is not None:
            self.client.close()
        self.client = self._notifier = self.engine = None
        self.history = JobHistory()
        self.history_changed.emit()
        self.connect_to_server()

    def aside(self, work: Callable[[], T], then: Then[T]) -> None:
        """Do what may take long on a thread, and tell the result on Krita's."""
        self._host.on_thread(work, then)

    def close(self) -> None:
        """Disconnect, as Krita ends. Jobs go on at the server; their results wait in the history."""
        self._host.turns.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
        if self.client is not None:
            self.client.close()

    # --- what an artist asks for -------------------------------------------------------------------------------------

    @property
    def current(self) -> PendingResult | None:
        """The generation that runs, from the click until its result is in the document."""
        return self.jobs.generation

    def generate(self, document: Any, form: Form) -> None:
        """Ask for `form` in the document; a refusal is shown at once."""
        with self._refusals():
            asked = conditions.settled(document, form, self._sketching())
            self.jobs.generate(document, asked, lambda: self._timed(conditions.plan(document, asked)))

    def _timed(self, plan: JobPlan) -> JobPlan:
        """The plan with its moment in what the artist does."""
        self._host.hand.watch()
        return replace(plan, moment=self._host.hand.moment())

    def _sketching(self) -> set[str]:
        """The models that never redraw a layer while they enlarge it; without a name the server takes its own sketch model."""
        models = self.engine.models if self.engine is not None else ()
        return {"", *(str(one.get("name")) for one in models if one.get("family") in SKETCHING)}

    def insert_now(self, result: PendingResult) -> None:
        """Put a result that is ready into its document, whatever the hand does."""
        self.jobs.insert_now(result)

    def set_inserting_at_once(self, wanted: bool) -> None:
        """Whether results go into their documents by themselves, when the hand is free, or only when they are chosen."""
        self._host.at_once = wanted
        for result in self.jobs.ready if wanted else ():
            if result.state == "ready":
                self.jobs.insert_now(result)

    def repeat(self, document: Any) -> None:
        """Repeat the last generation of the document with another seed."""
        kept = remembering.remembered(document).get("form") if document is not None else None
        with self._refusals():
            if not isinstance(kept, str):
                raise RefusedError("Nothing has been generated in this document yet. Use Generate.")
            self.generate(document, replace(from_json(kept), seed=fresh_seed()))

    def follow_canvases(self) -> None:
        """Watch what the hand does on the canvases that there are soon: a view that is being closed must not be touched."""
        QtCore.QTimer.singleShot(0, guarded(self._host.hand.watch))

    def cancel(self) -> None:
        """Stop the running generation; layers that have arrived stay in the history."""
        if self.current is not None:
            self.jobs.cancel(self.current)

    def insert_again(self, job: str, document: Any, *, instead: bool = False, as_mask: bool = False) -> None:
        """Put a finished job of the history into the document, or `instead` of the active layer, or as that one's mask."""
        entry = self.history.entries.get(job)
        title = short_prompt(str(entry.parameters.get("prompt", ""))) if entry is not None else ""
        with self._refusals():
            planned = partial(conditions.insertion_plan, document, title, instead=instead, as_mask=as_mask)
            self.jobs.insert_again(job, document, lambda: self._timed(planned()))

    def insert_file(self, document: Any, path: Path) -> None:
        """Put the layers of a file into the document, as a group."""
        with self._refusals():
            self.jobs.insert_file(path, document, lambda: self._timed(conditions.insertion_plan(document, path.name)))

    def save(self, job: str, path: Path, suffix: str = "png") -> None:
        """Write a finished job of the history as PNG, PSD or OpenRaster; a name with another suffix gets `suffix`."""
        target = files.named(str(path), suffix)
        with self._refusals():
            if target != path and target.exists():  # the artist was asked about the other name
                raise RefusedError(f"{target.name} already exists. Save the result under another name.")
            self.jobs.save(job, target)

    def discard(self, job: str) -> None:
        self.connect_to_server().discard(job)

    def more_history(self) -> None:
        """Ask for the page after the oldest entry."""
        oldest = self.history.oldest
        if oldest is not None and self.client is not None and self.client.connected:
            self.client.history(before=oldest, limit=HISTORY_PAGE)

    # --- what the server says ----------------------------------------------------------------------------------------

    @guarded
    def _read_events(self) -> None:
        for event in self.client.poll() if self.client is not None else ():
            self._take(event)
            self.jobs.take(event)
        self.changed.emit()

    def _take(self, event: Event) -> None:
        if isinstance(event, Connected):
            self.connection = ""
            self._use_engine(event.welcome.engine)
            self.history.renew()
            self._ask_for_history()
        elif isinstance(event, Starting):
            self.connection = "Starting the Acetate server"
        elif isinstance(event, Disconnected):
            self._disconnected(event)
        elif isinstance(event, Engine):
            self._use_engine(event)
        elif self.history.take(event):
            self.history_changed.emit()
        elif isinstance(event, Error) and event.job is None:
            self.failed.emit(event.failure)

    def _use_engine(self, engine: Engine) -> None:
        self.engine = engine
        self.engine_changed.emit()
        if engine.failure is not None:
            self.failed.emit(engine.failure)

    def _disconnected(self, event: Disconnected) -> None:
        failure, before = event.failure, self.connection
        if failure.code in ("no-server", "cannot-start"):
            self.connection = "No server is running"
            if failure.code == "no-server":  # the other one says which command failed
                failure = Failure(failure.code, failure.message, f"Start it in a terminal: {by_hand()}")
        else:
            self.connection = "Reconnecting" if event.retry_in is not None else "Not connected"
        if self.connection != before and self.connection != "Reconnecting":
            self.failed.emit(failure)

    def _ask_for_history(self) -> None:
        if self.client is not None and self.client.connected:
            self.client.history(limit=HISTORY_PAGE)

    # --- what becomes of a job ---------------------------------------------------------------------------------------

    def _notice(self, result: PendingResult) -> None:
        if result.over:
            self._end(result)
        self.changed.emit()

    def _end(self, result: PendingResult) -> None:
        if result.made is not None and result.save_as is None:
            self.inserted.emit(result)
        if result.failure is not None:
            self.failed.emit(result.failure)
        elif result.status.outcome == "finished" and result.notes:
            self.noted.emit(" ".join(map(sentence, result.notes)))
        self._ask_for_history()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Shows what is refused in the block."""
        try:
            yield
        except RefusedError as refused:
            self.failed.emit(refusal(refused))
