"""The client's jobs over a connection that comes and goes: uploads before submits, attaching again, one end per job.

A state machine without a lock, a thread or a socket. It is told what the host asks for, what the server says and when a
connection comes and goes; it returns events for the host, and what is to be sent whenever that is asked for.

A job is told at most once at a time: from `begin` or `attach` until its end has been returned. Asking again before then gives
what is left of the same story, so no end can overtake layers that were asked for by another message.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from .. import messages as wire
from ..errors import Failure
from ..frames import AnyHeader
from ..link import Link
from . import events as happened
from .pending_job import PendingJob
from .transfers import Arrival, Content, Downloads, announce, upload_parts

STATELESS = (wire.Acknowledge, wire.Advance, wire.Discard, wire.Star, wire.ListHistory, wire.ListJobs)
"""Messages that may be sent over a later connection than the one they were asked for on."""

Outgoing = wire.ClientMessage | bytes | PendingJob
"""What `next_to_send` gives: a text frame's message, a binary frame, or a job whose `names` are to be handed to `offer`."""


class JobSession:
    """All jobs and uploads of one client. Not thread-safe: with threads, hold a lock around each call."""

    def __init__(self) -> None:
        self._jobs: dict[str, PendingJob] = {}
        self._ahead: dict[str, Content] = {}
        self._downloads = Downloads()
        self._uploaded: set[str] = set()
        self._uploading: set[str] = set()
        self._link: Link | None = None
        self._messages: deque[wire.ClientMessage | PendingJob] = deque()
        self._parts: deque[Iterator[bytes]] = deque()

    # --- asked by the host -------------------------------------------------------------------------------------------

    def begin(self, job: PendingJob) -> None:
        """Ask for a job. One that is being told already goes on as it is."""
        if self._jobs.setdefault(job.job, job) is job and self.is_connected:
            self._take_up(job)

    def attach(self, message: wire.Attach) -> None:
        """Ask for the story of a job that another client, or an earlier one, has asked for."""
        self.begin(PendingJob(message, uploads={}, accepted=True, layers=set(message.have)))

    def is_told(self, job: str) -> bool:
        """Whether the job's end is still to come."""
        return job in self._jobs

    def cancel(self, job: str) -> None:
        """Stop a job. The server hears of it after it has heard of the job."""
        pending = self._jobs.get(job)
        if pending is not None:
            pending.cancelled = True
        if self.is_connected and (pending is None or pending.sent):
            self._messages.append(wire.Cancel(job))

    def send(self, message: wire.ClientMessage) -> None:
        """Send a message that changes no state here; it waits for a connection if there is none."""
        self._messages.append(message)

    def upload(self, sha256: str, content: Content) -> None:
        """Send a picture or file ahead of its use."""
        self._ahead[sha256] = content
        if self.is_connected:
            self._announce(sha256, content)

    def offer(self, job: PendingJob, names: Mapping[str, str]) -> None:
        """Take in the names of the pictures of a job that `next_to_send` gave."""
        if job.uploads is None:
            job.take_names(names)
            if self.is_connected and self.is_told(job.job):
                self._take_up(job)

    # --- the connection ----------------------------------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    def connected(self, link: Link) -> None:
        """Note a connection, whose sending direction is this. What is unfinished is taken up again first."""
        self._link = link
        self._uploaded, self._uploading = set(), set()
        waiting, self._messages = self._messages, deque()
        for sha256, content in self._ahead.items():
            self._announce(sha256, content)
        for job in self._jobs.values():
            job.sent = False
            self._take_up(job)
        self._messages.extend(waiting)

    def disconnected(self) -> None:
        """Note that it is gone. Jobs and uploads resume from their state; stateless messages wait for the next connection."""
        self._link = None
        self._parts.clear()
        self._downloads.interrupt()
        self._messages = deque(message for message in self._messages if isinstance(message, STATELESS))

    @property
    def has_work(self) -> bool:
        """Whether `next_to_send` is worth a call."""
        return self.is_connected and bool(self._messages or self._parts)

    def next_to_send(self) -> Outgoing | None:
        """Messages first, then uploads part by part; `None` when there is nothing to send now."""
        if not self.is_connected:
            return None
        if self._messages:
            return self._messages.popleft()
        while self._parts:
            if (part := next(self._parts[0], None)) is not None:
                return part
            self._parts.popleft()
        return None

    @property
    def is_flushed(self) -> bool:
        """Whether all that was asked for has been given out to be sent, and every job was accepted or refused."""
        return not (self._messages or self._parts) and all(job.accepted for job in self._jobs.values())

    # --- said by the server ------------------------------------------------------------------------------------------

    def receive(self, message: wire.ServerMessage) -> list[happened.Event]:
        """Take in a message, in the server's order; returns what has happened."""
        if isinstance(message, (wire.Layer, wire.File)):
            return self._arrived(self._downloads.announced(message))
        if isinstance(message, wire.History):
            return [self._downloads.page(message)]
        if isinstance(message, wire.Error):
            return self._refused(message)
        if isinstance(message, happened.TERMINAL):
            return self._end(message)
        if isinstance(message, wire.Have):
            self._has(message)
            return []
        if isinstance(message, (wire.Queued, wire.Started)) and (job := self._jobs.get(message.job)) is not None:
            job.accepted, job.uploads = True, {}
        return [] if isinstance(message, wire.Welcome) else [message]

    def receive_part(self, header: AnyHeader, payload: bytes | memoryview) -> list[happened.Event]:
        """Take in a binary frame; returns what has happened."""
        return self._arrived(self._downloads.arrived(header, payload))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _take_up(self, job: PendingJob) -> None:
        """Bring a job one step further: name its pictures, upload what the server lacks, ask for it."""
        if job.accepted:
            self._ask(job, job.to_attach(self._downloads.offsets(job.job)))
            return
        if job.uploads is None and job.is_named:
            job.take_names(job.names())
        if job.uploads is None:
            self._messages.append(job)
            return
        for sha256, content in job.uploads.items():
            self._announce(sha256, content)
        if job.is_ready(self._uploaded):
            self._ask(job, job.asked)

    def _ask(self, job: PendingJob, message: wire.ClientMessage) -> None:
        job.sent = True
        self._messages.append(message)
        if job.cancelled:
            self._messages.append(wire.Cancel(job.job))

    def _announce(self, sha256: str, content: Content) -> None:
        if sha256 not in self._uploaded and sha256 not in self._uploading:
            self._uploading.add(sha256)
            self._messages.appendleft(announce(content, sha256))

    def _has(self, message: wire.Have) -> None:
        sha256 = message.sha256
        if not message.complete:
            content = self._content(sha256)
            if content is not None and self._link is not None:
                self._parts.append(upload_parts(content, sha256, message.offset, self._link))
            return
        self._uploading.discard(sha256)
        self._uploaded.add(sha256)
        self._ahead.pop(sha256, None)
        for job in self._jobs.values():
            if not job.sent and job.uploads and sha256 in job.uploads and job.is_ready(self._uploaded):
                self._ask(job, job.asked)

    def _content(self, sha256: str) -> Content | None:
        uploads = (job.uploads for job in self._jobs.values() if job.uploads)
        return next((found[sha256] for found in (self._ahead, *uploads) if sha256 in found), None)

    def _arrived(self, arrival: Arrival | None) -> list[happened.Event]:
        if isinstance(arrival, happened.LayerReady):
            job, index = self._jobs.get(arrival.job), arrival.layer.index
            if job is None or index in job.layers:
                return []  # given up, or sent twice
            job.layers.add(index)
        return [] if arrival is None else [arrival]

    def _end(self, message: wire.Finished | wire.Failed | wire.Cancelled) -> list[happened.Event]:
        self._downloads.forget(message.job)
        return [] if self._jobs.pop(message.job, None) is None else [message]

    def _refused(self, error: wire.Error) -> list[happened.Event]:
        """A refused upload or submit is the end of its job, except that evicted pictures are uploaded again."""
        if error.job is not None and error.about in (wire.Layer.TYPE, wire.File.TYPE):
            return self._not_delivered(error.job, error.index, error.failure)
        refused, hit = set(error.sha256), []
        if error.about == "upload":
            hit = self._give_up_uploads(refused)
        elif error.job in self._jobs and error.about in ("submit", "insert", "export", "attach"):
            hit = [self._jobs[error.job]]
        if error.failure.code == "unknown-image" and len(hit) == 1 and hit[0].may_offer_again(refused):
            self._uploaded -= refused
            hit[0].sent = False
            self._take_up(hit[0])
            return []
        return [event for job in hit for event in self._end(wire.Failed(job.job, error.failure))] if hit else [error]

    def _not_delivered(self, job_id: str, index: int | None, failure: Failure) -> list[happened.Event]:
        """A layer or file that the server cannot deliver is told once; the job's end comes by itself."""
        self._downloads.drop(job_id, index)
        job = self._jobs.get(job_id)
        if job is None or index in job.lost:
            return []
        job.lost.add(index)
        return [happened.NotDelivered(job_id, index, failure)]

    def _give_up_uploads(self, refused: set[str]) -> list[PendingJob]:
        """Forget these contents; returns the jobs that cannot be without them."""
        self._uploading -= refused
        for sha256 in refused:
            self._ahead.pop(sha256, None)
        return [job for job in self._jobs.values() if job.uploads and not refused.isdisjoint(job.uploads)]
