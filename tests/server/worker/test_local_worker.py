"""A real worker process with the fake engine: why it died, and that its replacement works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Parameters
from acetate.protocol.messages import Submit
from acetate.server.settings import FAKE_ENGINE, Settings
from acetate.server.worker import local_worker, worker_messages
from acetate.server.worker.clock import AwakeClock
from acetate.server.worker.local_worker import LocalWorker, engine_command
from acetate.server.worker.runner import RunnerLostError, RunnerUnavailableError

JOB = "0123456789abcdef"


def run(prompt: str) -> worker_messages.RunJob:
    return worker_messages.RunJob(Submit(JOB, "foreground", Parameters(prompt=prompt)))


async def outcomes(worker: LocalWorker, prompt: str) -> list[str]:
    return [type(report).__name__ async for report, _ in worker.run(run(prompt))]


@pytest.fixture
def with_worker(tmp_path: Path) -> Callable[[Callable[[LocalWorker], Coroutine[Any, Any, None]]], None]:
    """Do something with a worker that is ended afterwards."""
    settings = Settings(folder=tmp_path, engine=FAKE_ENGINE, restart_seconds=(0,))
    (settings.blobs / "incoming").mkdir(parents=True)

    def do(action: Callable[[LocalWorker], Coroutine[Any, Any, None]]) -> None:
        async def all_of_it() -> None:
            worker = LocalWorker(settings, "engine-0", engine_command(settings, None), lambda news: None)
            try:
                await action(worker)
            finally:
                await worker.close()

        asyncio.run(all_of_it())

    return do


@pytest.mark.parametrize(("kills", "code"), [((7, 7), "worker-crashed"), ((7, 8), "out-of-memory")])
def test_a_worker_that_the_system_killed_for_memory_is_told_from_one_that_was_killed(
    with_worker: Any, monkeypatch: pytest.MonkeyPatch, kills: tuple[int, int], code: str
) -> None:
    """Both are SIGKILL; Linux counts those that it sends for lack of memory."""
    counts = iter(kills)
    monkeypatch.setattr(local_worker, "oom_kills", lambda: next(counts))

    async def kill(worker: LocalWorker) -> None:
        with pytest.raises(RunnerLostError) as lost:
            await outcomes(worker, "@kill:denoise")
        assert lost.value.failure.code == code
        assert ("memory" in lost.value.failure.message) == (code == "out-of-memory")

    with_worker(kill)


def test_a_lost_worker_is_replaced_by_the_next_job(with_worker: Any) -> None:
    async def lose_one(worker: LocalWorker) -> None:
        with pytest.raises(RunnerLostError, match="code 9"):
            await outcomes(worker, "@exit:decode")
        assert (await outcomes(worker, "a kite"))[-3:] == ["Made", "Opened", "Done"]

    with_worker(lose_one)


def test_a_lost_card_costs_the_worker_and_its_replacement_runs_the_job(
    with_worker: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACETATE_FAKE", str(tmp_path))

    async def lose(worker: LocalWorker) -> None:
        with pytest.raises(RunnerLostError) as lost:
            await outcomes(worker, "@lost-once:denoise")
        assert (
            lost.value.failure.message == "the connection to the graphics card was lost: CUDA error: unspecified launch failure"
        )
        assert (await outcomes(worker, "@lost-once:denoise"))[-1] == "Done"

    with_worker(lose)


def test_a_card_that_does_not_come_back_is_told_and_no_other_device_takes_its_place(
    with_worker: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACETATE_FAKE", str(tmp_path))

    async def lose(worker: LocalWorker) -> None:
        with pytest.raises(RunnerLostError):
            await outcomes(worker, "@lost:denoise")
        (tmp_path / "gone-fake").touch()
        with pytest.raises(RunnerUnavailableError, match="device 'fake' is not available"):
            await outcomes(worker, "a kite")
        (tmp_path / "gone-fake").unlink()
        assert (await outcomes(worker, "a kite"))[-1] == "Done"

    with_worker(lose)


class Paused:
    """A clock that a test can put forward, as if all processes had stood still meanwhile."""

    def __init__(self) -> None:
        self.ahead, self.looks = 0.0, 0

    def read(self) -> float:
        self.looks += 1
        return time.monotonic() + self.ahead


@pytest.mark.parametrize("limit", ["silence_seconds", "stall_seconds", "cancel_seconds"])
def test_a_pause_of_the_server_is_no_silence_of_its_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    """`docker pause` stops both; the worker must not be killed when they wake."""
    monkeypatch.setenv("ACETATE_FAKE", str(tmp_path))
    clock, settings = Paused(), Settings(folder=tmp_path, engine=FAKE_ENGINE, **{limit: 60})
    (settings.blobs / "incoming").mkdir(parents=True)

    async def pause() -> None:
        worker = LocalWorker(settings, "engine-0", engine_command(settings, None), lambda news: None, AwakeClock(clock.read))
        try:
            ended = asyncio.create_task(outcomes(worker, "@hold:denoise"))
            async with asyncio.timeout(60):
                while not (tmp_path / "held-0").exists():
                    await asyncio.sleep(0.01)
            if limit == "cancel_seconds":
                await worker.stop(JOB)
            clock.ahead, clock.looks = 10_000, 0
            async with asyncio.timeout(60):
                while clock.looks < 3:
                    await asyncio.sleep(0.01)
            assert not ended.done()
            (tmp_path / "go-0").touch()
            assert (await asyncio.wait_for(ended, 60))[-1] == ("Cancelled" if limit == "cancel_seconds" else "Done")
        finally:
            await worker.close()

    asyncio.run(pause())


def first_limit(
    stage: str, *, slowest: dict[str, float], heard: float = 100, stepped: float = 100, stopping: float | None = None
) -> tuple[float, str]:
    """When a worker is given up that was heard of at 100 s, and why."""
    settings = Settings()
    worker = LocalWorker(settings, "engine-0", engine_command(settings, None), lambda news: None)
    worker._slowest, worker._heard, worker._stopping = slowest, heard, stopping
    return min(worker._limits(stage, stepped))


def test_how_long_a_step_may_take_depends_on_those_before() -> None:
    assert first_limit("denoise", slowest={"denoise": 0.5}, heard=1000) == (170, "a step of stage denoise has not ended")
    assert first_limit("decode", slowest={}, heard=9000)[0] == 1000
    assert first_limit("load", slowest={"denoise": 0.5}, heard=9000)[0] == 1000
    assert first_limit("denoise", slowest={"denoise": 0.5}) == (160, "it has not shown a sign of life")


def test_a_cancelled_job_that_hangs_is_given_up_sooner_where_steps_were_measured() -> None:
    hangs = "it did not stop a cancelled job"

    assert first_limit("denoise", slowest={"denoise": 0.5}, heard=1000, stopping=110) == (150, hangs)
    assert first_limit("decode", slowest={"denoise": 0.5}, heard=1000, stepped=900, stopping=110) == (240, hangs)
    assert first_limit("load", slowest={}, heard=1000, stopping=110) == (230, hangs)


def test_a_cancelled_job_whose_worker_is_frozen_is_given_up_soon_and_never_while_it_loads() -> None:
    """Importing and loading hold the heartbeat up for long."""
    silent = "it has not shown a sign of life"

    assert first_limit("encode", slowest={}, stopping=102) == (115, silent)
    assert first_limit("denoise", slowest={"denoise": 0.5}, stopping=150) == (150, silent)
    assert first_limit("load", slowest={}, stopping=102) == (160, silent)


def test_asking_twice_for_a_description_is_asking_once(with_worker: Any) -> None:
    """Else a hundred clients that connect while a job runs would hold up the next one."""

    async def ask(worker: LocalWorker) -> None:
        described = []
        worker._on_news = lambda news: described.append(news)
        await worker.start()
        ready = len(described)
        sent = []
        send = worker._send

        async def counted(command: worker_messages.Command) -> None:
            sent.append(type(command).__name__)
            await send(command)

        worker._send = counted  # type: ignore[method-assign]
        for _ in range(100):
            await worker.refresh()
        async with asyncio.timeout(60):
            while len(described) < ready + 2:
                await asyncio.sleep(0.01)

        assert sent == ["Describe", "Describe"], "one that may have begun before the change, and one after it"

    with_worker(ask)
