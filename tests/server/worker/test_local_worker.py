"""A real worker process with the fake engine: why it died, and that its replacement works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Parameters
from acetate.protocol.messages import Submit
from acetate.server.settings import FAKE_ENGINE, Settings
from acetate.server.worker import local_worker, post_mortem, worker_messages
from acetate.server.worker.local_worker import LocalWorker, engine_command
from acetate.server.worker.runner import RunnerLostError

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


def test_linux_counts_its_kills() -> None:
    assert post_mortem.oom_kills() >= 0
