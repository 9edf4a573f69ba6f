"""The client's jobs over a connection that comes and goes: uploads before submits, attaching again, one end per job.

A job is told at most once at a time: from `begin` or `attach` until its end has been delivered. Whoever asks again meanwhile gets
what is left of the same story, so no end can overtake layers that were asked for by another message. Knows messages and their
order; the connection is handed in, and events are handed out through a function.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from . import events as happened
from . import messages as wire
from .errors import ProtocolError
from .frames import AnyHeader
from .pending_job import PendingJob
from .transfers import Content, Downloads, announce, upload_parts

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

Action = Callable[[], None]

STATELESS = (wire.Acknowledge, wire.Discard, wire.ListHistory, wire.ListJobs)
"""Messages that can be sent over another connection than they were asked for on."""


class JobSession:
    """Thread-safe. `message` and `part` are called by the reading thread; a writing thread lives inside `over`."""

    def __init__(self, deliver: Callable[[happened.Event], None]) -> None:
        self._deliver = deliver
        self._tasks: dict[str, PendingJob] = {}
        self._ahead: dict[str, Content] = {}
        self._downloads = Downloads()
        self._uploaded: set[str] = set()
        self._uploading: set[str] = set()
        self._encoding = "raw"
        self._changed = threading.Condition()
        self._urgent: deque[wire.ClientMessage | Action] = deque()
        self._parts: deque[Iterator[bytes]] = deque()
        self._connection: ClientConnection | None = None
        self._sending = False
        """The writing thread has an item in its hands."""

    # --- asked by the host -------------------------------------------------------------------------------------------

    def begin(self, task: PendingJob) -> None:
        job = task.asked.job
        with self._changed:
            if job in self._tasks:
                return
            self._tasks[job] = task
            if self._connection is not None:
                self._enqueue(lambda: self._offer(job))

    def attach(self, message: wire.Attach) -> None:
        with self._changed:
            if message.job in self._tasks:
                return
            self._tasks[message.job] = PendingJob(message, {}, {}, accepted=True, layers=set(message.have))
            if self._connection is not None:
                self._enqueue(message)

    def is_told(self, job: str) -> bool:
        """Whether the job's end is still to be delivered."""
        with self._changed:
            return job in self._tasks

    def cancel(self, job: str) -> None:
        with self._changed:
            if (task := self._tasks.get(job)) is not None:
                task.cancelled = True
            if self._connection is not None:
                self._enqueue(wire.Cancel(job))

    def send(self, message: wire.ClientMessage) -> None:
        """A message that no state hangs on; waits for the connection if there is none."""
        with self._changed:
            self._enqueue(message)

    def upload(self, content: Content) -> str:
        announced = announce(content)
        with self._changed:
            self._ahead[announced.sha256] = content
            if self._connection is not None:
                self._enqueue(lambda: self._announce(announced.sha256, content))
        return announced.sha256

    def flush(self, timeout: float) -> bool:
        """Wait until the server has all that was asked for: every message is sent, every job accepted or refused."""
        with self._changed:
            return self._changed.wait_for(self._is_flushed, timeout)

    def close(self) -> None:
        """Hang up, without waiting for it: the writing thread does it."""
        with self._changed:
            connection = self._connection
            if connection is not None:
                self._enqueue(connection.close)

    # --- the connection ----------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def over(self, connection: ClientConnection, encoding: str) -> Iterator[None]:
        """Work over this connection: what is unfinished is taken up again first."""
        with self._changed:
            self._connection, self._encoding, self._sending = connection, encoding, False
            self._uploaded.clear()
            self._uploading.clear()
            self._downloads = Downloads()
            waiting, self._urgent = self._urgent, deque()
            self._take_up_again()
            self._urgent.extend(waiting)
        writer = threading.Thread(target=self._write, args=(connection,), name="acetate-client-writer", daemon=True)
        writer.start()
        try:
            yield
        finally:
            with self._changed:
                self._connection = None
                self._parts.clear()
                # What belongs to jobs and uploads is taken up again from their state; the rest waits for the next connection.
                self._urgent = deque(item for item in self._urgent if isinstance(item, STATELESS))
                self._changed.notify_all()
            connection.close()
            writer.join()

    def message(self, message: wire.ServerMessage) -> None:
        """What the server says, in its order."""
        if isinstance(message, wire.Have):
            self._has(message)
        elif isinstance(message, (wire.Layer, wire.File)):
            arrival = self._downloads.announced(message)
            if arrival is not None:
                self._arrived(arrival)
        elif isinstance(message, wire.History):
            self._deliver(self._downloads.page(message))
        elif isinstance(message, wire.Error):
            self._refused(message)
        elif isinstance(message, happened.TERMINAL):
            self._end(message)
        elif not isinstance(message, wire.Welcome):
            if isinstance(message, (wire.Queued, wire.Started)):
                self._accepted(message.job)
            self._deliver(message)

    def part(self, header: AnyHeader, payload: bytes | memoryview) -> None:
        arrival = self._downloads.arrived(header, payload)
        if arrival is not None:
            self._arrived(arrival)

    # --- reading thread ----------------------------------------------------------------------------------------------

    def _arrived(self, arrival: happened.LayerReady | happened.FileReady | happened.Receiving | happened.Preview) -> None:
        if isinstance(arrival, happened.LayerReady):
            with self._changed:
                task = self._tasks.get(arrival.job)
                if task is None or arrival.layer.index in task.layers:
                    return  # given up, or sent twice
                task.layers.add(arrival.layer.index)
        self._deliver(arrival)

    def _accepted(self, job: str) -> None:
        with self._changed:
            task = self._tasks.get(job)
            if task is not None:
                task.accepted = True
                task.uploads = {}
                self._changed.notify_all()

    def _end(self, message: wire.Finished | wire.Failed | wire.Cancelled) -> None:
        self._downloads.forget(message.job)
        with self._changed:  # also while delivering: a job that is not told any more has its end where its events go
            if self._tasks.pop(message.job, None) is not None:
                self._deliver(message)
            self._changed.notify_all()

    def _has(self, message: wire.Have) -> None:
        with self._changed:
            if not message.complete:
                content = self._content(message.sha256)
                if content is not None:
                    self._parts.append(upload_parts(content, message.sha256, message.offset, self._encoding))
                    self._changed.notify_all()
                return
            self._uploading.discard(message.sha256)
            self._uploaded.add(message.sha256)
            self._ahead.pop(message.sha256, None)
            for task in self._tasks.values():
                if not task.accepted and task.uploads and message.sha256 in task.uploads and task.is_ready(self._uploaded):
                    self._enqueue(task.asked)

    def _refused(self, error: wire.Error) -> None:
        """A refused upload or submit is the end of its job, except that evicted pictures are uploaded again."""
        lacking = set(error.sha256)
        with self._changed:
            if error.about == "upload":
                hit = self._give_up_uploads(lacking)
            else:
                hit = [error.job] if error.job in self._tasks and error.about in ("submit", "insert", "export", "attach") else []
            again = error.failure.code == "unknown-image" and len(hit) == 1 and self._tasks[hit[0]].may_offer_again(lacking)
            if again:
                self._uploaded -= lacking
                self._enqueue(lambda: self._offer(hit[0]))
        if not hit:
            self._deliver(error)
        elif not again:
            for job in hit:
                self._end(wire.Failed(job, error.failure))

    # --- writing thread ----------------------------------------------------------------------------------------------

    def _write(self, connection: ClientConnection) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._urgent or self._parts or self._connection is not connection)
                if self._connection is not connection:
                    return
                item: wire.ClientMessage | Action | bytes | None
                item = self._urgent.popleft() if self._urgent else self._next_part()
                self._sending = True
            try:
                if isinstance(item, bytes):
                    connection.send(item)
                elif callable(item):
                    item()
                elif item is not None:
                    connection.send(wire.to_text(item))
            except Exception:  # whatever broke the connection, the reading thread sees and reports it
                connection.close()
                return
            with self._changed:
                self._sending = False
                self._changed.notify_all()

    def _next_part(self) -> bytes | None:
        while self._parts:
            part = next(self._parts[0], None)
            if part is not None:
                return part
            self._parts.popleft()
        return None

    def _offer(self, job: str) -> None:
        """Upload what the server lacks; the submit goes out when the last upload is complete."""
        with self._changed:
            task = self._tasks.get(job)
        if task is None:
            return
        try:
            task.prepare()
        except ProtocolError as error:
            self._end(wire.Failed(job, error.failure))
            return
        for sha256, content in (task.uploads or {}).items():
            self._announce(sha256, content)
        with self._changed:
            if job in self._tasks and task.is_ready(self._uploaded):
                self._enqueue(task.asked)
                if task.cancelled:
                    self._enqueue(wire.Cancel(job))

    def _announce(self, sha256: str, content: Content) -> None:
        message = announce(content, sha256)
        with self._changed:
            if sha256 not in self._uploaded and sha256 not in self._uploading:
                self._uploading.add(sha256)
                self._urgent.appendleft(message)

    # --- with the lock held ------------------------------------------------------------------------------------------

    def _take_up_again(self) -> None:
        for sha256, content in self._ahead.items():
            self._enqueue(lambda sha256=sha256, content=content: self._announce(sha256, content))  # type: ignore[misc]
        for job, task in self._tasks.items():
            if task.accepted:
                self._enqueue(task.to_attach())
                if task.cancelled:
                    self._enqueue(wire.Cancel(job))
            else:
                self._enqueue(lambda job=job: self._offer(job))  # type: ignore[misc]

    def _give_up_uploads(self, refused: set[str]) -> list[str]:
        """Forget these contents; returns the jobs that cannot be without them."""
        self._uploading -= refused
        for sha256 in refused:
            self._ahead.pop(sha256, None)
        return [job for job, task in self._tasks.items() if task.uploads and not refused.isdisjoint(task.uploads)]

    def _is_flushed(self) -> bool:
        return not (self._urgent or self._parts or self._sending) and all(task.accepted for task in self._tasks.values())

    def _content(self, sha256: str) -> Content | None:
        if sha256 in self._ahead:
            return self._ahead[sha256]
        for task in self._tasks.values():
            if task.uploads and sha256 in task.uploads:
                return task.uploads[sha256]
        return None

    def _enqueue(self, item: wire.ClientMessage | Action) -> None:
        self._urgent.append(item)
        self._changed.notify_all()
