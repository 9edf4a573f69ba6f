"""What is refused before it is a job, and the pages of what has been."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.protocol import Box, Layer, ProtocolError
from acetate.protocol.messages import MAX_REPLY_BYTES, Conditions, Export, ListHistory, ListJobs, Placed, Submit, to_text
from acetate.server.delivery.outbox import Outbox
from acetate.server.delivery.subscriber import Subscriber
from acetate.server.jobs.admission import PAGE_BYTES, MissingImagesError, check_order, tell_history, tell_jobs
from acetate.server.jobs.jobs import JobRegistry
from acetate.server.people.tokens import LOCAL
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.database import Transaction
from acetate.server.storage.rows import JobRow, StoredBlob
from acetate.server.storage.store import Store

JOB, NAME = "job-number-1", "ab" * 32
ANYBODY: Any = SimpleNamespace(sees=lambda person: True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.sqlite")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def keep(store: Store, blobs: Blobs, format: str) -> None:
    """As an upload leaves it."""
    Path(blobs.incoming("one")).write_bytes(bytes(4))
    blobs.adopt("one", NAME)
    store.keep_upload(StoredBlob(NAME, 4, format, 1, 1))


def test_pictures_that_are_not_here_are_named(store: Store, blobs: Blobs) -> None:
    with pytest.raises(MissingImagesError) as missing:
        check_order(ANYBODY, Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)

    assert missing.value.sha256 == (NAME,) and missing.value.failure.code == "unknown-image"
    keep(store, blobs, "rgba8")
    check_order(ANYBODY, Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)


def test_a_picture_whose_bytes_have_gone_is_missing(store: Store, blobs: Blobs) -> None:
    keep(store, blobs, "rgba8")
    blobs.remove(NAME)
    with pytest.raises(MissingImagesError):
        check_order(ANYBODY, Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)


def test_a_file_is_no_condition(store: Store, blobs: Blobs) -> None:
    keep(store, blobs, "file")
    with pytest.raises(ProtocolError, match="must be a picture"):
        check_order(ANYBODY, Submit(JOB, "refine", conditions=Conditions(Placed(NAME))), store, blobs)


@pytest.mark.parametrize(
    ("order", "named"),
    [
        (Submit(JOB, "paint"), "task is 'paint'"),
        (Submit(JOB, "foreground", box=Box(0, 0, 30000, 30000)), "submit.box is 30000 x 30000"),
        (Export(JOB, ("job-number-2",), "psd"), "job-number-2, which is not in the history"),
    ],
    ids=["task", "box", "export"],
)
def test_what_can_be_seen_to_be_wrong_is_refused_by_name(order: Any, named: str, store: Store, blobs: Blobs) -> None:
    with pytest.raises(ProtocolError, match=named):
        check_order(ANYBODY, order, store, blobs)


def row(job: str, finished: float, prompt: str = "a kite") -> JobRow:
    message = {"type": "submit", "job": job, "parameters": {"prompt": prompt}}
    return JobRow(job, "a-session", "engine", "foreground", message, "waiting", False, 0, finished, None, 0, None, (), False)


def test_a_job_that_is_not_over_or_has_no_layers_is_not_exported(store: Store, blobs: Blobs) -> None:
    store.add(row(JOB, 1.0), [])
    with pytest.raises(ProtocolError, match="it must be over"):
        check_order(ANYBODY, Export("job-number-2", (JOB,), "psd"), store, blobs)
    store.end(JOB, "finished")
    with pytest.raises(ProtocolError, match="no job that has layers"):
        check_order(ANYBODY, Export("job-number-2", (JOB,), "psd"), store, blobs)


def test_a_picture_that_no_job_has_is_not_exported(store: Store, blobs: Blobs) -> None:
    store.add(row(JOB, 1.0), [])
    store.add_layer(Layer(JOB, 0, "kite", "foreground", 0, 0, 0, 0, Box(0, 0, 1, 1), "rgba8", 0, "0" * 64), None, None)
    store.end(JOB, "finished")
    check_order(ANYBODY, Export("job-number-2", (JOB,), "psd", pictures=(0,)), store, blobs)
    with pytest.raises(ProtocolError, match="names no picture of these jobs"):
        check_order(ANYBODY, Export("job-number-2", (JOB,), "psd", pictures=(3,)), store, blobs)


def test_a_history_without_layers_is_an_empty_page(store: Store, blobs: Blobs) -> None:
    async def scene() -> None:
        outbox = Outbox(100)
        store.add(replace(row(JOB, 1.0)), [])
        await tell_history(Subscriber(LOCAL, "a-session", "a test", ["raw"], outbox, blobs), store, ListHistory())

        page = json.loads(str(await outbox.take()))
        assert page["type"] == "history" and not page.get("entries") and not page.get("more")

    asyncio.run(scene())


def test_a_page_of_history_with_many_layers_ends_early(store: Store, blobs: Blobs) -> None:
    """Names may be long, and a job has a layer for each of its candidates and more."""
    for number in range(20):
        job = f"job-number-{number:02d}"
        store.add(row(job, 1.0), [])
        for index in range(192):
            box = Box(0, 0, 1, 1)
            store.add_layer(Layer(job, index, "字" * 255, "foreground", 0, 0, 0, 0, box, "rgba8", 0, "0" * 64), None, None)
        store.end(job, "finished")

    async def scene() -> None:
        outbox = Outbox(1000)
        watcher = Subscriber(LOCAL, "a-session", "a test", ["raw"], outbox, blobs)
        seen: list[str] = []
        more = True
        while more:
            asked = ListHistory(before=seen[-1] if seen else None, limit=100, thumbnails=False)
            await tell_history(watcher, store, asked)
            text = str(await asyncio.wait_for(outbox.take(), 60))
            assert len(text.encode()) < MAX_REPLY_BYTES // 2
            page = json.loads(text)
            seen += [entry["job"] for entry in page["entries"]]
            more = page.get("more", False)

        assert seen == [f"job-number-{number:02d}" for number in reversed(range(20))]

    asyncio.run(scene())


def test_the_longest_pages_of_jobs_are_frames_that_every_library_takes(start: Any, listener: Any) -> None:
    jobs, client = start(), listener()
    message = {"type": "submit", "parameters": {"prompt": "\x01" * 300}}
    with Transaction(jobs.store._db):
        for number in range(2500):
            values = (f"{number:064d}", number, "s" * 64, json.dumps(message), time.time())
            jobs.store._db.execute(
                "INSERT INTO jobs (job, number, session, lane, task, message, state, created)"
                " VALUES (?, ?, ?, 'engine', 'extract-foreground', ?, 'finished', ?)",
                values,
            )
    seen: list[str] = []
    more = True
    while more:
        tell_jobs(client, jobs, ListJobs(before=seen[-1] if seen else None))
        (page,) = client.heard()
        assert page.jobs and len(to_text(page).encode()) < PAGE_BYTES < MAX_REPLY_BYTES
        seen += [line.job for line in page.jobs]
        more = page.more

    assert seen == [f"{number:064d}" for number in reversed(range(2500))]


def test_pages_of_jobs_follow_each_other_whatever_is_running_waiting_or_over(
    jobs: JobRegistry, listener: Any, finish: Any
) -> None:
    client = listener()
    for number in range(6):
        jobs.accept(client, Submit(f"job-number-{number}", "foreground"))
    finish(jobs)
    finish(jobs)
    jobs.take("engine")
    client.heard()
    everything = [line.job for line in jobs.lines(client)]
    assert everything == [f"job-number-{number}" for number in (2, 3, 4, 5, 1, 0)]
    for most in (1, 2, 3, 4):
        seen: list[str] = []
        more = True
        while more:
            tell_jobs(client, jobs, ListJobs(before=seen[-1] if seen else None, limit=most))
            (page,) = client.heard()
            seen += [line.job for line in page.jobs]
            more = page.more
        assert seen == everything
