"""One conversation with the server for all of Krita's windows: jobs, their results, the history.

Knows the protocol and the documents; knows no widget: dockers listen to its signals. Everything runs on the main thread; the
client's own threads only put events into a queue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
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
from acetate.plugins.bridge.status.connection import ConnectionStatus
from acetate.plugins.bridge.status.job_queue import JobQueue
from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import sentence
from acetate.protocol import Client, Connected, Engine, Error, Event, Failure, LayerReady

from . import conditions
from .forms import remembering
from .qt import QtCore, Signal, guarded, tell_mistakes
from .qt_host import QtHost

log = logging.getLogger(__name__)

HISTORY_PAGE = 40
SKETCHING = ("sketchpad", "fake")
"""The families of models that draw only sketches."""


class Session(QtCore.QObject):
    """The conversation with the server. It is created once, while dockers come and go."""

    told = Signal(object)
    """What the server or the connection has said: every `Event`."""
    changed = Signal()
    """The state of the connection or of the running job has changed."""
    history_changed = Signal()
    engine_changed = Signal()
    queue_changed = Signal()
    inserted = Signal(object)
    """A result is in its document: the `PendingResult`."""
    failed = Signal(object)
    """Something failed: the `Failure` to show."""
    closing = Signal()
    """Krita ends; what is asked for now is still sent."""
    noted = Signal(str)
    """What is worth knowing about a result: what a file could not keep, or that a layer is hardly transparent."""

    def __init__(self, app: Any, make_client: Callable[[list[str] | None], Client]) -> None:
        super().__init__()
        self._app = app
        self._make_client = make_client
        self.client: Client | None = None
        self.status = ConnectionStatus(by_hand())
        self.history = JobHistory()
        self.forms = FormMemory()
        self._host = QtHost(app, self._notice)
        self.jobs = EditorJobs(self._host, self.connect_to_server)
        self.queue = JobQueue(self.jobs, lambda: self.client)
        self._notifier: Any = None
        tell_mistakes(self._mistake)
        self.failed.connect(lambda failure: log.warning("told: %s", failure))

    # --- the connection ----------------------------------------------------------------------------------------------

    def connect_to_server(self) -> Client:
        """Find the server, or start one. Harmless when that was already done."""
        if self.client is None:
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
        self.client = self._notifier = None
        self.status, self.history = ConnectionStatus(by_hand()), JobHistory()
        self.history_changed.emit()
        self.queue_changed.emit()
        self.connect_to_server()

    def aside(self, work: Callable[[], T], then: Then[T]) -> None:
        """Do what may take long on a thread, and tell the result on Krita's."""
        self._host.on_thread(work, then)

    def close(self) -> None:
        """Disconnect, as Krita ends. Jobs go on at the server; their results wait in the history."""
        self.closing.emit()
        self._host.turns.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
        if self.client is not None:
            self.client.close()

    @property
    def connection(self) -> str:
        """A few words while there is no connection; empty while there is one."""
        return self.status.text

    @property
    def engine(self) -> Engine | None:
        """What the server has said last of its engine; `None` before the first connection."""
        return self.status.engine

    # --- what an artist asks for -------------------------------------------------------------------------------------

    @property
    def current(self) -> PendingResult | None:
        """The generation to show: the one that runs, else the next; `None` while none is on its way."""
        return self.jobs.generation

    @property
    def url(self) -> str:
        """Where the server is; empty before the first connection."""
        return self.client.url if self.client is not None else ""

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
                raise RefusedError(_("Nothing has been generated in this document yet. Use Generate."))
            self.generate(document, replace(from_json(kept), seed=fresh_seed()))

    def follow_canvases(self) -> None:
        """Watch what the hand does on the canvases that there are soon: a view that is being closed must not be touched."""
        QtCore.QTimer.singleShot(0, guarded(self._host.hand.watch))

    def cancel(self) -> None:
        """Stop the generation that is shown; layers that have arrived stay in the history."""
        if self.current is not None:
            self.jobs.cancel(self.current)

    def cancel_all(self) -> None:
        """Stop everything that this Krita has asked for, in this run and before."""
        self.queue.cancel_all()
        self.queue_changed.emit()

    def insert_again(
        self,
        job: str,
        document: Any,
        *,
        title: str = "",
        without: Sequence[int] = (),
        instead: bool = False,
        as_mask: bool = False,
        **plan: Any,
    ) -> None:
        """Put a finished job `without` layers of these numbers into the document, or `instead` of the active layer, or as that
        one's mask; `plan` are further fields of its `JobPlan`."""
        with self._refusals():
            planned = partial(conditions.insertion_plan, document, title, instead=instead, as_mask=as_mask)
            self.jobs.insert_again(job, document, lambda: self._timed(replace(planned(), **plan)), without=without)

    def look(self, job: str, then: Callable[[Sequence[LayerReady]], None], *, without: Sequence[int] = ()) -> None:
        """Fetch the layers of a finished job, `without` those of these numbers, to be looked at."""
        self.jobs.look(job, then, without=without, format=conditions.FORMAT)

    def insert_file(self, document: Any, path: Path) -> None:
        """Put the layers of a file into the document, as a group."""
        with self._refusals():
            self.jobs.insert_file(path, document, lambda: self._timed(conditions.insertion_plan(document, path.name)))

    def save(self, job: str, path: Path, suffix: str = "png", pictures: Sequence[int] = ()) -> None:
        """Write a finished job of the history, or only some of its pictures, as PNG, PSD or OpenRaster; a name with another
        suffix gets `suffix`."""
        target = files.named(str(path), suffix)
        with self._refusals():
            if target != path and target.exists():  # the artist was asked about the other name
                raise RefusedError(_("{name} already exists. Save the result under another name.").format(name=target.name))
            self.jobs.save(job, target, pictures)

    def discard(self, job: str, pictures: Sequence[int] = ()) -> None:
        self.connect_to_server().discard(job, pictures)

    def star(self, job: str, picture: int, starred: bool) -> None:
        self.connect_to_server().star(job, picture, starred)

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
            if self.queue.take(event):
                self.queue_changed.emit()
            self.told.emit(event)
        self.changed.emit()

    def _take(self, event: Event) -> None:
        if (failure := self.status.take(event)) is not None:
            self.failed.emit(failure)
        if isinstance(event, Connected):
            self._use_engine(event.welcome.engine)
            self.history.renew()
            self._ask_for_history()
        elif isinstance(event, Engine):
            self._use_engine(event)
        elif self.history.take(event):
            self.history_changed.emit()
        elif isinstance(event, Error) and event.job is None:
            self.failed.emit(event.failure)

    def _use_engine(self, engine: Engine) -> None:
        self.engine_changed.emit()
        if engine.failure is not None:
            self.failed.emit(engine.failure)

    def _ask_for_history(self) -> None:
        if self.client is not None and self.client.connected:
            self.client.history(limit=HISTORY_PAGE)

    # --- what becomes of a job ---------------------------------------------------------------------------------------

    def _notice(self, result: PendingResult) -> None:
        if result.over:
            self._end(result)
        self.queue_changed.emit()
        self.changed.emit()

    def _mistake(self, error: Exception) -> None:
        """One of our own slots has failed: the artist is told, and the log has the traceback."""
        said = _("the plug-in made a mistake: {error}").format(error=f"{type(error).__name__}: {error}")
        self.failed.emit(Failure("internal", said, _("Its log says where. Please report it with the details.")))

    def _end(self, result: PendingResult) -> None:
        if result.made is not None and result.save_as is None:
            self.inserted.emit(result)
        if result.failure is not None:
            self.failed.emit(result.failure)
        else:
            saved = [_("Saved as {name}").format(name=result.made.name)] if result.save_as is not None and result.made else []
            if (said := (*saved, *result.notes)) and result.status.outcome == "finished":
                self.noted.emit(" ".join(map(sentence, said)))
        self._ask_for_history()

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Shows what is refused in the block."""
        try:
            yield
        except RefusedError as refused:
            self.failed.emit(refusal(refused))
