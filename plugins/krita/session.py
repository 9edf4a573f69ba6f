"""One conversation with the server for all of Krita's windows: jobs, their results, the history.

Knows the protocol and the documents; knows no widget: dockers listen to its signals. Everything runs on the main thread; the
client's own threads only put events into a queue.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from acetate.plugins.bridge import files
from acetate.plugins.bridge.form import Form, fresh_seed, from_json
from acetate.plugins.bridge.history import History
from acetate.plugins.bridge.launch import by_hand, server_command
from acetate.plugins.bridge.watch import HOPELESS, Watch
from acetate.plugins.bridge.words import sentence, short_prompt
from acetate.protocol import (
    Client,
    Condition,
    Connected,
    Disconnected,
    Engine,
    Error,
    Event,
    Failure,
    FileReady,
    Starting,
    new_job_id,
)

from . import canvas, conditions
from .conditions import RefusedError
from .qt import QtCore, Signal, guarded
from .replacing import Replacements
from .results import Errand, insertion
from .steps import Elsewhere, Steps

log = logging.getLogger(__name__)

HISTORY_PAGE = 40
NO_DOCUMENT = "No document is open. Create or open one first."
ACTIVATION_MS = 50
"""Krita 5.2 makes a new layer the active one by itself, but only when it gets to it; 5.1 does not."""


class Session(QtCore.QObject):
    """Created once; dockers come and go."""

    changed = Signal()
    """State of the connection or of the running job."""
    history_changed = Signal()
    engine_changed = Signal()
    inserted = Signal(object)
    """A result is in its document: the `Errand`."""
    failed = Signal(object)
    """A `Failure` to show."""
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
        self.current: Errand | None = None
        """The generation that runs, from the click until its result is in the document."""
        self.history = History()
        self._replacements = Replacements(app)
        self._errands: dict[str, Errand] = {}
        self._steps = Steps()
        self._elsewhere = Elsewhere()
        self._notifier: Any = None

    # --- the connection ----------------------------------------------------------------------------------------------

    def connect_to_server(self) -> Client:
        """Find the server, or start one. Harmless when that was done before."""
        if self.client is None:
            self.connection = "Looking for the server"
            self.client = self._make_client(server_command())
            # The client makes this socket readable when something happened: no polling.
            self._notifier = QtCore.QSocketNotifier(self.client.fileno(), QtCore.QSocketNotifier.Type.Read)
            self._notifier.activated.connect(self._read_events)
            self.changed.emit()
        self.client.connect()
        return self.client

    def close(self) -> None:
        """Krita ends. Jobs go on at the server; their results wait in the history."""
        self._steps.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
        if self.client is not None:
            self.client.close()

    # --- what an artist asks for -------------------------------------------------------------------------------------

    def generate(self, document: Any, form: Form) -> None:
        """Ask for `form` in the document; what cannot be done is said at once."""
        if self.current is not None:
            return
        try:
            if document is None:
                raise RefusedError(NO_DOCUMENT)
            plan = conditions.plan(document, form)
        except RefusedError as refused:
            self._refuse(refused)
            return
        client, watch = self.connect_to_server(), Watch(new_job_id(), patient=True)
        watch.text = "Reading the layer" if plan.node is not None else "Sending"
        errand = Errand(watch, document, plan.anchor, form, plan.box, short_prompt(form.prompt), below=plan.below)
        self.current = errand
        self.changed.emit()

        def send(pictures: dict[str, Condition] | None, error: BaseException | None) -> None:
            if error is not None or pictures is None or watch.stopping:
                self._end(errand, error)
                return
            self._errands[errand.job] = errand
            client.submit(form.task, form.parameters(), pictures, box=plan.box, name=plan.name, format="bgra8", job=errand.job)

        self._steps.run(conditions.read(document, form, plan), send)

    def repeat(self, document: Any) -> None:
        """The last generation of the document once more, with another seed."""
        kept = canvas.remembered(document).get("form") if document is not None else None
        if not isinstance(kept, str):
            self._refuse(RefusedError("Nothing was generated in this document yet. Use Generate."))
            return
        self.generate(document, replace(from_json(kept), seed=fresh_seed()))

    def cancel(self) -> None:
        """Stop the running generation; layers that are there already stay in the history."""
        errand = self.current
        if errand is None or errand.watch.stopping:
            return
        errand.watch.stopping, errand.watch.text = True, "Stopping"
        if errand.job in self._errands:
            client = self.connect_to_server()
            client.cancel(errand.job)
            if not client.connected:  # the server hears of it when it is back; nobody has to wait for that
                del self._errands[errand.job]
                self._end(errand, None)
        self.changed.emit()

    def insert_again(self, job: str, document: Any, *, instead: bool = False) -> None:
        """Put a finished job of the history into the document, or `instead` of the active layer."""
        active = canvas.active_layer(document) if document is not None else None
        if document is None or (instead and active is None):
            self._refuse(RefusedError(NO_DOCUMENT if document is None else "No layer is active. Select the layer to replace."))
        elif job not in self._errands:
            anchor = canvas.identity(active) if active is not None else None
            entry = self.history.entries.get(job)
            title = short_prompt(str(entry.parameters.get("prompt", ""))) if entry is not None else ""
            self._errands[job] = Errand(Watch(job), document, anchor, title=title, replaces=anchor if instead else None)
            self.connect_to_server().attach(job, format="bgra8")

    def insert_file(self, document: Any, path: Path) -> None:
        """Put the layers of a file into the document, as a group."""
        kind = files.FORMATS.get(path.suffix.lower())
        if document is None or kind is None:
            said = NO_DOCUMENT if document is None else f"{path.name} is no PSD, OpenRaster or PNG file. Choose one of these."
            self._refuse(RefusedError(said))
            return
        active = canvas.active_layer(document)
        anchor = canvas.identity(active) if active is not None else None
        errand = Errand(Watch(new_job_id()), document, anchor, title=path.name)

        def send(data: bytes | None, error: BaseException | None) -> None:
            if error is not None or data is None:
                self._refuse(RefusedError(f"{path.name} cannot be read: {error}. Choose another file."))
            else:
                self._errands[errand.job] = errand
                self.connect_to_server().insert_file(data, kind, format="bgra8", job=errand.job)

        self._elsewhere.run(path.read_bytes, send)

    def save(self, job: str, path: Path, suffix: str = "png") -> None:
        """Write a finished job of the history as PNG, PSD or OpenRaster; a name that is none of these gets the suffix."""
        target, export = files.named(str(path), suffix), new_job_id()
        if target != path and target.exists():  # the artist was asked about the other name
            self._refuse(RefusedError(f"There is a {target.name} already. Save the result under another name."))
            return
        self._errands[export] = Errand(Watch(export), save_as=target)
        self.connect_to_server().export([job], files.FORMATS[target.suffix.lower()], job=export)

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
            for errand in list(self._errands.values()):
                self._watch(errand, event)
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

    def _watch(self, errand: Errand, event: Event) -> None:
        if isinstance(event, FileReady) and event.job == errand.job and errand.save_as is not None:
            self._elsewhere.run(partial(files.write, errand.save_as, event.data), self._written)
            self._note(event.file.notes)
        errand.watch.take(event, time.monotonic())
        if not errand.watch.over:
            return
        del self._errands[errand.job]
        hopeless = errand.watch.failure is not None and errand.watch.failure.code in HOPELESS
        if self.client is not None and (hopeless or not errand.watch.accepted):
            self.client.cancel(errand.job)  # or it would begin when a server comes up some day
        if errand.watch.outcome == "finished" and errand.document is not None:
            errand.watch.text = "Inserting"
            self._steps.run(insertion(self._app, errand), lambda node, error: self._inserted(errand, node, error))
        else:
            self._end(errand, None)

    # --- the end of a job --------------------------------------------------------------------------------------------

    def _inserted(self, errand: Errand, active: Any, error: BaseException | None) -> None:
        if error is None:
            self.connect_to_server().acknowledge(errand.job)
            if errand.replaces is not None:
                self._replacements.add(errand.replaces, canvas.identity(active))
            QtCore.QTimer.singleShot(ACTIVATION_MS, lambda: self._activate(errand.document, active))
            self.inserted.emit(errand)
            self._note(errand.notes)
        self._end(errand, error)

    def _note(self, notes: tuple[str, ...]) -> None:
        if notes:
            self.noted.emit(" ".join(sentence(note) for note in dict.fromkeys(notes)))

    @guarded
    def _activate(self, document: Any, node: Any) -> None:
        if canvas.is_open(self._app, document) and document.activeNode() != node:
            document.setActiveNode(node)

    def _end(self, errand: Errand, error: BaseException | None) -> None:
        if self.current is errand:
            self.current = None
        if isinstance(error, canvas.DocumentClosedError):
            self.failed.emit(Failure("document-closed", "the document was closed meanwhile", "The result is in the history."))
        elif isinstance(error, RefusedError):
            self._refuse(error)
        elif error is not None:
            log.error("a result could not be used", exc_info=error)
            self.failed.emit(Failure("internal", f"{type(error).__name__}: {error}", "The result is in the history."))
        elif errand.watch.failure is not None:
            self.failed.emit(errand.watch.failure)
        self._ask_for_history()
        self.changed.emit()

    def _written(self, _: None, error: BaseException | None) -> None:
        if error is not None:
            self._refuse(RefusedError(f"The file cannot be written: {error}. Choose another folder."))

    def _refuse(self, refused: RefusedError) -> None:
        message, _, hint = str(refused).partition(". ")
        self.failed.emit(Failure("refused", message.rstrip("."), hint))
