"""One job in a worker, with a lane that the test steps through and a pipe that keeps what is said."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator

import pytest
from acetate.engine import OutOfMemory
from acetate.protocol import Cancelled, Failed, Progress
from acetate.protocol.frames import PreviewFrame
from acetate.protocol.messages import Submit
from acetate.server.worker import worker_messages
from acetate.server.worker.process import Pipe, run_job

from ...locks import ContendedLock

JOB = "0123456789abcdef"
RUN = worker_messages.RunJob(Submit(JOB, "foreground"))


class Steps:
    """A lane whose job has ten steps; `before` is called before each with its number."""

    def __init__(self, before: Callable[[int], None]) -> None:
        self.before = before
        self.done = 0
        self.closed = False

    def opened(self) -> tuple[str, ...]:
        return ("painter",) if self.done else ()

    def run(self, command: worker_messages.RunJob) -> Iterator[worker_messages.ReportWithPayload]:
        try:
            for step in range(1, 11):
                self.before(step)
                self.done = step
                yield Progress(command.job, "denoise", step, 10, step / 10), b""
        finally:
            self.closed = True


class Heard(Pipe):
    """What the server would read, and what it says."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), io.BytesIO())
        self.reports: list[worker_messages.Report] = []
        self.payloads: list[bytes] = []

    def send(self, report: worker_messages.Report, payload: bytes = b"") -> None:
        self.reports.append(report)
        self.payloads.append(payload)

    def stop(self, job: str) -> None:
        self._stopped.add(job)


@pytest.fixture
def pipe() -> Heard:
    return Heard()


def test_a_cancelled_job_ends_with_the_step_that_runs(pipe: Heard) -> None:
    """And what it held is given up: the generator in which the engine's tensors live is closed."""
    lane = Steps(before=lambda step: pipe.stop(JOB) if step == 4 else None)
    run_job(lane, RUN, pipe)  # type: ignore[arg-type]

    assert lane.done == 4 and lane.closed
    assert [type(report) for report in pipe.reports] == [Progress] * 3 + [worker_messages.Opened, Cancelled]


def test_the_models_that_lie_on_the_device_are_said_when_they_change_and_before_the_job_ends(pipe: Heard) -> None:
    """The server chooses the next job's device by them, as soon as this one is over."""
    lane = Steps(before=lambda step: None)
    run_job(lane, RUN, pipe)  # type: ignore[arg-type]
    run_job(lane, RUN, pipe)  # type: ignore[arg-type]
    opened, done = worker_messages.Opened(("painter",)), worker_messages.Done(JOB)

    assert [report for report in pipe.reports if not isinstance(report, Progress)] == [opened, done, done]


def test_only_the_cancelled_job_stops(pipe: Heard) -> None:
    lane = Steps(before=lambda step: pipe.stop("another-job-of-someone"))
    run_job(lane, RUN, pipe)  # type: ignore[arg-type]

    assert lane.done == 10
    assert pipe.reports[-1] == worker_messages.Done(JOB)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OutOfMemory("8 GB are needed, 2 GB are free", hint="Try a smaller size."), "out-of-memory"),
        (MemoryError(), "out-of-memory"),
        (ZeroDivisionError(), "internal"),
    ],
)
def test_a_job_that_breaks_says_why_and_the_worker_goes_on(pipe: Heard, error: Exception, code: str) -> None:
    def break_down(step: int) -> None:
        raise error

    lane = Steps(before=break_down)
    run_job(lane, RUN, pipe)  # type: ignore[arg-type]
    (broke,) = pipe.reports

    assert isinstance(broke, Failed) and broke.failure.code == code
    assert (b"Traceback" in pipe.payloads[0]) == (code == "internal"), "for the log, when the mistake is ours"
    assert lane.closed


def test_an_error_that_spoils_the_device_ends_the_worker(pipe: Heard) -> None:
    def break_down(step: int) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="CUDA"):
        run_job(Steps(before=break_down), RUN, pipe)  # type: ignore[arg-type]


class HalfWritten(io.BytesIO):
    """A pipe that takes the first report in two halves, and lets `meanwhile` happen between them."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile: Callable[[], None] | None = meanwhile

    def write(self, data: bytes) -> int:  # type: ignore[override]
        whole = bytes(data)
        if (meanwhile := self._meanwhile) is not None:
            self._meanwhile = None
            super().write(whole[: len(whole) // 2])
            meanwhile()
            return super().write(whole[len(whole) // 2 :])
        return super().write(whole)


def test_a_heartbeat_does_not_tear_a_report_in_two() -> None:
    writing = ContendedLock()

    def beat() -> None:
        pipe.send(worker_messages.Beat())
        writing.wanted.set()

    beating = threading.Thread(target=beat)

    def meanwhile() -> None:
        beating.start()
        assert writing.wanted.wait(10)

    sink = HalfWritten(meanwhile)
    pipe = Pipe(io.BytesIO(), sink)
    pipe._writing = writing  # type: ignore[assignment]
    preview = PreviewFrame(JOB, 2, 1, 8)
    pipe.send(preview, b"rgbaRGBA")
    beating.join(10)
    sink.seek(0)
    heard = [worker_messages.unpack_report(body) for body in iter(lambda: worker_messages.read_body(sink), None)]

    assert heard == [(preview, b"rgbaRGBA"), (worker_messages.Beat(), b"")]
