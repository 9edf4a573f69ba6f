"""All jobs of the server: accepted, waiting, running, over; who watches them; what is kept.

Knows the store, the queues and the watchers; knows no socket and no process. Everything runs on the event loop, and what a
client is told is in the store before.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from acetate.protocol import Failure, Layer, ProtocolError, schema
from acetate.protocol import messages as wire
from acetate.vocabulary.roles import GIVEN

from ..delivery.subscriber import Subscriber
from ..settings import Settings
from ..storage.blobs import Blobs
from ..storage.store import JobRow, Store
from .devices import Placement
from .fair_queue import FairQueue
from .wake_up import WakeUp

log = logging.getLogger(__name__)

Submission = wire.Submit | wire.Insert | wire.Export
ORDERS: dict[str, type[Submission]] = {cls.TYPE: cls for cls in (wire.Submit, wire.Insert, wire.Export)}
LANES = ("engine", "documents")


@dataclass(eq=False)
class Job:
    """A job that is not over yet."""

    id: str
    session: str
    lane: str
    order: Submission
    owner: Subscriber | None
    """The connection whose end cancels the job; `None` for a job that is kept."""
    running: bool = False
    stopping: bool = False
    attempt: int = 0
    crashes: int = 0
    started: float = 0.0
    denoising_since: tuple[float, float] | None = None
    """The time and fraction at which the steps after loading began: the base of `seconds_left`."""
    placement: Placement = field(default_factory=Placement)
    made: set[int] = field(default_factory=set)
    """The indices of layers that are stored; a second run does not store them again."""
    position: int = -1
    """The position that watchers were told last."""
    watchers: dict[Subscriber, wire.LayerFormat] = field(default_factory=dict)
    """Those who are told about the job, each with its pixel format."""

    @property
    def task(self) -> str:
        return self.order.task if isinstance(self.order, wire.Submit) else self.order.TYPE


class JobRegistry:
    """All jobs of the server. `work` wakes the lanes whenever something has been queued."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs) -> None:
        self.settings, self.store, self.blobs = settings, store, blobs
        self.queues = {lane: FairQueue() for lane in LANES}
        self.work = {lane: WakeUp() for lane in LANES}
        self.stop_requested: dict[str, asyncio.Event] = {}
        self._jobs: dict[str, Job] = {}
        self._resume()

    # --- asked by clients --------------------------------------------------------------------------------------------

    def accept(self, watcher: Subscriber, order: Submission) -> None:
        """Put a job into the store and the queue; a known id is only watched again. Raises `ProtocolError` without room."""
        if order.job in self._jobs or self.store.get(order.job) is not None:
            self.attach(watcher, wire.Attach(order.job, format=_format(order)))
            return
        if isinstance(order, wire.Submit) and order.priority == "replace":
            self._replace(watcher.session, order)
        self._check_room(watcher.session)
        lane = "engine" if isinstance(order, wire.Submit) else "documents"
        front = isinstance(order, wire.Submit) and order.priority == "front"
        keep = getattr(order, "keep", True)
        job = Job(order.job, watcher.session, lane, order, None if keep else watcher)
        body = {"type": order.TYPE, **schema.encode(order)}
        self.store.add(
            JobRow(order.job, watcher.session, lane, job.task, body, "waiting", front, 0, time.time(), None, 0, None, (), False),
            [placed.sha256 for placed in inputs(order)],
        )
        job.watchers[watcher] = _format(order)
        self._jobs[job.id] = job
        self.queues[lane].put(job.id, job.session, front=front)
        log.info("accepted", extra={"job": job.id, "task": job.task, "client": watcher.name})
        self._tell_positions(lane)
        self.work[lane].set()

    def attach(self, watcher: Subscriber, message: wire.Attach) -> None:
        """Tell everything about a job so far, and what happens from now on. Raises `ProtocolError` for an unknown one."""
        row = self.store.get(message.job)
        if row is None:
            raise ProtocolError("unknown-job", f"there is no job {message.job}", "It may have been deleted from the history.")
        job = self._jobs.get(message.job)
        if job is not None:
            job.watchers[watcher] = message.format or "rgba8"
            if job.running:
                watcher.tell(wire.Started(job.id, job.attempt))
            else:
                watcher.tell(wire.Queued(job.id, max(job.position, 0)))
        for layer in self.store.layers(message.job):
            if layer.index not in message.have:
                watcher.give_layer(layer, message.format or "rgba8")
        if job is None:
            self._tell_end(watcher, row)

    def cancel(self, job_id: str) -> None:
        """Stop a job; one that is over stays as it is. Raises `ProtocolError` for an unknown one."""
        job = self._jobs.get(job_id)
        if job is None:
            if self.store.get(job_id) is None:
                raise ProtocolError("unknown-job", f"there is no job {job_id}")
            return
        if job.running:
            job.stopping = True
            if (requested := self.stop_requested.get(job.id)) is not None:
                requested.set()
        else:
            self.queues[job.lane].remove(job.id)
            self.end(job, "cancelled")

    def acknowledge(self, job_id: str) -> None:
        """Note that a client has the results, so that they may be evicted."""
        self.store.acknowledge(job_id)

    def discard(self, job_id: str) -> None:
        """Delete a job that is over, and its results. Raises `ProtocolError` for one that is not over."""
        if job_id in self._jobs:
            raise ProtocolError("bad-request", f"job {job_id} is not over", "Cancel it first.")
        for sha256 in self.store.delete([job_id]):
            self.blobs.remove(sha256)

    def lines(self) -> list[wire.JobLine]:
        """What `jobs` answers: running jobs, waiting ones in their order, then those not acknowledged yet."""
        running = [self._line(job, "running") for job in self._jobs.values() if job.running]
        waiting = [self._line(self._jobs[id], "waiting") for queue in self.queues.values() for id in queue.order()]
        over = [
            wire.JobLine(row.job, row.task, row.state, row.session, prompt=_prompt(row.message))
            for row in self.store.unacknowledged()
        ]
        return running + waiting + over

    def gone(self, watcher: Subscriber) -> None:
        """Forget a connection that has ended, and cancel its jobs with `keep: false`."""
        for job in self._jobs.values():
            job.watchers.pop(watcher, None)
        for job in [job for job in self._jobs.values() if job.owner is watcher]:
            log.info("its client has gone", extra={"job": job.id})
            self.cancel(job.id)

    # --- asked by lanes ----------------------------------------------------------------------------------------------

    def take(self, lane: str, fits: Callable[[Job], bool] = lambda job: True) -> Job | None:
        """Take out the next job of a lane that fits, which runs from now on; `None` when none waits."""
        job = next(filter(fits, (self._jobs[id] for id in self.queues[lane].order())), None)
        if job is None:
            return None
        self.queues[lane].take(job.id)
        job.running, job.attempt, job.started = True, job.attempt + 1, time.monotonic()
        job.denoising_since = None
        self.stop_requested[job.id] = asyncio.Event()
        self.store.set_state(job.id, "running")
        self.tell(job, wire.Started(job.id, job.attempt))
        self._tell_positions(lane)
        return job

    def retry(self, job: Job) -> None:
        """Put back a job whose runner was lost, as the next one."""
        job.running, job.position = False, -1
        self.stop_requested.pop(job.id, None)
        self.store.set_state(job.id, "waiting")
        self.queues[job.lane].put_back(job.id, job.session)
        self._tell_positions(job.lane)
        self.work[job.lane].set()

    def end(self, job: Job, state: wire.State, failure: Failure | None = None, notes: Iterable[str] = ()) -> None:
        """End the job. Its clients are told even if the store cannot take the end."""
        seconds = time.monotonic() - job.started if job.started else 0.0
        try:
            self.store.end(job.id, state, seconds, failure, tuple(notes))
        except Exception:
            log.exception("the end of a job could not be stored", extra={"job": job.id})
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
        self._tell_positions(job.lane)
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
        settings = self.settings
        now = time.time()
        before, fresh = now - settings.unacknowledged_seconds, now - settings.fresh_seconds
        for sha256 in self.store.evict(settings.history_bytes, settings.upload_bytes, before, fresh):
            self.blobs.remove(sha256)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """After a start, let waiting jobs wait again, the interrupted one first, and end those whose client is gone."""
        for sha256 in self.blobs.all() - self.store.known_blobs():
            self.blobs.remove(sha256)
        self.evict()
        for row in self.store.unfinished():
            try:
                order = schema.decode(ORDERS[row.message.pop("type")], row.message, "stored job")
            except (ProtocolError, KeyError):
                self.store.end(row.job, "failed", failure=Failure("internal", "the job is of another version of the server"))
                continue
            job = Job(row.job, row.session, row.lane, order, None, crashes=row.crashes)
            job.made = {layer.index for layer in self.store.layers(row.job)}
            if not getattr(order, "keep", True):
                self.store.end(row.job, "cancelled")
                continue
            self._jobs[job.id] = job
            self.store.set_state(job.id, "waiting")
            if row.state == "running":
                self.queues[row.lane].put_back(job.id, job.session)
            else:
                self.queues[row.lane].put(job.id, job.session, front=row.front)
            self.work[row.lane].set()
            log.info("resumed", extra={"job": job.id, "was": row.state})
        for lane in LANES:
            self._tell_positions(lane)

    def _replace(self, session: str, order: wire.Submit) -> None:
        for waiting in self.queues["engine"].of_session(session):
            if waiting != order.job:
                self.cancel(waiting)

    def _check_room(self, session: str) -> None:
        mine = sum(len(queue.of_session(session)) for queue in self.queues.values())
        if mine >= self.settings.limits.jobs_per_session:
            raise ProtocolError("too-many", f"{mine} jobs of this session wait already", "Wait for some, or cancel them.")
        if len(self._jobs) >= self.settings.jobs:
            raise ProtocolError("too-many", f"{len(self._jobs)} jobs wait already", "Wait for some, or cancel them.")

    def _tell_positions(self, lane: str) -> None:
        for position, job_id in enumerate(self.queues[lane].order()):
            job = self._jobs[job_id]
            if job.position != position:
                job.position = position
                self.tell(job, wire.Queued(job_id, position))

    def _tell_end(self, watcher: Subscriber, row: JobRow) -> None:
        if row.state == "finished":
            if (file := self.store.file(row.job)) is not None:
                watcher.give_file(file)
            watcher.tell_end(wire.Finished(row.job, len(self.store.layers(row.job)), round(row.seconds, 3), row.notes))
        elif row.failure is not None:
            watcher.tell_end(wire.Failed(row.job, row.failure))
        else:
            watcher.tell_end(wire.Cancelled(row.job))

    def _line(self, job: Job, state: wire.State) -> wire.JobLine:
        prompt = job.order.parameters.prompt if isinstance(job.order, wire.Submit) else ""
        return wire.JobLine(job.id, job.task, state, job.session, max(job.position, 0), prompt[:200])


def _format(order: Submission) -> wire.LayerFormat:
    return "rgba8" if isinstance(order, wire.Export) else order.format or "rgba8"


def inputs(order: Submission) -> Iterator[wire.Placed]:
    """The pictures or the file that an order refers to."""
    if isinstance(order, wire.Insert):
        yield wire.Placed(order.sha256)
    elif isinstance(order, wire.Submit):
        found = (getattr(order.conditions, name) for name in GIVEN)
        yield from (placed for placed in found if placed is not None)


def _prompt(message: dict[str, object]) -> str:
    parameters = message.get("parameters")
    return str(parameters.get("prompt", ""))[:200] if isinstance(parameters, dict) else ""
