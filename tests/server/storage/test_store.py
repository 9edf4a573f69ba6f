from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Failure, Layer
from acetate.server.storage.retention import Retention
from acetate.server.storage.rows import JobRow, StoredBlob, Thumbnail
from acetate.server.storage.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "jobs.sqlite")


def add(store: Store, job: str, *, inputs: tuple[str, ...] = (), lane: str = "engine") -> None:
    message = {"type": "submit", "job": job, "task": "foreground"}
    store.add(
        JobRow(job, "session", lane, "foreground", message, "waiting", False, 0, time.time(), None, 0, None, (), False), inputs
    )


def layer(job: str, index: int = 0, sha256: str = "a" * 64, size: int = 100) -> tuple[Layer, StoredBlob]:
    message = Layer(job, index, "a kite", "foreground", 1, 2, 5, 5, Box(0, 0, 9, 9), "rgba8", size, sha256)
    return message, StoredBlob(sha256, size, "rgba8", 5, 5)


def finished(store: Store, job: str, sha256: str, size: int = 1000, *, acknowledged: bool = True) -> None:
    add(store, job)
    store.add_layer(*layer(job, 0, sha256, size), None)
    store.end(job, "finished", 1.0)
    if acknowledged:
        store.acknowledge(job)


def evict(store: Store, history: float = 0, uploads: float = 0, **kept: Any) -> list[str]:
    return store.evict(Retention(history_bytes=history, upload_bytes=uploads, **kept))


def test_a_job_is_there_after_the_process_died(tmp_path: Path) -> None:
    """Nothing is closed or flushed: another connection sees what was committed."""
    first = Store(tmp_path / "jobs.sqlite")
    add(first, "job-1")
    add(first, "job-2")
    first.set_state("job-2", "running")

    assert [row.job for row in Store(tmp_path / "jobs.sqlite").unfinished()] == ["job-1", "job-2"]


def test_a_layer_that_is_made_twice_is_stored_once(store: Store) -> None:
    add(store, "job-1")
    store.add_layer(*layer("job-1"), Thumbnail(1, 1, b"1234"))
    store.add_layer(*layer("job-1", sha256="b" * 64), None)

    assert [found.sha256 for found in store.layers("job-1")] == ["a" * 64]
    assert store.thumbnails("job-1") == {0: Thumbnail(1, 1, b"1234")}


def pictures(store: Store, job: str, count: int) -> None:
    """A finished job of several candidates, each with pixels of its own."""
    add(store, job)
    for number in range(count):
        made, blob = layer(job, sha256=f"{number}" * 64)
        store.add_layer(replace(made, index=number, picture=number), blob, Thumbnail(1, 1, b"1234"))
    store.end(job, "finished")


def test_a_picture_of_a_job_is_deleted_with_its_pixels_and_thumbnail_alone(store: Store) -> None:
    pictures(store, "job-1", 3)

    assert store.delete_layers("job-1", [1]) == ["1" * 64]
    assert [one.index for one in store.layers("job-1")] == [0, 2] == list(store.thumbnails("job-1"))
    assert store.blob("1" * 64) is None and store.blob("0" * 64) is not None
    assert store.delete(["job-1"]) == ["0" * 64, "2" * 64]


def test_the_pixels_of_a_deleted_picture_stay_where_another_has_the_same(store: Store) -> None:
    pictures(store, "job-1", 2)
    pictures(store, "job-2", 1)

    assert store.delete_layers("job-1", [0, 1]) == ["1" * 64]


def test_a_marked_picture_keeps_its_job_in_the_history_until_the_mark_is_gone(store: Store) -> None:
    pictures(store, "job-1", 2)
    pictures(store, "job-2", 2)
    store.acknowledge("job-1")
    store.acknowledge("job-2")
    store.star("job-1", [1], True)
    assert store.starred("job-1") == {1}
    evict(store, history=0)

    assert [row.job for row in store.history(None, 9)] == ["job-1"]
    store.star("job-1", [1], False)
    evict(store, history=0)
    assert store.history(None, 9) == []


def test_the_history_comes_in_pages_newest_first(store: Store) -> None:
    for number in range(5):
        finished(store, f"job-{number}", f"{number}" * 64)
    add(store, "job-empty")
    store.end("job-empty", "failed", failure=Failure("internal", "no layers"))
    page = store.history(None, 2)

    assert [row.job for row in page] == ["job-4", "job-3"]
    assert [row.job for row in store.history("job-3", 9)] == ["job-2", "job-1", "job-0"]
    assert store.history("unknown", 9) == []


def test_an_ending_keeps_its_reason(store: Store) -> None:
    add(store, "job-1")
    store.end("job-1", "failed", 2.5, Failure("out-of-memory", "8 GB", "smaller"), ["a note"])
    row = store.get("job-1")

    assert row is not None
    assert (row.state, row.seconds, row.failure, row.notes) == (
        "failed",
        2.5,
        Failure("out-of-memory", "8 GB", "smaller"),
        ("a note",),
    )


def test_the_oldest_acknowledged_jobs_go_first(store: Store) -> None:
    finished(store, "job-0", "0" * 64, acknowledged=False)
    for number in range(1, 5):
        finished(store, f"job-{number}", f"{number}" * 64)
    gone = evict(store, 4 * 2024)

    assert sorted(gone) == ["1" * 64]
    assert [row.job for row in store.history(None, 9)] == ["job-4", "job-3", "job-2", "job-0"]


def test_what_nobody_has_taken_goes_only_after_a_long_time(store: Store) -> None:
    finished(store, "job-0", "0" * 64, acknowledged=False)

    assert evict(store, unacknowledged_before=time.time() - 60) == []
    assert evict(store, unacknowledged_before=time.time() + 60) == ["0" * 64]
    assert store.get("job-0") is None


def test_a_blob_that_two_jobs_share_stays_with_the_second(store: Store) -> None:
    finished(store, "job-0", "0" * 64)
    finished(store, "job-1", "0" * 64)

    assert store.delete(["job-0"]) == []
    assert store.delete(["job-1"]) == ["0" * 64]
    assert store.blob("0" * 64) is None


def test_uploads_stay_while_a_job_needs_them(store: Store) -> None:
    store.keep_upload(StoredBlob("c" * 64, 500, "rgba8", 5, 5))
    add(store, "job-1", inputs=("c" * 64,))
    assert evict(store, 0, 0) == []
    store.end("job-1", "cancelled")

    assert evict(store, 0, 500) == [], "a recent upload stays for the next job"
    assert evict(store, 0, 499) == ["c" * 64]


def test_the_uploads_used_longest_ago_go_first(store: Store) -> None:
    for name in "cde":
        store.keep_upload(StoredBlob(name * 64, 100, "rgba8", 5, 5))
    store.touch("c" * 64)

    assert evict(store, 0, 200) == ["d" * 64]


def test_an_upload_of_this_moment_stays_for_the_submit_that_is_on_its_way(store: Store) -> None:
    """Pictures of one submit come one after the other; beyond twice the limit nobody's are spared."""
    for name in "cde":
        store.keep_upload(StoredBlob(name * 64, 100, "rgba8", 5, 5))

    assert evict(store, 0, 150, fresh_after=time.time() - 60) == []
    assert evict(store, 0, 149, fresh_after=time.time() - 60) == ["c" * 64]
    assert evict(store, 0, 149, fresh_after=time.time() + 60) == ["d" * 64]


def test_the_numbering_goes_on_after_deletions(store: Store) -> None:
    finished(store, "job-0", "0" * 64)
    store.delete(["job-0"])
    finished(store, "job-1", "1" * 64)
    finished(store, "job-2", "2" * 64)

    assert [row.job for row in store.history(None, 9)] == ["job-2", "job-1"]


def test_a_result_that_was_also_uploaded_stays_as_an_upload(store: Store) -> None:
    finished(store, "job-0", "0" * 64)
    store.keep_upload(StoredBlob("0" * 64, 1000, "rgba8", 5, 5))

    assert store.delete(["job-0"]) == []
    assert evict(store, 0, 999) == ["0" * 64]


def test_layers_of_files_are_no_history_and_go_after_their_time(store: Store) -> None:
    add(store, "job-0", lane="documents")
    store.add_layer(*layer("job-0"), None)
    store.end("job-0", "finished")

    assert store.history(None, 9) == [] and store.unacknowledged() == []
    assert evict(store, 10**9, 0) == []
    assert evict(store, 10**9, 0, documents_before=time.time() + 1) == ["a" * 64]


def test_a_long_history_costs_no_time(store: Store) -> None:
    """Every job that ends looks whether something has to go: of what lies there it only adds up the sizes."""
    instructions = 0

    def count() -> int:
        nonlocal instructions
        instructions += 1
        return 0

    def looking() -> int:
        """How many instructions SQLite carries out."""
        nonlocal instructions
        instructions = 0
        store._db.set_progress_handler(count, 1)
        evict(store, 10**9, 10**9)
        store._db.set_progress_handler(None, 0)
        return instructions

    finished(store, "job", "a" * 64, 10)
    one = looking()
    for number in range(100):
        finished(store, f"job-{number}", f"{number:064d}", 10)

    assert 0 < looking() - one < 100 * 20
