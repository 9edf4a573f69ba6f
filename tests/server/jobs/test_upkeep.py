"""One end per job, also on a full disk; and limits that hold for results that nobody acknowledges."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Cancelled, Failed, Failure, Finished, Layer, ProtocolError
from acetate.protocol.messages import Attach, Export, Submit
from acetate.server.jobs import upkeep
from acetate.server.jobs.admission import check_order
from acetate.server.jobs.jobs import JobRegistry
from acetate.server.storage.database import Transaction
from acetate.server.storage.store import StoredBlob

ONE, TWO = "job-number-1", "job-number-2"
DISK_FULL = Failure("disk-full", "the disk is full", "Free some space.")


class Disk:
    """Whether changes to the database fail, and how."""

    error: sqlite3.Error | None = None

    def fill(self) -> None:
        self.error = sqlite3.OperationalError("database or disk is full")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk, enter = Disk(), Transaction.__enter__

    def begin(transaction: Transaction) -> None:
        if disk.error is not None:
            raise disk.error
        enter(transaction)

    monkeypatch.setattr(Transaction, "__enter__", begin)
    yield disk


def running(jobs: JobRegistry, client: Any, job: str = ONE) -> Any:
    jobs.accept(client, Submit(job, "foreground"))
    return jobs.take("engine")


@pytest.mark.parametrize(("state", "failure"), [("failed", DISK_FULL), ("cancelled", None), ("finished", None)])
def test_what_was_told_on_a_full_disk_is_what_every_answer_says(
    jobs: JobRegistry, listener: Any, disk: Disk, state: Any, failure: Failure | None
) -> None:
    client, late = listener(), listener()
    job = running(jobs, client)
    disk.fill()
    jobs.end(job, state, failure)
    told = client.told[-1]
    jobs.attach(late, Attach(ONE))

    assert late.told == [told] and type(told) is {"failed": Failed, "cancelled": Cancelled, "finished": Finished}[state]
    assert [(line.job, line.state) for line in jobs.lines(client)] == ([] if state == "cancelled" else [(ONE, state)])
    with pytest.raises(ProtocolError, match="names no job that has layers"):  # and not "which is running"
        check_order(client, Export(TWO, (ONE,), "psd"), jobs.store, jobs.blobs)


@pytest.mark.parametrize("still_full", [True, False])
def test_after_a_start_the_job_that_failed_does_not_run_again(
    start: Callable[..., JobRegistry], listener: Any, disk: Disk, still_full: bool
) -> None:
    before, client, late = start(), listener(), listener()
    job = running(before, client)
    disk.fill()
    before.end(job, "failed", DISK_FULL)
    if not still_full:
        disk.error = None
    after = start()
    after.attach(late, Attach(ONE))

    assert after.take("engine") is None and late.told == [Failed(ONE, DISK_FULL)] == client.told[-1:]


def test_layers_of_a_job_whose_end_is_held_are_in_the_history(jobs: JobRegistry, listener: Any, disk: Disk) -> None:
    client = listener()
    job = running(jobs, client)
    layer = Layer(ONE, 0, "kite", "foreground", 0, 0, 0, 0, Box(0, 0, 1, 1), "rgba8", 0, "0" * 64)
    jobs.store.add_layer(layer, None, None)
    disk.fill()
    jobs.end(job, "failed", DISK_FULL)

    assert [row.state for row in jobs.store.history(None, 9)] == ["failed"]
    check_order(client, Export(TWO, (ONE,), "psd"), jobs.store, jobs.blobs)


def test_an_end_is_stored_as_soon_as_there_is_room(
    jobs: JobRegistry, listener: Any, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anybody asking for anything."""
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0)

    async def scene() -> None:
        stored, tries, attempt = asyncio.Event(), [0], jobs.store.store_held

        def counted() -> bool:
            tries[0] += 1
            if tries[0] == 3:
                disk.error = None
            done = attempt()
            if done:
                stored.set()
            return done

        job = running(jobs, listener())
        disk.fill()
        monkeypatch.setattr(jobs.store, "store_held", counted)
        jobs.end(job, "failed", DISK_FULL)
        await asyncio.wait_for(stored.wait(), 30)

    asyncio.run(scene())
    assert jobs.store.states() == {ONE: "failed"}


def test_the_next_end_takes_those_that_are_held_with_it(jobs: JobRegistry, listener: Any, disk: Disk) -> None:
    client = listener()
    one, two = running(jobs, client), running(jobs, client, TWO)
    disk.fill()
    jobs.end(one, "failed", DISK_FULL)
    assert jobs.store.states() == {ONE: "running", TWO: "running"}
    disk.error = None
    jobs.end(two, "finished")

    assert jobs.store.states() == {ONE: "failed", TWO: "finished"}


def test_a_job_whose_end_is_held_can_be_discarded_and_stays_away(
    start: Callable[..., JobRegistry], listener: Any, disk: Disk
) -> None:
    jobs, client = start(), listener()
    job = running(jobs, client)
    disk.fill()
    jobs.end(job, "failed", DISK_FULL)
    with pytest.raises(sqlite3.OperationalError):
        jobs.discard(client, ONE)
    assert jobs.store.get(ONE) is not None, "it is not forgotten by halves"
    disk.error = None
    jobs.discard(client, ONE)

    assert jobs.store.get(ONE) is None and start().store.get(ONE) is None


def test_a_full_disk_stops_neither_the_queue_nor_a_crash_count(jobs: JobRegistry, listener: Any) -> None:
    client = listener()
    jobs.accept(client, Submit(ONE, "foreground"))
    jobs.store.close()
    job = jobs.take("engine")

    assert job is not None
    jobs.store.count_crash(ONE)
    jobs.retry(job)


def test_a_damaged_database_is_noted_for_the_next_start(jobs: JobRegistry, listener: Any, disk: Disk, tmp_path: Path) -> None:
    client = listener()
    job = running(jobs, client)
    disk.error = sqlite3.DatabaseError("database disk image is malformed")
    disk.error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    jobs.end(job, "finished")

    assert isinstance(client.told[-1], Finished) and (tmp_path / "jobs.sqlite.damaged").exists()


# --- limits ----------------------------------------------------------------------------------------------------------


def made(jobs: JobRegistry, client: Any, job: str, sha256: str, size: int = 1000) -> None:
    running(jobs, client, job)
    Path(jobs.blobs.incoming("made")).write_bytes(bytes(size))
    jobs.blobs.adopt("made", sha256)
    layer = Layer(job, 0, "kite", "foreground", 0, 0, 1, 1, Box(0, 0, 1, 1), "rgba8", size, sha256)
    jobs.store.add_layer(layer, StoredBlob(sha256, size, "rgba8", 1, 1), None)
    jobs.end(jobs._jobs[job], "finished")


def kept(jobs: JobRegistry) -> list[str]:
    return [row.job for row in jobs.store.history(None, 99)]


def test_what_nobody_acknowledges_has_a_limit_of_its_own(start: Callable[..., JobRegistry], listener: Any) -> None:
    jobs, client = start(unacknowledged_bytes=2 * 2024), listener()
    jobs.gone(client)
    for number in range(4):
        made(jobs, client, f"job-number-{number}", f"{number}" * 64)
        jobs.gone(client)
    jobs.evict()

    assert kept(jobs) == ["job-number-3", "job-number-2"]
    assert jobs.blobs.all() == {"3" * 64, "2" * 64}, "and their pixels are gone"


def test_the_newest_results_of_a_connected_client_stay_in_any_case(
    start: Callable[..., JobRegistry], listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, client, other = start(unacknowledged_bytes=0, recent_seconds=60), listener(), listener("another-session")
    made(jobs, client, ONE, "1" * 64)
    made(jobs, other, TWO, "2" * 64)
    assert kept(jobs) == [TWO, ONE]
    jobs.gone(other)
    jobs.evict()
    assert kept(jobs) == [ONE], "its client may be taking it"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    jobs.evict()

    assert kept(jobs) == []


def test_a_running_job_is_not_evicted(start: Callable[..., JobRegistry], listener: Any) -> None:
    jobs, client = start(unacknowledged_bytes=0, history_bytes=0), listener()
    running(jobs, client)
    jobs.gone(client)
    jobs.evict()

    assert jobs.store.get(ONE) is not None
