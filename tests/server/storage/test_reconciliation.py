"""Database, records and blobs are brought together at a start, and nothing is deleted that was not lost for long."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from acetate.protocol import Box, Failure, Layer
from acetate.server.storage import reconciliation
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.reconciliation import reconcile
from acetate.server.storage.store import JobRow, Store, StoredBlob

ONE, TWO = "job-number-1", "job-number-2"


def start(folder: Path, lost_seconds: float = 1000) -> tuple[Store, Blobs]:
    store, blobs = Store(folder / "jobs.sqlite"), Blobs(folder / "blobs")
    reconcile(store, blobs, lost_seconds)
    return store, blobs


def wait(store: Store, job: str) -> None:
    message = {"type": "submit", "job": job, "task": "foreground"}
    row = JobRow(job, "session", "engine", "foreground", message, "waiting", False, 0, time.time(), None, 0, None, (), False)
    store.add(row, ())


def run(store: Store, blobs: Blobs, job: str, sha256: str = "a" * 64) -> None:
    wait(store, job)
    bring(blobs, sha256)
    layer = Layer(job, 0, "kite", "foreground", 0, 0, 1, 1, Box(0, 0, 9, 9), "rgba8", 4, sha256)
    store.add_layer(layer, StoredBlob(sha256, 4, "rgba8", 1, 1), None)
    store.end(job, "finished", 1.0)


def bring(blobs: Blobs, sha256: str) -> None:
    Path(blobs.incoming("made")).write_bytes(b"1234")
    blobs.adopt("made", sha256)


def lose_rows(store: Store) -> None:
    store._db.execute("DELETE FROM jobs")
    store._db.execute("DELETE FROM blobs")
    store.close()


def test_what_nothing_knows_is_lost_stays_for_its_time_and_goes(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    bring(blobs, "e" * 64)
    store.close()
    store, blobs = start(tmp_path)
    assert blobs.lost() == {"e" * 64} and blobs.all() == set()
    lost = tmp_path / "blobs/lost" / ("e" * 64)
    os.utime(lost, (time.time() - 500,) * 2)
    store.close()
    store, blobs = start(tmp_path, lost_seconds=1000)
    assert blobs.lost() == {"e" * 64}
    store.close()
    store, blobs = start(tmp_path, lost_seconds=400)

    assert blobs.lost() == set()
    store.close()


def test_an_old_file_is_lost_from_now_on_and_not_since_it_was_made(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    bring(blobs, "e" * 64)
    os.utime(blobs.path("e" * 64), (0, 0))
    store.close()
    store, blobs = start(tmp_path, lost_seconds=1000)

    assert blobs.lost() == {"e" * 64}
    store.close()


def test_when_the_right_database_is_back_so_are_the_files(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    run(store, blobs, ONE)
    store.close()
    (tmp_path / "records" / f"{ONE}.json").unlink()
    for name in ("jobs.sqlite", "jobs.sqlite-wal", "jobs.sqlite-shm"):
        if (tmp_path / name).exists():
            (tmp_path / name).rename(tmp_path / f"away-{name}")
    store, blobs = start(tmp_path)
    assert store.history(None, 9) == [] and blobs.lost() == {"a" * 64}
    store.close()
    for path in tmp_path.glob("away-*"):
        path.rename(tmp_path / path.name.removeprefix("away-"))
    store, blobs = start(tmp_path)

    assert blobs.lost() == set() and os.path.isfile(blobs.path("a" * 64))
    assert [row.job for row in store.history(None, 9)] == [ONE]
    store.close()


def test_a_job_that_only_its_record_knows_is_restored_and_told_of(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    run(store, blobs, ONE)
    lose_rows(store)
    store, blobs = start(tmp_path)

    assert [row.job for row in store.history(None, 9)] == [ONE] and blobs.lost() == set()
    assert store.notices == ["1 jobs that the database did not know were restored from their records."]
    store.close()


def test_a_restored_job_makes_way_for_a_new_one_of_its_number(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    run(store, blobs, ONE)
    store._db.execute("DELETE FROM jobs")
    run(store, blobs, TWO)
    store.close()
    store, _ = start(tmp_path)

    assert {row.job for row in store.history(None, 9)} == {ONE, TWO}
    store.close()


def test_a_job_that_was_told_as_over_does_not_run_again_though_the_database_says_it_waits(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    wait(store, ONE)
    store.end(ONE, "failed", 1.0, Failure("out-of-memory", "8 GB"))
    store._db.execute("UPDATE jobs SET state = 'running', failure = NULL")  # as an older copy of the database says
    store.close()
    store, blobs = start(tmp_path)

    assert store.unfinished() == []
    assert (row := store.get(ONE)) is not None and row.failure == Failure("out-of-memory", "8 GB")
    store.close()


def test_a_job_whose_pixels_are_not_there_is_left_for_the_day_they_are(tmp_path: Path) -> None:
    """The folder of blobs may be on a disk that is not mounted."""
    store, blobs = start(tmp_path)
    run(store, blobs, ONE)
    lose_rows(store)
    (tmp_path / "blobs").rename(tmp_path / "unmounted")
    store, _ = start(tmp_path)
    assert store.get(ONE) is None
    store.close()
    for path in (tmp_path / "unmounted").iterdir():
        if len(path.name) == 2:
            path.rename(tmp_path / "blobs" / path.name)
    store, _ = start(tmp_path)

    assert store.get(ONE) is not None
    store.close()


def test_what_was_deleted_does_not_come_back(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    run(store, blobs, ONE)
    for sha256 in store.delete([ONE]):
        blobs.remove(sha256)
    store.close()
    store, blobs = start(tmp_path)

    assert store.get(ONE) is None and store.records.jobs() == set() and blobs.all() == set() == blobs.lost()
    store.close()


def test_jobs_of_before_there_were_records_get_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "MOST_NEW_RECORDS", 1)
    store, blobs = start(tmp_path)
    run(store, blobs, ONE)
    run(store, blobs, TWO)
    wait(store, "job-waiting")
    for path in (tmp_path / "records").iterdir():
        path.unlink()
    reconcile(store, blobs, 1000)
    assert store.records.jobs() == {TWO}, "the newest first, some at each start"
    reconcile(store, blobs, 1000)

    assert store.records.jobs() == {ONE, TWO}
    store.close()


def test_a_record_that_is_damaged_is_passed_over(tmp_path: Path) -> None:
    store, blobs = start(tmp_path)
    run(store, blobs, ONE)
    run(store, blobs, TWO, "b" * 64)
    lose_rows(store)
    (tmp_path / "records" / f"{ONE}.json").write_text('{"jobs": [{"job": ')
    store, blobs = start(tmp_path)

    assert [row.job for row in store.history(None, 9)] == [TWO] and blobs.lost() == {"a" * 64}
    store.close()
