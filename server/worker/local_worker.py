"""A runner that is a process on this machine: started, watched, ended and replaced from here.

Knows processes and time limits; what a job does, the worker knows (`process.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from pathlib import Path

from acetate.protocol import Failure
from acetate.protocol import messages as wire
from acetate.vocabulary.engine_options import ENGINE_OPTIONS

from ..settings import Settings
from . import worker_messages
from .clock import LOOK_SECONDS, AwakeClock
from .post_mortem import failure_of, last_words, oom_kills
from .runner import JobBrokeError, OnNews, Outcome, RunnerLostError, RunnerUnavailableError

log = logging.getLogger(__name__)

SLOW_STEPS = 20
"""A step may take this many times as long as the slowest one so far."""


ENGINE_PROCESS = "acetate.server.worker.process"


def engine_command(settings: Settings, device: str | None) -> tuple[str, ...]:
    """The module and the arguments of a process that runs the engine on `device`."""
    chosen = () if device is None else ("--device", device)
    how = (text for name in ENGINE_OPTIONS for text in (f"--{name}", getattr(settings, name)))
    return (ENGINE_PROCESS, "--lane", "engine", *_places(settings), "--engine", settings.engine, *how, *chosen)


def documents_command(settings: Settings) -> tuple[str, ...]:
    """The module and the arguments of a process that reads and writes layered files."""
    return (ENGINE_PROCESS, "--lane", "documents", *_places(settings))


def _places(settings: Settings) -> tuple[str, ...]:
    previews = ("--preview-seconds", str(settings.preview_seconds), "--preview-share", str(settings.preview_share))
    return ("--incoming", str(settings.blobs / "incoming"), *previews)


class LocalWorker:
    """The `Runner` that is a process on this machine, which `command` starts; `name` distinguishes log files."""

    def __init__(
        self, settings: Settings, name: str, command: Sequence[str], on_news: OnNews, clock: AwakeClock | None = None
    ) -> None:
        self._settings = settings
        self._name, self._command = name, command
        self._on_news = on_news
        self._clock = clock or AwakeClock()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._inbox: asyncio.Queue[worker_messages.ReportWithPayload | None] = asyncio.Queue()
        """Reports of the running job; `None` means that the time limits are to be looked at again."""
        self._lost = asyncio.Event()
        self._lost.set()
        self._starting = asyncio.Lock()
        self._chosen: tuple[str, ...] = ()
        """The device that the first worker has chosen; those after it take no other, as a lost card must not become the CPU."""
        self._failures = 0
        """How many workers in a row died before they finished a job."""
        self._oom_kills = 0
        self._heard = 0.0
        self._stopping: float | None = None
        """Since when the running job has been told to stop."""
        self._stopped: str | None = None
        """The job that was cancelled last, perhaps before there was a worker to tell."""
        self._slowest: dict[str, float] = {}
        """The seconds of each stage's slowest step in the running job."""
        self._describing = self._describe_again = False

    # --- the interface -----------------------------------------------------------------------------------------------

    async def start(self) -> None:
        async with self._starting:
            if not self._lost.is_set():
                return
            await self.close()
            waits = self._settings.restart_seconds
            await asyncio.sleep(waits[min(self._failures, len(waits) - 1)])
            try:
                await self._spawn()
                await self._until_ready()
            except RunnerLostError as error:
                self._failures += 1
                await self.close()
                log.error("worker did not come up", extra={"worker": self._name, "reason": str(error)})
                if self._failures >= self._settings.start_failures:
                    raise RunnerUnavailableError(error.failure) from None
            except RunnerUnavailableError:
                await self.close()
                raise
        if self._lost.is_set():
            await self.start()

    async def run(self, command: worker_messages.RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        await self.start()
        self._inbox = asyncio.Queue()
        self._stopping, self._slowest = None, {}
        if self._stopped == command.job:
            yield wire.Cancelled(command.job), b""
            return
        await self._send(command)
        stage, stepped = "load", self._clock.now()
        while True:
            report, payload = await self._next_report(stage, stepped)
            if isinstance(report, wire.Failed):
                self._failures = 0
                if payload:
                    log.error("job broke", extra={"job": command.job, "traceback": payload.decode()})
                raise JobBrokeError(report.failure, payload)
            if isinstance(report, worker_messages.Unusable):
                self._failures += 1
                await self.close()
                raise RunnerLostError(report.failure)
            if isinstance(report, wire.Progress):
                now = self._clock.now()
                if stage != "load" and report.stage == stage:
                    self._slowest[stage] = max(self._slowest.get(stage, 0), now - stepped)
                stage, stepped = report.stage, now
            if isinstance(report, Outcome):
                if isinstance(report, (worker_messages.Done, wire.Cancelled)):
                    self._failures = 0
                yield report, payload
                if isinstance(report, (worker_messages.Done, wire.Cancelled)):
                    return

    async def stop(self, job: str) -> None:
        self._stopped = job
        self._stopping = self._clock.now()
        self._inbox.put_nowait(None)
        await self._send(wire.Cancel(job))

    async def refresh(self) -> None:
        if self._describing:
            self._describe_again = True
        elif not self._lost.is_set():
            self._describing = True
            await self._send(worker_messages.Describe())

    async def unload(self) -> None:
        await self._send(worker_messages.Unload())

    async def preload(self, model: str) -> None:
        await self._send(worker_messages.Preload(model))

    async def gone(self) -> None:
        await self._lost.wait()

    # --- the process -------------------------------------------------------------------------------------------------

    async def _spawn(self) -> None:
        self._oom_kills = oom_kills()
        with self._error_path.open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", *self._command, *self._chosen),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        self._inbox = asyncio.Queue()
        self._heard = self._clock.now()
        self._describing, self._describe_again = True, False  # as it does unasked when it is ready
        self._lost.clear()
        self._reader = asyncio.create_task(self._read(self._process), name=f"{self._name}-reader")
        log.info("worker started", extra={"worker": self._name, "pid": self._process.pid})

    async def _until_ready(self) -> None:
        """Return when the engine has described itself. Raises `RunnerLostError`, `RunnerUnavailableError` if it says no."""
        seconds = self._settings.start_seconds
        deadline = self._clock.now() + seconds
        while True:
            found = await self._next_in(deadline - self._clock.now())
            report = None if found is None else found[0]
            if isinstance(report, worker_messages.Ready):
                return
            if isinstance(report, worker_messages.Unusable):
                raise RunnerUnavailableError(report.failure)
            if isinstance(report, worker_messages.Waiting):
                deadline = float("inf")
            if self._lost.is_set() and self._inbox.empty():
                raise RunnerLostError(await self._post_mortem())
            if self._clock.now() >= deadline:
                raise RunnerLostError(Failure("engine-unavailable", f"the engine did not start within {seconds:g} s"))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                prefix = await process.stdout.readexactly(4)
                body = await process.stdout.readexactly(worker_messages.body_length(prefix))
                self._heard = self._clock.now()
                report, payload = worker_messages.unpack_report(body)
                if isinstance(report, worker_messages.Ready):
                    self._keep(report.device)
                    await self._described()
                if isinstance(report, worker_messages.News):
                    self._on_news(report)
                if not isinstance(report, worker_messages.Beat):
                    self._inbox.put_nowait((report, payload))
        except (EOFError, OSError):
            pass
        finally:
            self._lost.set()
            self._inbox.put_nowait(None)

    def _keep(self, device: str) -> None:
        if device and self._command[0] == ENGINE_PROCESS and "--device" not in self._command:
            self._chosen = ("--device", device)

    async def _described(self) -> None:
        """The engine has described itself: look once more if that was asked for since."""
        self._describing, again, self._describe_again = False, self._describe_again, False
        if again:
            await self.refresh()

    async def _send(self, command: worker_messages.Command) -> None:
        """Send a command. If the worker has died, waiting for its reports will show it."""
        if self._process is None or self._process.stdin is None or self._lost.is_set():
            return
        with contextlib.suppress(OSError):
            self._process.stdin.write(worker_messages.pack(command))
            await self._process.stdin.drain()

    async def close(self) -> None:
        """Kill the process if it still runs: a worker has nothing to save."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            for half_written in (self._settings.blobs / "incoming").glob(f"*-{process.pid}"):
                half_written.unlink(missing_ok=True)
        if self._reader is not None:
            await self._reader
            self._reader = None
        self._lost.set()

    # --- watching ----------------------------------------------------------------------------------------------------

    async def _next_report(self, stage: str, stepped: float) -> worker_messages.ReportWithPayload:
        """The next report. Raises `RunnerLostError` for a worker that died or is stuck."""
        while True:
            if self._lost.is_set() and self._inbox.empty():
                self._failures += 1
                raise RunnerLostError(await self._post_mortem())
            deadline, reason = min(self._limits(stage, stepped))
            left = deadline - self._clock.now()
            if left <= 0 and self._inbox.empty():
                raise RunnerLostError(await self._put_down(reason))
            if (found := await self._next_in(left)) is not None:
                return found

    async def _next_in(self, seconds: float) -> worker_messages.ReportWithPayload | None:
        """The next report; `None` when there is none for so long, or when it is time to look at the clock."""
        try:
            async with asyncio.timeout(max(0, min(seconds, LOOK_SECONDS))):
                return await self._inbox.get()
        except TimeoutError:
            return None

    def _limits(self, stage: str, stepped: float) -> Iterator[tuple[float, str]]:
        """When the worker is to be given up, by the clock, and why: the first that comes counts."""
        settings = self._settings
        silent, slowest = "it has not shown a sign of life", max(self._slowest.values(), default=0)
        yield self._heard + settings.silence_seconds, silent
        # Loading, and steps of unknown length on a slow processor, may take many minutes.
        known = stage != "load" and slowest > 0
        patience = settings.step_seconds + SLOW_STEPS * slowest if known else settings.stall_seconds
        yield stepped + patience, f"a step of stage {stage} has not ended"
        if self._stopping is None:
            return
        if stage != "load":  # importing and loading are all that holds a heartbeat up for so long
            yield max(self._stopping, self._heard + settings.stop_silence_seconds), silent
        measured = stage in self._slowest
        limit = min(settings.cancel_seconds, settings.stop_seconds) if measured else settings.cancel_seconds
        yield self._stopping + limit + SLOW_STEPS * self._slowest.get(stage, slowest), "it did not stop a cancelled job"

    async def _put_down(self, reason: str) -> Failure:
        self._failures += 1
        await self.close()
        message = f"the engine's process was ended: {reason}"
        log.error("worker stuck", extra={"worker": self._name, "reason": reason})
        return Failure("worker-stuck", message, "If it happens again: acetate doctor")

    async def _post_mortem(self) -> Failure:
        """Why the process ended by itself."""
        code = await self._process.wait() if self._process is not None else None
        words = last_words(self._error_path)
        log.error("worker died", extra={"worker": self._name, "code": code, "stderr": words})
        return failure_of(code, words, out_of_memory=oom_kills() > self._oom_kills)

    @property
    def _error_path(self) -> Path:
        return self._settings.folder / f"worker-{self._name}.err"
