from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path
from types import SimpleNamespace

import pytest
from acetate.protocol import Failure
from acetate.protocol.messages import Export, File, Progress, Submit
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.jobs.dispatcher import Dispatcher, seconds_left
from acetate.server.jobs.jobs import Job, Jobs
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store
from acetate.server.worker.runner import Outcome, RunnerLostError
from acetate.server.worker.worker_messages import Done, MadeFile, RunJob


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Tells what the test sets."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr("acetate.server.jobs.dispatcher.time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def job() -> Job:
    return Job("a-job-of-tests", "a-session", "engine", Submit("a-job-of-tests", "foreground"), None)


def step(stage: str, fraction: float) -> Progress:
    return Progress("a-job-of-tests", stage, 1, 1, fraction)


def test_the_time_left_goes_by_the_pace_since_the_model_was_loaded(clock: SimpleNamespace) -> None:
    """However long loading took: nothing after it is as slow."""
    running = job()
    told = []
    for seconds, stage, fraction in (
        (0, "load", 0),
        (90, "load", 0.1),
        (2, "denoise", 0.2),
        (2, "denoise", 0.3),
        (1, "decode", 1),
    ):
        clock.now += seconds
        told.append(seconds_left(running, step(stage, fraction)))

    assert told == [None, None, 16.0, 14.0, 0.0]


def test_without_a_pace_no_time_is_told(clock: SimpleNamespace) -> None:
    running = job()

    assert seconds_left(running, step("denoise", 0.5)) is None, "the first step that is heard of"
    clock.now += 5
    assert seconds_left(running, step("denoise", 0.5)) is None, "nothing has moved"


def test_a_job_that_loads_again_measures_its_pace_again(clock: SimpleNamespace) -> None:
    running = job()
    for seconds, stage, fraction in ((0, "denoise", 0), (50, "denoise", 0.1), (100, "load", 0.1)):
        clock.now += seconds
        seconds_left(running, step(stage, fraction))
    clock.now += 1

    assert seconds_left(running, step("denoise", 0.2)) == 8.0


class Mortal:
    """A runner that is lost after it has made its first file, and makes another one the next time."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs, self.files = blobs, 0

    async def run(self, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        self.files += 1
        data, name = f"file {self.files}".encode(), f"{command.job}-{self.files}"
        Path(self._blobs.incoming(name)).write_bytes(data)
        yield MadeFile(File(command.job, "kite.psd", len(data), hashlib.sha256(data).hexdigest()), name), b""
        if self.files == 1:
            raise RunnerLostError(Failure("worker-lost", "killed"))
        yield Done(command.job, ()), b""

    async def stop(self, job: str) -> None:
        """Nobody asks."""

    async def gone(self) -> None:
        await asyncio.Event().wait()


def test_a_file_that_was_made_before_its_worker_died_is_not_brought_twice(tmp_path: Path) -> None:
    async def scenario() -> None:
        store, blobs = Store(tmp_path / "jobs.sqlite"), Blobs(tmp_path / "blobs")
        jobs, outbox, runner = Jobs(Settings(folder=tmp_path), store, blobs), Outbox(100), Mortal(blobs)
        watcher = Subscriber("a-session", "a test", "raw", outbox, blobs)
        jobs.accept(watcher, Export("a-job-of-tests", ("a-job-before",), "psd"))
        working = asyncio.create_task(Dispatcher("documents", jobs, runner).work())  # type: ignore[arg-type]
        told: list[str | bytes] = []
        while not any(isinstance(frame, str) and '"finished"' in frame for frame in told):
            frame = await asyncio.wait_for(outbox.take(), 10)
            assert frame is not None
            told.append(frame if isinstance(frame, str) else bytes(frame))
        working.cancel()

        assert runner.files == 2
        assert [b"file 1" in frame for frame in told if isinstance(frame, bytes) and b"file" in frame].count(True) == 1
        assert not any(b"file 2" in frame for frame in told if isinstance(frame, bytes))
        assert not list(Path(blobs.incoming("")).iterdir()), "the second file is gone"

    asyncio.run(scenario())
