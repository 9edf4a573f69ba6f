"""A runner that is a process on this machine: started, watched, ended and replaced from here.

Knows processes and time limits; what a job does, the worker knows (`process.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

from acetate.protocol import Failure
from acetate.protocol import messages as wire
from acetate.protocol.frames import PreviewFrame

from ..settings import Settings
from . import worker_messages
from .runner import JobBrokeError, OnReady, Outcome, RunnerLostError, RunnerUnavailableError

log = logging.getLogger(__name__)

SIGKILL = 9  # not a name of `signal` on Windows

SLOW_STEPS = 20
"""A step may take this many times as long as the slowest one so far."""


class LocalWorker:
    """The `Runner` that is a process on this machine. `lane` is `engine` or `documents`; `name` distinguishes log files."""

    def __init__(self, settings: Settings, lane: str, name: str, device: str | None, on_ready: OnReady) -> None:
        self._settings = settings
        self._lane, self._name, self._device = lane, name, device
        self._on_ready = on_ready
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._inbox: asyncio.Queue[worker_messages.ReportWithPayload | None] = asyncio.Queue()
        """Reports of the running job; `None` means that the clocks are to be looked at again."""
        self._lost = asyncio.Event()
        self._lost.set()
        self._starting = asyncio.Lock()
        self._failures = 0
        """How many workers in a row died before they finished a job."""
        self._oom_kills = 0
        self._heard = 0.0
        self._stop_by: float | None = None
        self._stopped: str | None = None
        """The job that was cancelled last, perhaps before there was a worker to tell."""
        self._slowest = 0.0

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
        if self._lost.is_set():
            await self.start()

    async def run(self, command: worker_messages.RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        await self.start()
        self._inbox = asyncio.Queue()
        self._stop_by, self._slowest = None, 0.0
        if self._stopped == command.job:
            yield wire.Cancelled(command.job), b""
            return
        await self._send(command)
        stage, stepped = "load", time.monotonic()
        while True:
            report, payload = await self._next_report(stage, stepped)
            if isinstance(report, wire.Failed):
                self._failures = 0
                if payload:
                    log.error("job broke", extra={"job": command.job, "traceback": payload.decode()})
                raise JobBrokeError(report.failure)
            if isinstance(report, wire.Progress):
                now = time.monotonic()
                if stage != "load" and report.stage == stage:
                    self._slowest = max(self._slowest, now - stepped)
                stage, stepped = report.stage, now
            if isinstance(report, (wire.Progress, PreviewFrame, worker_messages.Made, worker_messages.MadeFile)):
                yield report, payload
            elif isinstance(report, (worker_messages.Done, wire.Cancelled)):
                self._failures = 0
                yield report, payload
                return

    async def stop(self, job: str) -> None:
        self._stopped = job
        self._stop_by = time.monotonic() + self._settings.cancel_seconds + SLOW_STEPS * self._slowest
        self._inbox.put_nowait(None)
        await self._send(wire.Cancel(job))

    async def refresh(self) -> None:
        await self._send(worker_messages.Describe())

    async def unload(self) -> None:
        await self._send(worker_messages.Unload())

    async def preload(self, model: str) -> None:
        await self._send(worker_messages.Preload(model))

    async def gone(self) -> None:
        await self._lost.wait()

    # --- the process -------------------------------------------------------------------------------------------------

    async def _spawn(self) -> None:
        settings = self._settings
        arguments = ["--lane", self._lane, "--incoming", str(settings.blobs / "incoming")]
        arguments += ["--preview-seconds", str(settings.preview_seconds), "--preview-share", str(settings.preview_share)]
        if self._lane == "engine":
            arguments += ["--engine", settings.engine, "--acceleration", settings.acceleration]
            if self._device is not None:
                arguments += ["--device", self._device]
        self._oom_kills = oom_kills()
        with self._error_path().open("wb") as errors:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "acetate.server.worker.process", *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        self._inbox = asyncio.Queue()
        self._heard = time.monotonic()
        self._lost.clear()
        self._reader = asyncio.create_task(self._read(self._process), name=f"{self._name}-reader")
        log.info("worker started", extra={"worker": self._name, "pid": self._process.pid})

    async def _until_ready(self) -> None:
        try:
            async with asyncio.timeout(self._settings.start_seconds):
                while True:
                    found = await self._inbox.get()
                    if found is not None and isinstance(found[0], worker_messages.Ready):
                        return
                    if found is not None and isinstance(found[0], worker_messages.Unusable):
                        raise RunnerLostError(found[0].failure)
                    if self._lost.is_set():
                        raise RunnerLostError(await self._post_mortem())
        except TimeoutError:
            seconds = self._settings.start_seconds
            raise RunnerLostError(Failure("engine-unavailable", f"the engine did not start within {seconds:g} s")) from None

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        try:
            while True:
                prefix = await process.stdout.readexactly(4)
                body = await process.stdout.readexactly(worker_messages.body_length(prefix))
                self._heard = time.monotonic()
                report, payload = worker_messages.unpack_report(body)
                if isinstance(report, worker_messages.Ready):
                    self._on_ready(report.device, report.description)
                if not isinstance(report, worker_messages.Beat):
                    self._inbox.put_nowait((report, payload))
        except (EOFError, OSError):
            pass
        finally:
            self._lost.set()
            self._inbox.put_nowait(None)

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
            deadline, reason = min(
                (self._heard + self._settings.silence_seconds, "it has not shown a sign of life"),
                (stepped + self._patience(stage), f"a step of stage {stage} has not ended"),
                (self._stop_by or float("inf"), "it did not stop a cancelled job"),
            )
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + max(0, deadline - time.monotonic())):
                    found = await self._inbox.get()
            except TimeoutError:
                if time.monotonic() >= self._heard + self._settings.silence_seconds or "sign of life" not in reason:
                    raise RunnerLostError(await self._put_down(reason)) from None
                continue
            if found is not None:
                return found

    def _patience(self, stage: str) -> float:
        """The seconds that a step may take. Loading, and steps of unknown length on a slow processor, may take many minutes."""
        if stage == "load" or self._slowest == 0:
            return self._settings.stall_seconds
        return self._settings.step_seconds + SLOW_STEPS * self._slowest

    async def _put_down(self, reason: str) -> Failure:
        self._failures += 1
        await self.close()
        message = f"the engine's process was ended: {reason}"
        log.error("worker stuck", extra={"worker": self._name, "reason": reason})
        return Failure("worker-stuck", message, "If it happens again: acetate doctor")

    async def _post_mortem(self) -> Failure:
        """Why the process ended by itself: no memory, killed, crashed, or an error of its own."""
        process = self._process
        code = await process.wait() if process is not None else None
        words = self._last_words()
        log.error("worker died", extra={"worker": self._name, "code": code, "stderr": words})
        if code == -SIGKILL and oom_kills() > self._oom_kills:
            return Failure(
                "out-of-memory",
                "the operating system ended the engine's process because the computer's memory ran out",
                "Try a smaller size, close programs, or use a smaller model.",
            )
        how = (
            f"was killed by signal {-code} ({_signal_name(-code)})"
            if code is not None and code < 0
            else f"ended with code {code}"
        )
        said = f"; its last words: {words.splitlines()[-1]}" if words else ""
        return Failure("worker-crashed", f"the engine's process {how}{said}", "If it happens again: acetate doctor")

    def _error_path(self) -> Path:
        return self._settings.folder / f"worker-{self._name}.err"

    def _last_words(self, characters: int = 4000) -> str:
        with contextlib.suppress(OSError):
            return self._error_path().read_text(encoding="utf-8", errors="replace")[-characters:].strip()
        return ""


def oom_kills() -> int:
    """How often Linux has killed a process for lack of memory so far; 0 elsewhere."""
    total = 0
    for path in (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events")):
        with contextlib.suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    total += int(value)
    return total


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
