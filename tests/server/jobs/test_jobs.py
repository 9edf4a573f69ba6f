"""Jobs from their acceptance to their end, as the connections that watch them are told; no runner and no socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Failure, Parameters, ProtocolError
from acetate.protocol.messages import Attach, Export, Submit
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.jobs.jobs import Jobs
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store

END = "that is all"
A, B, C = (f"job-number-{number}" for number in "123")


class House:
    """The jobs of a server over a folder, and the connections to it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.blobs = Blobs(folder / "blobs")
        self.jobs = Jobs(Settings(folder=folder, **settings), Store(folder / "jobs.sqlite"), self.blobs)

    def client(self, session: str = "a-session") -> Subscriber:
        return Subscriber(session, "a test", "raw", Outbox(100), self.blobs)


async def told(client: Subscriber) -> list[dict[str, Any]]:
    """Every message that waits for a connection."""
    client.outbox.ordered(END)
    found = []
    while (frame := await client.outbox.take()) != END:
        assert isinstance(frame, str)
        found.append(json.loads(frame))
    return found


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


def played(scene: Callable[[House], Awaitable[None]], folder: Path, **settings: Any) -> None:
    async def play() -> None:
        await scene(House(folder, **settings))

    asyncio.run(play())


def test_a_job_is_told_from_its_place_in_the_queue_to_its_end(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        client = house.client()
        house.jobs.accept(client, Submit(A, "foreground"))
        job = house.jobs.take("engine")
        assert job is not None and job.id == A and house.jobs.take("engine") is None
        house.jobs.end(job, "finished", notes=["a note"])

        assert kinds(await told(client)) == ["queued", "started", "finished"]
        assert house.jobs.store.get(A).state == "finished"

    played(scene, tmp_path)


def test_whoever_waits_is_told_when_those_before_have_gone(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        first, second = house.client("one"), house.client("two")
        house.jobs.accept(first, Submit(A, "foreground"))
        house.jobs.accept(second, Submit(B, "foreground"))
        assert [message["position"] for message in await told(second)] == [1]
        house.jobs.take("engine")

        assert [message["position"] for message in await told(second)] == [0]

    played(scene, tmp_path)


def test_the_same_job_submitted_again_is_only_watched_again(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        first, second = house.client(), house.client()
        house.jobs.accept(first, Submit(A, "foreground"))
        house.jobs.accept(second, Submit(A, "foreground"))
        assert len(house.jobs.queues["engine"].order()) == 1
        job = house.jobs.take("engine")
        assert job is not None
        house.jobs.end(job, "cancelled")

        assert kinds(await told(first))[-1] == kinds(await told(second))[-1] == "cancelled"

    played(scene, tmp_path)


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_is_asked_to_stop(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        client = house.client()
        house.jobs.accept(client, Submit(A, "foreground"))
        house.jobs.accept(client, Submit(B, "foreground"))
        running = house.jobs.take("engine")
        assert running is not None
        house.jobs.cancel(B)
        house.jobs.cancel(A)

        assert running.stopping and house.jobs.stop_requested[A].is_set()
        ends = [message for message in await told(client) if message["type"] == "cancelled"]
        assert [message["job"] for message in ends] == [B], "the running one ends when its runner says so"
        with pytest.raises(ProtocolError, match="no job"):
            house.jobs.cancel(C)

    played(scene, tmp_path)


def test_a_job_without_keep_ends_with_its_connection_and_others_do_not(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        client, look = house.client(), house.client("another")
        house.jobs.accept(client, Submit(A, "foreground", keep=False))
        house.jobs.accept(client, Submit(B, "foreground", keep=True))
        house.jobs.attach(look, Attach(A))
        house.jobs.gone(client)

        assert house.jobs.store.get(A).state == "cancelled" and house.jobs.store.get(B).state == "waiting"
        assert kinds(await told(look))[-1] == "cancelled"
        before = await told(client)
        job = house.jobs.take("engine")
        assert job is not None and job.id == B
        assert kinds(before)[-1] == "queued" and await told(client) == [], "nobody is told through it any more"

    played(scene, tmp_path)


def test_replacing_cancels_what_waits_of_the_same_session_alone(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        house.jobs.accept(house.client(), Submit(A, "foreground"))
        house.jobs.accept(house.client("another"), Submit(B, "foreground"))
        house.jobs.accept(house.client(), Submit(C, "foreground", priority="replace"))

        assert [house.jobs.store.get(job).state for job in (A, B, C)] == ["cancelled", "waiting", "waiting"]

    played(scene, tmp_path)


def test_more_jobs_than_the_server_takes_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        house.jobs.accept(house.client(), Submit(A, "foreground"))
        with pytest.raises(ProtocolError, match="1 jobs wait already") as refused:
            house.jobs.accept(house.client("another"), Submit(B, "foreground"))

        assert refused.value.failure.code == "too-many"
        assert house.jobs.store.get(B) is None and house.jobs.queues["engine"].order() == [A]

    played(scene, tmp_path, jobs=1)


def test_a_job_that_lost_its_runner_has_its_turn_again_before_others(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        client = house.client()
        for job_id in (A, B):
            house.jobs.accept(client, Submit(job_id, "foreground"))
        job = house.jobs.take("engine")
        assert job is not None
        house.jobs.retry(job)
        again = house.jobs.take("engine")

        assert again is job and again.attempt == 2

    played(scene, tmp_path)


def test_after_a_start_the_interrupted_job_comes_first_and_one_without_keep_is_over(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        for job_id, keep in ((A, False), (B, True), (C, True)):
            house.jobs.accept(house.client(), Submit(job_id, "foreground", keep=keep))
        house.jobs.cancel(A)
        house.jobs.accept(house.client("brief"), Submit(A + "-again", "foreground", keep=False))
        running = house.jobs.take("engine")
        assert running is not None
        next_start = House(house.folder)

        assert next_start.jobs.queues["engine"].order()[0] == running.id
        assert next_start.jobs.store.get(A + "-again").state == "cancelled"
        assert next_start.jobs.work["engine"].is_set()

    played(scene, tmp_path)


def test_a_stored_job_of_another_version_fails_instead_of_stopping_the_start(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        house.jobs.accept(house.client(), Submit(A, "foreground"))
        row = house.jobs.store.get(A)
        house.jobs.store.delete([A])
        house.jobs.store.add(replace(row, message={"type": "paint", "job": A}), [])
        next_start = House(house.folder)

        assert next_start.jobs.store.get(A).state == "failed"
        assert next_start.jobs.queues["engine"].order() == []

    played(scene, tmp_path)


def test_whoever_attaches_later_is_told_the_end_with_its_failure(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        house.jobs.accept(house.client(), Submit(A, "foreground"))
        job = house.jobs.take("engine")
        assert job is not None
        house.jobs.end(job, "failed", Failure("out-of-memory", "the kite was too large"))
        late = house.client()
        house.jobs.attach(late, Attach(A))

        (end,) = await told(late)
        assert end["type"] == "failed" and end["failure"]["code"] == "out-of-memory"
        with pytest.raises(ProtocolError, match="no job"):
            house.jobs.attach(late, Attach(B))

    played(scene, tmp_path)


def test_lines_name_what_runs_then_what_waits_then_what_nobody_has_acknowledged(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        client = house.client()
        for job_id in (A, B, C):
            house.jobs.accept(client, Submit(job_id, "foreground", Parameters(prompt=job_id)))
        over = house.jobs.take("engine")
        assert over is not None
        house.jobs.end(over, "finished")
        house.jobs.take("engine")

        assert [(line.state, line.prompt) for line in house.jobs.lines()] == [("running", B), ("waiting", C), ("finished", A)]
        house.jobs.acknowledge(A)
        assert [line.job for line in house.jobs.lines()] == [B, C]

    played(scene, tmp_path)


def test_a_job_that_is_not_over_is_not_discarded(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        house.jobs.accept(house.client(), Submit(A, "foreground"))
        with pytest.raises(ProtocolError, match="is not over"):
            house.jobs.discard(A)
        house.jobs.cancel(A)
        house.jobs.discard(A)

        assert house.jobs.store.get(A) is None

    played(scene, tmp_path)


def test_documents_have_a_queue_of_their_own(tmp_path: Path) -> None:
    async def scene(house: House) -> None:
        house.jobs.accept(house.client(), Submit(A, "foreground"))
        house.jobs.accept(house.client(), Export(B, (A,), "psd"))

        assert [house.jobs.queues[lane].order() for lane in ("engine", "documents")] == [[A], [B]]
        job = house.jobs.take("documents")
        assert job is not None and job.task == "export"

    played(scene, tmp_path)
