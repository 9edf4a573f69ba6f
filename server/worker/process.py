"""The worker process: reads commands from its standard input, runs one job at a time, writes reports to its standard output.

Knows the pipe, cancelling and the heartbeat; what a job is, its backend knows. Whatever else prints goes to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol

from acetate.protocol import Failure
from acetate.protocol import messages as wire
from acetate.vocabulary.engine_options import ENGINE_OPTIONS

from ..failures import of_engine_exception, of_lost_device, spoils_device
from ..settings import ENGINE
from . import worker_messages

BEAT_SECONDS = 1.0
OOM_SCORE = 500
"""How much more readily than the server Linux kills a worker when memory runs out."""


class Backend(Protocol):
    """What a worker can do: `EngineJobs` or `DocumentJobs` here, `RayJobs` elsewhere."""

    def describe(self) -> Mapping[str, Any]: ...

    def run(self, command: worker_messages.RunJob) -> Iterator[worker_messages.ReportWithPayload]: ...

    def unload(self) -> None: ...

    def preload(self, model: str) -> None: ...

    def opened(self) -> tuple[str, ...]: ...


class BackendError(Exception):
    """A backend's own word for what has happened: the job has failed with `failure`, at `details` of its code."""

    def __init__(self, failure: Failure, details: str = "") -> None:
        super().__init__(str(failure))
        self.failure, self.details = failure, details


class BackendLostError(BackendError):
    """What ran the job is gone, and this process with it: another one must run it again."""


class Pipe:
    """Both directions of the pipe. A thread of its own reads, so that `Cancel` arrives while a job runs."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self.commands: queue.Queue[worker_messages.Command] = queue.Queue()
        self._source, self._sink = source, sink
        self._writing = threading.Lock()
        self._stopped: set[str] = set()

    def start(self) -> None:
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def send(self, report: worker_messages.Report, payload: bytes = b"") -> None:
        with self._writing:
            self._sink.write(worker_messages.pack(report, payload))
            self._sink.flush()

    def is_stopped(self, job: str) -> bool:
        return job in self._stopped

    def _read(self) -> None:
        """Read commands. The end of the server also ends this process, whatever it is doing: no one would take its results."""
        with contextlib.suppress(OSError, EOFError):
            while (body := worker_messages.read_body(self._source)) is not None:
                command = worker_messages.unpack_command(body)
                if isinstance(command, wire.Cancel):
                    self._stopped.add(command.job)
                else:
                    self.commands.put(command)
        os._exit(0)

    def _beat(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.send(worker_messages.Beat())
                time.sleep(BEAT_SECONDS)


def run_job(backend: Backend, command: worker_messages.RunJob, pipe: Pipe) -> None:
    """Run one job to its end; exactly one of `Done`, `Cancelled`, `Failed` is sent, unless the process dies."""
    done, opened = worker_messages.Done(command.job), backend.opened()
    try:
        with contextlib.closing(backend.run(command)) as items:  # type: ignore[type-var]
            for report, payload in items:
                if pipe.is_stopped(command.job):
                    break
                if isinstance(report, worker_messages.Done):
                    done = report
                else:
                    pipe.send(report, payload)
    except Exception as error:
        if isinstance(error, BackendLostError) or spoils_device(error):
            raise
        if isinstance(error, BackendError):
            failure, details = error.failure, error.details
        else:
            failure = of_engine_exception(error)
            details = traceback.format_exc() if failure.code == "internal" else ""
        del error  # its traceback holds on to the job's tensors
        _tell_opened(backend, pipe, opened)
        pipe.send(wire.Failed(command.job, failure), details.encode(errors="backslashreplace"))
        return
    _tell_opened(backend, pipe, opened)
    pipe.send(wire.Cancelled(command.job) if pipe.is_stopped(command.job) else done)


def _tell_opened(backend: Backend, pipe: Pipe, before: tuple[str, ...]) -> None:
    """Say which models lie on the device, if others than before; ahead of the job's end, as the next one is placed by it."""
    if (now := backend.opened()) != before:
        pipe.send(worker_messages.Opened(now))


def serve_commands(backend: Backend, pipe: Pipe) -> NoReturn:
    """Carry out commands one after the other, for ever."""
    while True:
        command = pipe.commands.get()
        if isinstance(command, worker_messages.RunJob):
            run_job(backend, command, pipe)
        elif isinstance(command, worker_messages.Unload):
            backend.unload()
        elif isinstance(command, worker_messages.Describe):
            _describe(backend, pipe)
        elif isinstance(command, worker_messages.Preload):
            try:
                backend.preload(command.model)
            except Exception as error:
                if spoils_device(error):
                    raise
                traceback.print_exc()  # a job with this model will say the same to its client
            _describe(backend, pipe)


def _describe(backend: Backend, pipe: Pipe) -> None:
    description = dict(backend.describe())
    pipe.send(worker_messages.Ready(str(description.get("device", "")), description))


def main(arguments: list[str] | None = None) -> None:
    """Run a worker until its server ends."""
    options = _options().parse_args(arguments)
    serve(lambda pipe: _backend(options))


def serve(make: Callable[[Pipe], Backend]) -> NoReturn:
    """Be the worker whose backend `make` makes, until the server ends. The process ends with it."""
    pipe = Pipe(*_own_streams())
    _settle()
    pipe.start()
    try:
        backend = make(pipe)
        _describe(backend, pipe)
    except Exception as error:
        traceback.print_exc()
        pipe.send(worker_messages.Unusable(_of_start(error)))
        os._exit(1)
    try:
        serve_commands(backend, pipe)
    except BackendLostError as error:
        pipe.send(worker_messages.Unusable(error.failure))
        os._exit(1)
    except BaseException as error:
        if spoils_device(error):
            pipe.send(worker_messages.Unusable(of_lost_device(error)))
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # without waiting for threads of a broken device


def _of_start(error: Exception) -> Failure:
    """What is told of an engine that did not start: whatever the reason, no request was wrong and none can be run here."""
    failure = error.failure if isinstance(error, BackendError) else of_engine_exception(error)
    return replace(failure, code="engine-unavailable") if failure.code in ("bad-request", "internal") else failure


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m acetate.server.worker.process")
    parser.add_argument("--lane", choices=["engine", "documents"], default="engine")
    parser.add_argument("--engine", default=ENGINE)
    for name, values in ENGINE_OPTIONS.items():
        parser.add_argument(f"--{name}", choices=values, default="auto")
    parser.add_argument("--device")
    parser.add_argument("--incoming", type=Path, required=True)
    parser.add_argument("--preview-seconds", type=float, default=0.25)
    parser.add_argument("--preview-share", type=float, default=0.02)
    return parser


def _backend(options: argparse.Namespace) -> Backend:
    if options.lane == "documents":
        from .document_jobs import DocumentJobs

        return DocumentJobs(options.incoming)
    from .engine_jobs import EngineJobs, PreviewBudget

    budget = PreviewBudget(options.preview_seconds, options.preview_share)
    how = {name: value for name in ENGINE_OPTIONS if (value := getattr(options, name)) != "auto"}
    return EngineJobs(options.engine, options.device, options.incoming, budget, how)


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep standard input and output for the pipe; what any library prints goes to standard error from here on."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(0, os.O_BINARY)
        msvcrt.setmode(1, os.O_BINARY)
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return source, sink


def _settle() -> None:
    """Leave Ctrl+C to the server, say where a crash happened, and die with the server and before it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE))


if __name__ == "__main__":
    main()
