"""The one interface between the server's queues and whatever runs a job.

`LocalWorker`, a process on this machine, implements it; behind that process may lie an actor on another one. Queue, fairness,
retention and security stay on this side of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from acetate.protocol import Cancelled, Failure, Progress
from acetate.protocol.frames import PreviewFrame

from .worker_messages import Done, Made, MadeFile, News, Opened, RunJob

Outcome = Progress | PreviewFrame | Opened | Made | MadeFile | Done | Cancelled

OnNews = Callable[[News], None]
"""Called with what a runner says of itself: that it is ready (again), that it waits, how many there is room for."""


class RunnerError(Exception):
    """Why a job has no result; `.failure` is what its client may be told."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class JobBrokeError(RunnerError):
    """The job failed; running it again would not help. `.details` is a traceback for the log when the mistake is ours."""

    def __init__(self, failure: Failure, details: bytes = b"") -> None:
        super().__init__(failure)
        self.details = details


class RunnerLostError(RunnerError):
    """Whatever ran the job is gone, or was stuck and has been ended; the job may be run again."""


class RunnerUnavailableError(RunnerError):
    """Nothing can run jobs now, and trying again at once would not help."""


class Runner(Protocol):
    """Something that runs one job at a time."""

    async def start(self) -> None:
        """Get ready to run; returns at once when that is so. Raises `RunnerUnavailableError`."""

    def run(self, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        """Run a job, yielding its reports, each with its payload; the last is `Done` or `Cancelled`.

        Raises `JobBrokeError`, `RunnerLostError` or `RunnerUnavailableError`.
        """

    async def stop(self, job: str) -> None:
        """Cancel the running job: `run` ends with `Cancelled` between two steps, or loses a runner that does not stop."""

    async def refresh(self) -> None:
        """Have the engine describe itself again, as soon as nothing runs; asking twice before that is asking once."""

    async def preload(self, model: str) -> None:
        """Load a model before the first job."""

    async def unload(self) -> None:
        """Free the models' memory."""

    async def gone(self) -> None:
        """Return when the runner is not there, or no longer, and `start` would bring it back."""

    async def close(self) -> None:
        """End the runner at once, whatever it is doing."""
