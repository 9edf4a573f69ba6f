"""From a queue to a runner and back: start, follow, stop, retry. One lane per worker. Knows no process and no client's socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from dataclasses import replace

from acetate.protocol import Failure, Layer
from acetate.protocol import messages as wire
from acetate.protocol.frames import PreviewFrame
from acetate.vocabulary.stacking import picked

from ..failures import of_exception
from ..log import JOB
from ..storage.rows import StoredBlob, Thumbnail
from ..storage.sources import proved_files
from ..storage.stored_content import ContentBrokenError
from ..worker import worker_messages
from ..worker.runner import JobBrokeError, Outcome, Runner, RunnerError, RunnerLostError
from .devices import Device
from .engine_state import EngineState
from .job import Job
from .jobs import JobRegistry
from .time_left import work_of

log = logging.getLogger(__name__)


class Dispatcher:
    """Feeds one runner with the jobs of one queue."""

    def __init__(
        self, name: str, jobs: JobRegistry, runner: Runner, engine: EngineState | None = None, device: Device | None = None
    ) -> None:
        self._name, self._jobs, self._runner = name, jobs, runner
        self._lane = (engine, device) if engine is not None and device is not None else None
        """If given, the runner is started before there is a job, and again when it is lost."""
        self._unload_at: float | None = None
        """When the runner's memory is to be freed."""

    async def work(self) -> None:
        """Run the jobs of the queue until this task is cancelled."""
        while True:
            changed = self._jobs.work[self._name].next  # before looking, so that no change is missed
            await self._warm_up()
            job, seconds = self._next_job()
            if job is None:
                await self._idle(changed, seconds)
            else:
                named = JOB.set(job.id)
                await self._run(job)
                JOB.reset(named)
                self._unload_at = time.monotonic() + self._jobs.settings.idle_seconds

    async def _warm_up(self) -> None:
        """Have the device's runner there before a job is."""
        if self._lane is None or not self._lane[1].is_due:
            return
        engine, device = self._lane
        try:
            await self._runner.start()
        except RunnerError as error:
            engine.failed(device, error.failure)
            return
        for model in engine.take_preloads():
            await self._runner.preload(model)

    def _next_job(self) -> tuple[Job | None, float]:
        """The next job for this lane; without one, the seconds after which one that is left to another device may be."""
        if self._lane is None:
            return self._jobs.take(self._name), float("inf")
        engine, device = self._lane
        waits = [float("inf")]

        def fits(job: Job) -> bool:
            model = job.order.parameters.model if isinstance(job.order, wire.Submit) else None
            waits.append(engine.wait_of(device, job.placement, model))
            return waits[-1] == 0

        return self._jobs.take(self._name, fits), min(waits)

    async def _idle(self, changed: asyncio.Event, seconds: float) -> None:
        """Wait for work, at most so long; meanwhile bring a lost runner back, and free memory after a while."""
        work = asyncio.create_task(changed.wait())
        gone = asyncio.create_task(self._runner.gone())
        device = self._lane[1] if self._lane is not None else None
        until = [time.monotonic() + seconds]
        if device is not None and not device.works:
            until.append(device.retry_at)
        if self._unload_at is not None:
            until.append(self._unload_at)
        left = min(until) - time.monotonic()
        try:
            await asyncio.wait(
                {work, gone} if device is not None and device.works else {work},
                timeout=None if left == float("inf") else max(0, left),
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self._unload_at is not None and time.monotonic() >= self._unload_at and not work.done():
                await self._unload()
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def _unload(self) -> None:
        self._unload_at = None
        if self._lane is None:
            await self._runner.close()
            return
        await self._runner.unload()
        engine, device = self._lane
        engine.opened(device, ())

    async def _run(self, job: Job) -> None:
        if self._lane is not None:
            self._lane[1].free_at = float("inf")
        if (work := self._work(job)) is not None:
            job.course = self._jobs.paces.course(work)
        try:
            await self._follow(job)
        except RunnerLostError as error:
            self._lost(job, error.failure)
        except JobBrokeError as error:
            self._end(job, "failed", error.failure)
        except RunnerError as error:
            self._unavailable(job, error.failure)
        except ContentBrokenError as error:  # it has nothing to work from; the runner has not heard of it
            self._end(job, "failed", error.failure)
        except Exception as error:  # the disk is full, or an error of ours: the job ends, the lane goes on
            log.exception("lane", extra={"job": job.id})
            await self._runner.close()
            self._end(job, "failed", of_exception(error))
        else:
            if self._lane is not None:
                self._lane[0].finished(self._lane[1])

    def _work(self, job: Job) -> str | None:
        """What the job's time is remembered by; files take no time worth that."""
        if not isinstance(job.order, wire.Submit):
            return None
        return work_of(self._lane[1].name if self._lane is not None else self._name, job.order)

    async def _follow(self, job: Job) -> None:
        """Run the job to its end, passing on a request to stop."""
        command = await self._command(job)
        requested = self._jobs.stop_requested[job.id]
        stopper = asyncio.create_task(self._stop_when(requested, job))
        try:
            async with contextlib.aclosing(self._runner.run(command)) as outcomes:
                async for outcome, payload in outcomes:
                    self._take(job, outcome, payload)
        finally:
            stopper.cancel()
            await asyncio.gather(stopper, return_exceptions=True)

    async def _stop_when(self, requested: asyncio.Event, job: Job) -> None:
        await requested.wait()
        await self._runner.stop(job.id)

    def _lost(self, job: Job, failure: Failure) -> None:
        """A lost runner costs a job one of its lives; a cancelled job has got what was asked for."""
        if self._lane is not None:
            job.placement.tried.add(self._lane[1])
            self._lane[0].lost(self._lane[1], failure)
        if job.stopping:
            self._end(job, "cancelled")
            return
        job.crashes += 1
        self._jobs.store.count_crash(job.id)
        if job.crashes >= self._jobs.settings.crashes:
            self._end(job, "failed", failure)
        else:
            log.warning("the job is run again", extra={"job": job.id, "reason": str(failure)})
            self._free()
            self._jobs.retry(job)

    def _unavailable(self, job: Job, failure: Failure) -> None:
        """A runner that is not there is no fault of the job, which goes to another device as long as there is one."""
        if self._lane is not None:
            engine, device = self._lane
            engine.failed(device, failure)
            job.placement.tried.add(device)
            if not job.stopping and engine.candidates(job.placement.tried):
                self._free()
                self._jobs.retry(job)
                return
        self._end(job, "cancelled" if job.stopping else "failed", None if job.stopping else failure)

    def _end(self, job: Job, state: wire.State, failure: Failure | None = None, notes: Iterable[str] = ()) -> None:
        self._free()
        self._jobs.end(job, state, failure, notes)

    def _free(self) -> None:
        """Before anyone can hear that the job is over, so that the next one finds the device free."""
        if self._lane is not None:
            self._lane[1].free_at = 0

    # --- outcomes ----------------------------------------------------------------------------------------------------

    def _take(self, job: Job, outcome: Outcome, payload: bytes) -> None:
        if isinstance(outcome, wire.Progress):
            self._progress(job, outcome)
        elif isinstance(outcome, PreviewFrame):
            for watcher in job.watchers:
                watcher.show_preview(outcome, payload)
        elif isinstance(outcome, worker_messages.Opened):
            if self._lane is not None:
                self._lane[0].opened(self._lane[1], outcome.models)
        elif isinstance(outcome, worker_messages.Made):
            self._made(job, outcome, payload)
        elif isinstance(outcome, worker_messages.MadeFile):
            self._made_file(job, outcome)
        elif isinstance(outcome, wire.Cancelled):
            self._end(job, "cancelled")
        else:
            if (work := self._work(job)) is not None:
                self._jobs.paces.learn(work, job.course, time.monotonic())
            self._end(job, "finished", notes=outcome.notes)

    def _progress(self, job: Job, step: wire.Progress) -> None:
        now = time.monotonic()
        job.fraction, job.seconds_left = round(step.fraction, 4), job.course.take(step, now)
        if self._lane is not None and job.seconds_left is not None:
            self._lane[1].free_at = now + job.seconds_left
        message = replace(step, fraction=job.fraction, seconds_left=job.seconds_left)
        for watcher in job.watchers:
            watcher.tell_progress(message)

    def _made(self, job: Job, made: worker_messages.Made, payload: bytes) -> None:
        """Store the layer, then tell the watchers. A layer that an earlier attempt has stored is not stored again."""
        layer = made.layer
        if layer.index in job.made:
            self._jobs.blobs.discard(made.name)
            return
        blob = None
        if made.name:
            self._jobs.blobs.adopt(made.name, layer.sha256)
            blob = StoredBlob(layer.sha256, layer.bytes, layer.format, layer.width, layer.height)
        small = Thumbnail(made.thumbnail_width, made.thumbnail_height, payload) if payload else None
        self._jobs.store.add_layer(layer, blob, small)
        job.made.add(layer.index)
        self._jobs.give_layer(job, layer)

    def _made_file(self, job: Job, made: worker_messages.MadeFile) -> None:
        """Store an export's only file, then tell the watchers."""
        if self._jobs.store.file(job.id) is not None:
            self._jobs.blobs.discard(made.name)
            return
        self._jobs.blobs.adopt(made.name, made.file.sha256)
        self._jobs.store.add_file(made.file)
        for watcher in job.watchers:
            watcher.give_file(made.file)

    # --- the command -------------------------------------------------------------------------------------------------

    async def _command(self, job: Job) -> worker_messages.RunJob:
        order, store = job.order, self._jobs.store
        layers: list[Layer] = []
        if isinstance(order, wire.Export):
            for source in order.jobs:
                found = store.layers(source)
                layers += picked(found, order.pictures) if order.pictures else found
        files = await proved_files(order, layers, store, self._jobs.blobs)
        return worker_messages.RunJob(order, files, tuple(layers))
