"""All jobs of the server: accepted, waiting, running, over; who watches them; what is kept.

Knows the store, the queues and the watchers; knows no socket and no process. Everything runs on the event loop, and what a
client is told is in the store before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator

from acetate.protocol import Failure, Layer, ProtocolError, schema
from acetate.protocol import messages as wire

from ..delivery.subscriber import Subscriber
from ..settings import Settings
from ..storage.blobs import Blobs
from ..storage.reconciliation import reconcile
from ..storage.rows import End, JobRow
from ..storage.store import Store
from .drain import Drain
from .fair_queue import FairQueue
from .job import LANES, ORDERS, Job, Submission, format_of, inputs, line_of, prompt_of
from .positions import Positions
from .room import check_room
from .time_left import Course, Paces
from .upkeep import Upkeep
from .wake_up import WakeUp

log = logging.getLogger(__name__)

MOST_LINES = 2000
"""The most lines of an answer to `jobs`."""


class JobRegistry:
    """All jobs of the server. `work` wakes the lanes whenever something has been queued."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs) -> None:
        self.settings, self.store, self.blobs = settings, store, blobs
        self.queues = {lane: FairQueue() for lane in LANES}
        self.work = {lane: WakeUp() for lane in LANES}
        self.stop_requested: dict[str, asyncio.Event] = {}
        self.positions = Positions(self._waiting, settings.position_seconds, settings.positions)
        self.drain = Drain()
        self.paces = Paces(store)
        self.ended: Callable[[str, str, float], None] = lambda task, state, seconds: None
        """Told the task, state and seconds of each job that has ended."""
        self._jobs: dict[str, Job] = {}
        self.upkeep = Upkeep(settings, store, blobs)
        self._resume()

    # --- asked by clients --------------------------------------------------------------------------------------------

    def accept(self, watcher: Subscriber, order: Submission) -> None:
        """Put a job into the store and the queue; a known id is only watched again. Raises `ProtocolError` without room,
        and for the id of another person's job."""
        if order.job in self._jobs or self.store.get(order.job) is not None:
            self.attach(watcher, wire.Attach(order.job, format=format_of(order)))
            return
        self.upkeep.present.add(watcher)
        if isinstance(order, wire.Submit) and order.priority == "replace":
            self._replace(watcher, order)
        check_room(watcher, self._jobs.values(), self.settings)
        lane = "engine" if isinstance(order, wire.Submit) else "documents"
        front = isinstance(order, wire.Submit) and order.priority == "front"
        job = Job(order.job, watcher.person, watcher.session, lane, order, getattr(order, "keep", True), client=watcher.name)
        body = {"type": order.TYPE, **schema.encode(order)}
        row = JobRow(
            job.id, job.session, lane, job.task, body, "waiting", front, 0, time.time(), None, 0, None, (), False, job.person
        )
        self.store.add(row, [placed.sha256 for placed in inputs(order)])
        job.watchers[watcher] = format_of(order)
        self._jobs[job.id] = job
        self.queues[lane].put(job.id, job.person, job.session, front=front)
        log.info("accepted", extra={"job": job.id, "task": job.task, "client": watcher.name, "person": job.person})
        self.positions.tell(job, [watcher])
        self.positions.changed()
        self.work[lane].set()

    def attach(self, watcher: Subscriber, message: wire.Attach) -> None:
        """Tell everything about a job so far, and what happens from now on. Raises `ProtocolError` for an unknown one."""
        row = self._row(watcher, message.job)
        self.upkeep.present.add(watcher)
        job = self._jobs.get(message.job)
        if job is not None:
            job.watchers[watcher] = message.format or "rgba8"
            if job.running:
                watcher.tell(wire.Started(job.id, job.attempt))
            else:
                self.positions.tell(job, [watcher])
        format = message.format or "rgba8"
        for layer in self.store.layers(message.job):
            if layer.index not in message.have:
                watcher.give_layer(layer, format, message.offsets.get(str(layer.index), 0))
        if job is None:
            self._tell_end(watcher, row, message.offsets.get(wire.File.TYPE, 0))

    def cancel(self, watcher: Subscriber, job_id: str) -> None:
        """Stop a job; one that is over stays as it is. Raises `ProtocolError` for an unknown one."""
        self._row(watcher, job_id)
        if (job := self._jobs.get(job_id)) is not None:
            self._stop(job)

    def advance(self, watcher: Subscriber, job_id: str) -> None:
        """Put a waiting job before its person's others; one that runs or is over stays as it is. Raises `ProtocolError` for an
        unknown one."""
        self._row(watcher, job_id)
        job = self._jobs.get(job_id)
        if job is not None and self.queues[job.lane].advance(job_id):
            self.store.set_front(job_id)
            self.positions.changed()

    def acknowledge(self, watcher: Subscriber, job_id: str) -> None:
        """Note that a client has the results, so that they may be evicted."""
        if self._sees(watcher, job_id):
            self.store.acknowledge(job_id)

    def discard(self, watcher: Subscriber, job_id: str, pictures: Collection[int] = ()) -> None:
        """Delete a job that is over, and its results, or only some of its pictures. Raises `ProtocolError` for one that is not
        over."""
        if not self._sees(watcher, job_id):
            return  # as for one that is not there (any more): there is nothing to delete
        if job_id in self._jobs:
            raise ProtocolError("bad-request", f"job {job_id} is not over", "Cancel it first.")
        layers = self.store.layers(job_id) if pictures else []
        going = [layer.index for layer in layers if layer.picture in pictures]
        whole = not pictures or len(going) == len(layers)
        for sha256 in self.store.delete([job_id]) if whole else self.store.delete_layers(job_id, going):
            self.blobs.remove(sha256)
        self.evict()  # there may be room now for what was held back

    def star(self, watcher: Subscriber, job_id: str, picture: int, starred: bool) -> None:
        """Mark a picture, or take its mark away. Raises `ProtocolError` for an unknown job or picture."""
        self._row(watcher, job_id)
        indices = [layer.index for layer in self.store.layers(job_id) if layer.picture == picture]
        if not indices:
            raise ProtocolError(
                "bad-request", f"job {job_id} has no picture {picture}", "It may have been deleted from the history."
            )
        self.store.star(job_id, indices, starred)

    def lines(self, watcher: Subscriber, before: str | None = None, most: int = MOST_LINES) -> list[wire.JobLine]:
        """What `jobs` answers: running jobs, waiting ones in their order, then those not acknowledged yet, newest first.

        With `before`, those that come after this one; at most `most`.
        """
        running = [line_of(job, "running") for job in self._jobs.values() if job.running and watcher.sees(job.person)]
        waiting = [line_of(job, "waiting", place) for job, place in self._waiting() if watcher.sees(job.person)]
        live = running + waiting
        if before is not None:
            names = [line.job for line in live]
            live = live[names.index(before) + 1 :] if before in names else []
            before = None if before in names else before
        over = [
            wire.JobLine(row.job, row.task, row.state, row.session, prompt=prompt_of(row.message))
            for row in self.store.unacknowledged(watcher.sees_only, before, most)
        ]
        return (live + over)[:most]

    @property
    def unfinished(self) -> Collection[Job]:
        """The jobs that wait or run."""
        return self._jobs.values()

    def gone(self, watcher: Subscriber) -> None:
        """Forget a connection that has ended. Its jobs with `keep: false` end soon, unless somebody watches them then."""
        self.upkeep.present.discard(watcher)
        for job in self._jobs.values():
            if job.watchers.pop(watcher, None) is not None and not (job.keep or job.watchers):
                asyncio.get_running_loop().call_later(self.settings.return_seconds, self._cancel_unwatched, job)

    # --- asked by lanes ----------------------------------------------------------------------------------------------

    def take(self, lane: str, fits: Callable[[Job], bool] = lambda job: True) -> Job | None:
        """Take out the next job of a lane that fits, which runs from now on; `None` when none waits."""
        waiting = () if self.drain.begun else self.queues[lane].order()
        job = next(filter(fits, (self._jobs[id] for id in waiting)), None)
        if job is None:
            return None
        self.queues[lane].take(job.id)
        job.running, job.attempt, job.started = True, job.attempt + 1, time.monotonic()
        job.fraction, job.seconds_left, job.course = 0.0, None, Course()
        self.stop_requested[job.id] = asyncio.Event()
        self.drain.started(job.id)
        self.store.set_state(job.id, "running")
        self.tell(job, wire.Started(job.id, job.attempt))
        self.positions.changed()
        return job

    def retry(self, job: Job) -> None:
        """Put back a job whose runner was lost, as the next one."""
        job.running = False
        self.stop_requested.pop(job.id, None)
        self.store.set_state(job.id, "waiting")
        self.queues[job.lane].put_back(job.id, job.person, job.session)
        self.positions.tell(job, job.watchers)
        self.positions.changed()
        self.drain.ended(job.id)
        self.work[job.lane].set()

    def end(self, job: Job, state: wire.State, failure: Failure | None = None, notes: Iterable[str] = ()) -> None:
        """End the job. Its clients are told even if the store cannot take the end."""
        seconds = time.monotonic() - job.started if job.started else 0.0
        self.upkeep.end(job.id, End(state, time.time(), seconds, failure, tuple(notes)))
        self._jobs.pop(job.id, None)
        self.stop_requested.pop(job.id, None)
        message: wire.Finished | wire.Failed | wire.Cancelled
        if state == "finished":
            message = wire.Finished(job.id, len(job.made), round(seconds, 3), tuple(notes))
        elif failure is not None:
            message = wire.Failed(job.id, failure)
        else:
            message = wire.Cancelled(job.id)
        for watcher in job.watchers:
            watcher.tell_end(message)
        extra = {"job": job.id, "task": job.task, "state": state, "seconds": round(seconds, 3), "layers": len(job.made)}
        log.info("over", extra=extra | ({"failure": str(failure)} if failure else {}))
        self.ended(job.task, state, seconds)
        self.drain.ended(job.id)
        self.positions.changed()
        self.evict()

    def tell(self, job: Job, message: wire.ServerMessage) -> None:
        """Send a message to all who watch the job."""
        for watcher in job.watchers:
            watcher.tell(message)

    def give_layer(self, job: Job, layer: Layer) -> None:
        for watcher, format in job.watchers.items():
            watcher.give_layer(layer, format)

    def evict(self) -> None:
        """Keep history and uploads within their limits."""
        self.upkeep.evict()

    # --- inside ------------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """After a start, let waiting jobs wait again, the interrupted one first, and end those whose client is gone."""
        reconcile(self.store, self.blobs, self.settings.lost_seconds)
        self.evict()
        for row in self.store.unfinished():
            try:
                order = schema.decode(ORDERS[row.message.pop("type")], row.message, "stored job", strict=False)
            except (ProtocolError, KeyError):
                other = Failure("internal", "the job is of another version of the server")
                self.upkeep.end(row.job, End("failed", time.time(), failure=other))
                continue
            job = Job(row.job, row.person, row.session, row.lane, order, keep=True, crashes=row.crashes)
            job.made = {layer.index for layer in self.store.layers(row.job)}
            if not getattr(order, "keep", True):
                self.upkeep.end(row.job, End("cancelled", time.time()))
                continue
            self._jobs[job.id] = job
            self.store.set_state(job.id, "waiting")
            if row.state == "running":
                self.queues[row.lane].put_back(job.id, job.person, job.session)
            else:
                self.queues[row.lane].put(job.id, job.person, job.session, front=row.front)
            self.work[row.lane].set()
            log.info("resumed", extra={"job": job.id, "was": row.state})

    def _row(self, watcher: Subscriber, job_id: str) -> JobRow:
        """A job that the client may see. Raises `ProtocolError` in the same words for one that is not there and for another's."""
        row = self.store.get(job_id)
        if row is None or not watcher.sees(row.person):
            raise ProtocolError("unknown-job", f"there is no job {job_id}", "It may have been deleted from the history.")
        return row

    def _sees(self, watcher: Subscriber, job_id: str) -> bool:
        row = self.store.get(job_id)
        return row is not None and watcher.sees(row.person)

    def _stop(self, job: Job) -> None:
        if job.running:
            job.stopping = True
            if (requested := self.stop_requested.get(job.id)) is not None:
                requested.set()
        else:
            self.queues[job.lane].remove(job.id)
            self.end(job, "cancelled")

    def _cancel_unwatched(self, job: Job) -> None:
        if not job.watchers and self._jobs.get(job.id) is job:
            log.info("its client has gone", extra={"job": job.id})
            self._stop(job)

    def _replace(self, watcher: Subscriber, order: wire.Submit) -> None:
        for waiting in self.queues["engine"].of_session(watcher.person, watcher.session):
            if waiting != order.job:
                self._stop(self._jobs[waiting])

    def _waiting(self) -> Iterator[tuple[Job, int]]:
        """All waiting jobs, each with its place in its queue."""
        for queue in self.queues.values():
            yield from ((self._jobs[id], place) for place, id in enumerate(queue.order()))

    def _tell_end(self, watcher: Subscriber, row: JobRow, offset: int) -> None:
        """Tell how a job has ended; of its file, what comes after `offset`."""
        if row.state == "finished":
            if (file := self.store.file(row.job)) is not None:
                watcher.give_file(file, offset)
            watcher.tell_end(wire.Finished(row.job, len(self.store.layers(row.job)), round(row.seconds, 3), row.notes))
        elif row.failure is not None:
            watcher.tell_end(wire.Failed(row.job, row.failure))
        else:
            watcher.tell_end(wire.Cancelled(row.job))
