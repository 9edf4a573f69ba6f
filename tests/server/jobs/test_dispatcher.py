from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Cancelled, Failed, Failure, Finished, Layer, Parameters, Progress, content_id
from acetate.protocol.frames import PreviewFrame
from acetate.protocol.messages import Conditions, Export, File, Placed, Submit
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.jobs.dispatcher import Dispatcher
from acetate.server.jobs.jobs import JobRegistry
from acetate.server.people.tokens import LOCAL
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store
from acetate.server.worker.runner import Outcome, RunnerLostError
from acetate.server.worker.worker_messages import Done, Made, MadeFile, RunJob


class Mortal:
    """A runner that is lost after it has made its first file, and makes another one the next time."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs, self.files = blobs, 0

    async def run(self, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        self.files += 1
        data, name = f"file {self.files}".encode(), f"{command.job}-{self.files}"
        Path(self._blobs.incoming(name)).write_bytes(data)
        yield MadeFile(File(command.job, "kite.psd", len(data), content_id(data)), name), b""
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
        jobs, outbox, runner = JobRegistry(Settings(folder=tmp_path), store, blobs), Outbox(100), Mortal(blobs)
        watcher = Subscriber(LOCAL, "a-session", "a test", ["raw"], outbox, blobs)
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


class Scripted:
    """A runner that does with each job what the test says, and notes what it is asked for."""

    def __init__(self, act: Callable[[Scripted, RunJob], AsyncGenerator[tuple[Outcome, bytes], None]]) -> None:
        self._act = act
        self.asked: list[str] = []
        self.stopped = asyncio.Event()

    def run(self, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        self.asked.append(f"run {command.job}")
        return self._act(self, command)

    async def stop(self, job: str) -> None:
        self.asked.append(f"stop {job}")
        self.stopped.set()

    async def gone(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.asked.append("close")


def dispatched(jobs: JobRegistry, runner: Scripted, until: Callable[[], bool]) -> None:
    """Let the engine's lane work until a watcher has been told enough."""

    async def scenario() -> None:
        working = asyncio.create_task(Dispatcher("engine", jobs, runner).work())  # type: ignore[arg-type]
        async with asyncio.timeout(5):
            while not until():
                await asyncio.sleep(0)
        working.cancel()

    asyncio.run(scenario())


def test_a_mistake_of_the_servers_own_ends_its_job_and_closes_the_runner_before_the_next(
    jobs: JobRegistry, listener: Any
) -> None:
    """The runner may be in the middle of the job that has ended for everybody else."""

    async def act(runner: Scripted, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        if runner.asked == ["run job-number-1"]:
            box = Box(0, 0, 1, 1)
            layer = Layer(command.job, 0, "kite", "foreground", 0, 0, 1, 1, box, "rgba8", 4, "0" * 64)
            yield Made(layer, "a file that is not there"), b""
        yield Done(command.job), b""

    client, runner = listener(), Scripted(act)
    for name in ("job-number-1", "job-number-2"):
        jobs.accept(client, Submit(name, "foreground"))
    dispatched(jobs, runner, until=lambda: isinstance(client.told[-1], Finished))
    ends = [told for told in client.told if isinstance(told, (Failed, Finished))]

    assert runner.asked == ["run job-number-1", "close", "run job-number-2"]
    assert [end.job for end in ends] == ["job-number-1", "job-number-2"]
    assert isinstance(ends[0], Failed) and ends[0].failure.code == "internal"


def test_a_job_that_has_nothing_to_work_from_fails_and_the_runner_does_not_hear_of_it(jobs: JobRegistry, listener: Any) -> None:
    async def act(runner: Scripted, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        yield Done(command.job), b""

    client, runner = listener(), Scripted(act)
    jobs.accept(client, Submit("job-number-1", "refine", conditions=Conditions(Placed("a" * 64))))
    jobs.accept(client, Submit("job-number-2", "foreground"))
    dispatched(jobs, runner, until=lambda: isinstance(client.told[-1], Finished))
    (failed,) = (told for told in client.told if isinstance(told, Failed))

    assert failed.failure.code == "content-broken" and runner.asked == ["run job-number-2"]


def test_the_second_job_of_a_kind_knows_from_its_first_step_how_long_it_takes(jobs: JobRegistry, listener: Any) -> None:
    async def act(runner: Scripted, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        for stage, share in (("load", 0.0), ("denoise", 0.25), ("denoise", 0.5), ("decode", 1.0)):
            yield Progress(command.job, stage, 1, 1, share), b""
        yield Done(command.job), b""

    client, runner = listener(), Scripted(act)
    for name, prompt in (("job-number-1", "a fox"), ("job-number-2", "a hat")):
        jobs.accept(client, Submit(name, "foreground", Parameters(prompt=prompt)))
    dispatched(jobs, runner, until=lambda: isinstance(client.told[-1], Finished) and client.told[-1].job == "job-number-2")
    left = [told.seconds_left for told in client.told if isinstance(told, Progress) and told.step == 1]

    assert [one is None for one in left] == [True, True, False, False, True, False, False, False]


def test_a_request_to_stop_reaches_the_runner(jobs: JobRegistry, listener: Any) -> None:
    async def act(runner: Scripted, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        yield Progress(command.job, "denoise", 1, 20, 0.05), b""
        jobs.cancel(client, command.job)
        await runner.stopped.wait()
        yield Cancelled(command.job), b""

    client, runner = listener(), Scripted(act)
    jobs.accept(client, Submit("job-number-1", "foreground"))
    dispatched(jobs, runner, until=lambda: client.told[-1:] == [Cancelled("job-number-1")])

    assert runner.asked == ["run job-number-1", "stop job-number-1"]


@pytest.mark.parametrize("stopping", [False, True])
def test_a_job_that_costs_two_runners_is_over_and_one_that_was_to_stop_at_once(
    jobs: JobRegistry, listener: Any, stopping: bool
) -> None:
    async def act(runner: Scripted, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        if stopping:
            jobs.cancel(client, command.job)
        yield Progress(command.job, "denoise", 1, 20, 0.05), b""
        raise RunnerLostError(Failure("worker-crashed", "killed"))

    client, runner = listener(), Scripted(act)
    jobs.accept(client, Submit("job-number-1", "foreground"))
    dispatched(jobs, runner, until=lambda: isinstance(client.told[-1], (Failed, Cancelled)))

    assert [asked for asked in runner.asked if "stop" not in asked] == ["run job-number-1"] * (1 if stopping else 2)
    assert client.told[-1] == (
        Cancelled("job-number-1") if stopping else Failed("job-number-1", Failure("worker-crashed", "killed"))
    )


def test_progress_previews_layers_and_notes_reach_the_client_as_the_worker_made_them(jobs: JobRegistry, listener: Any) -> None:
    layer = Layer("job-number-1", 0, "kite", "foreground", 0, 0, 0, 0, Box(0, 0, 1, 1), "rgba8", 0, "0" * 64)

    async def act(runner: Scripted, command: RunJob) -> AsyncGenerator[tuple[Outcome, bytes], None]:
        yield Progress(command.job, "load", 1, 3, 1 / 3), b""
        yield PreviewFrame(command.job, 1, 1, 4), b"rgba"
        yield Made(layer, ""), b""
        yield Made(layer, ""), b""
        yield Done(command.job, ("no masks",)), b""

    client = listener()
    jobs.accept(client, Submit("job-number-1", "foreground"))
    dispatched(jobs, Scripted(act), until=lambda: isinstance(client.told[-1], Finished))
    _queued, _started, *story, end = client.told

    assert story == [Progress("job-number-1", "load", 1, 3, 0.3333), b"rgba", (0, "rgba8")]
    assert (end.layers, end.notes) == (1, ("no masks",))
