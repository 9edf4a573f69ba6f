"""From a queue to a runner and back: start, follow, stop, retry. One lane per worker. Knows no process and no client's socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace

from acetate.protocol import Failure, Layer
from acetate.protocol import messages as wire
from acetate.protocol.frames import PreviewFrame

from ..failures import of_exception
from ..log import JOB
from ..storage.store import StoredBlob, Thumbnail
from ..storage.stored_content import ContentBrokenError
from ..worker import worker_messages
from ..worker.runner import JobBrokeError, Outcome, Runner, RunnerError, RunnerLostError
from .engine_state import EngineState
from .job import Job
from .jobs import JobRegistry
from .sources import proved_files

log = logging.getLogger(__name__)


class Dispatcher:
    """Feeds one runner with the jobs of one queue."""

    def __init__(self, name: str, jobs: JobRegistry, runner: Runner, engine: EngineState | None = None) -> None:
        self._name, self._jobs, self._runner = name, jobs, runner
        self._engine = engine
        """If given, the runner is started before there is a job, and again when it is lost."""
        self._used = False

    async def work(self) -> None:
        """Run the jobs of the queue until this task is cancelled."""
        while True:
            if self._engine is not None and self._engine.usable:
                await self._warm_up(self._engine)
            job = self._jobs.take(self._name)
            if job is None:
                await self._idle()
            else:
                named = JOB.set(job.id)
                await self._run(job)
                JOB.reset(named)
                self._used = True

    async def _warm_up(self, engine: EngineState) -> None:
        try:
            await self._runner.start()
        except RunnerError as error:
            engine.failed(error.failure)
            return
        for model in engine.take_preloads():
            await self._runner.preload(model)

    async def _idle(self) -> None:
        """Wait for work; meanwhile bring a lost runner back, and free memory after a while."""
        work = asyncio.create_task(self._jobs.work[self._name].wait())
        gone = asyncio.create_task(self._runner.gone())
        wanted = {work, gone} if self._engine is not None and self._engine.usable else {work}
        try:
            idle = self._jobs.settings.idle_seconds if self._used else None
            done, _ = await asyncio.wait(wanted, timeout=idle, return_when=asyncio.FIRST_COMPLETED)
            if not done:
                self._used = False
                await (self._runner.unload() if self._engine is not None else self._runner.close())
        finally:
            for task in (work, gone):
                task.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)

    async def _run(self, job: Job) -> None:
        try:
            await self._follow(job)
        except RunnerLostError as error:
            self._lost(job, error.failure)
        except RunnerError as error:  # broke, or nothing can run
            if not isinstance(error, JobBrokeError) and self._engine is not None:
                self._engine.failed(error.failure)
            self._jobs.end(job, "failed", error.failure)
        except ContentBrokenError as error:  # it has nothing to work from; the runner has not heard of it
            self._jobs.end(job, "failed", error.failure)
        except Exception as error:  # the disk is full, or an error of ours: the job ends, the lane goes on
            log.exception("lane", extra={"job": job.id})
            await self._runner.close()
            self._jobs.end(job, "failed", of_exception(error))

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
        if job.stopping:
            self._jobs.end(job, "cancelled")
            return
        job.crashes += 1
        self._jobs.store.count_crash(job.id)
        if job.crashes >= self._jobs.settings.crashes:
            self._jobs.end(job, "failed", failure)
        else:
            log.warning("the job is run again", extra={"job": job.id, "reason": str(failure)})
            self._jobs.retry(job)

    # --- outcomes ----------------------------------------------------------------------------------------------------

    def _take(self, job: Job, outcome: Outcome, payload: bytes) -> None:
        if isinstance(outcome, wire.Progress):
            self._progress(job, outcome)
        elif isinstance(outcome, PreviewFrame):
            for watcher in job.watchers:
                watcher.show_preview(outcome, payload)
        elif isinstance(outcome, worker_messages.Made):
            self._made(job, outcome, payload)
        elif isinstance(outcome, worker_messages.MadeFile):
            self._made_file(job, outcome)
        elif isinstance(outcome, wire.Cancelled):
            self._jobs.end(job, "cancelled")
        else:
            self._jobs.end(job, "finished", notes=outcome.notes)

    def _progress(self, job: Job, step: wire.Progress) -> None:
        message = replace(step, fraction=round(step.fraction, 4), seconds_left=seconds_left(job, step))
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
            blob = StoredBlob(layer.sha256, layer.bytes, "rgba8", layer.width, layer.height)
        shows = payload and (not job.made or layer.role == "blended")
        small = Thumbnail(made.thumbnail_width, made.thumbnail_height, payload) if shows else None
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
            layers = [layer for source in order.jobs for layer in store.layers(source)]
        files = await proved_files(order, layers, store, self._jobs.blobs)
        return worker_messages.RunJob(order, files, tuple(layers))


def seconds_left(job: Job, step: wire.Progress) -> float | None:
    """How long the job will take, from the pace since its models were loaded; `None` until there is one."""
    now = time.monotonic()
    if step.stage == "load" or job.denoising_since is None:
        job.denoising_since = now, step.fraction
        return None
    since, fraction = job.denoising_since
    if step.fraction <= fraction:
        return None
    return round((now - since) * (1 - step.fraction) / (step.fraction - fraction), 1)
