"""Whatever happens to the database's file, the server starts, and the jobs that were over are there with their layers."""

from __future__ import annotations

import contextlib
import logging
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Failure, Layer
from acetate.server.storage import recovery, tables
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.faults import StoreError
from acetate.server.storage.reconciliation import reconcile
from acetate.server.storage.recovery import carry_over, open_or_recover, set_aside
from acetate.server.storage.rows import JobRow, StoredBlob, Thumbnail
from acetate.server.storage.store import Store

JOBS = [f"job-number-{number:02d}" for number in range(40)]


def fill(folder: Path, jobs: list[str] = JOBS) -> None:
    """A server's folder in which these jobs were run; its database has a log and no connection."""
    store, blobs = Store(folder / "jobs.sqlite"), Blobs(folder / "blobs")
    for job in jobs:
        run(store, blobs, job)
    store._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    store.close()


def run(store: Store, blobs: Blobs, job: str, *, failure: Failure | None = None) -> None:
    message = {"type": "submit", "job": job, "task": "foreground", "parameters": {"prompt": job}}
    store.add(JobRow(job, "session", "engine", "foreground", message, "waiting", False, 0, 1.0, None, 0, None, (), False), ())
    sha256 = f"{JOBS.index(job):02x}" * 32
    Path(blobs.incoming(job)).write_bytes(b"1234")
    blobs.adopt(job, sha256)
    layer = Layer(job, 0, f"layer of {job}", "foreground", 0, 0, 1, 1, Box(0, 0, 9, 9), "rgba8", 4, sha256)
    store.add_layer(layer, StoredBlob(sha256, 4, "rgba8", 1, 1), Thumbnail(30, 30, bytes(range(225)) * 16))
    store.end(job, "failed" if failure else "finished", 1.0, failure)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    fill(folder)
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """The folder of a server that ran all jobs."""
    shutil.copytree(filled, tmp_path / "home")
    return tmp_path / "home"


def start(folder: Path, lost_seconds: float = 1000) -> tuple[Store, Blobs]:
    store, blobs = Store(folder / "jobs.sqlite"), Blobs(folder / "blobs")
    reconcile(store, blobs, lost_seconds)
    return store, blobs


def zero(page: int) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[page * 4096 : (page + 1) * 4096] = bytes(4096)
        path.write_bytes(data)

    return change


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def older(path: Path) -> None:
    path.unlink()
    (path.parent / "other").mkdir()
    fill(path.parent / "other", JOBS[:3])
    (path.parent / "other" / "jobs.sqlite").rename(path)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "junk": lambda path: path.write_bytes(b"hello" * 1000),
    "junk after the header": lambda path: path.write_bytes(path.read_bytes()[:100] + b"hello" * 10000),
    "emptied": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "cut in a page": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "folder": folder_instead,
    "an older one": older,
    "first page zeroed": zero(0),
    **{f"page {page} zeroed": zero(page) for page in range(1, 40, 3)},
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_after_any_damage_every_layer_is_in_the_history_and_on_disk(damage: Callable[[Path], object], folder: Path) -> None:
    damage(folder / "jobs.sqlite")
    store, blobs = start(folder)

    assert {row.job: row.message["parameters"]["prompt"] for row in store.history(None, 99)} == {job: job for job in JOBS}
    for job in JOBS:
        (layer,) = store.layers(job)
        assert layer.name == f"layer of {job}" and blobs.has(layer.sha256) and store.blob(layer.sha256) is not None
        assert store.thumbnails(job)[0].width == 30
    assert blobs.lost() == set()
    store.close()


def test_a_damaged_database_is_kept_under_a_name_that_says_when_and_the_person_is_told(folder: Path) -> None:
    (folder / "jobs.sqlite").write_bytes(b"hello" * 1000)
    store, _ = start(folder)
    (aside,) = folder.glob("jobs.damaged-20*.sqlite")

    assert aside.read_bytes() == b"hello" * 1000
    assert str(aside) in store.notices[0] and "40 jobs" in store.notices[1]
    store.close()
    again, _ = start(folder)
    assert again.notices == [], "it is said once"
    again.close()


def test_two_in_one_second_have_different_names(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        (tmp_path / "jobs.sqlite").write_bytes(b"x")
        names.add(set_aside(tmp_path / "jobs.sqlite"))

    assert len(names) == 3 and all(path.exists() for path in names)


def test_the_log_goes_with_its_database(tmp_path: Path) -> None:
    """A new database would take a log of its name for its own."""
    (tmp_path / "jobs.sqlite").write_bytes(b"x")
    (tmp_path / "jobs.sqlite-wal").write_bytes(b"y")
    aside = set_aside(tmp_path / "jobs.sqlite")

    assert Path(f"{aside}-wal").read_bytes() == b"y" and list(tmp_path.glob("jobs.sqlite*")) == []


@pytest.mark.parametrize("page", range(2, 40, 4))
def test_without_records_most_jobs_are_read_from_around_the_damage(page: int, folder: Path) -> None:
    zero(page)(folder / "jobs.sqlite")
    path = folder / "jobs.sqlite"
    for record in (folder / "records").iterdir():
        record.unlink()
    store, blobs = start(folder)

    assert len(store.history(None, 99)) >= len(JOBS) - 12, "a page of rows, or none"
    assert len(blobs.all() | blobs.lost()) == len(JOBS), "and no pixels are lost"
    assert path.is_file()
    store.close()


def test_layers_whose_jobs_are_lost_become_jobs(folder: Path) -> None:
    with sqlite3.connect(folder / "jobs.sqlite") as old:
        old.execute("DELETE FROM jobs WHERE job != ?", (JOBS[0],))
    old.close()
    db, _ = open_or_recover(folder / "new.sqlite", 5)

    assert carry_over(folder / "jobs.sqlite", db) == len(JOBS)
    rows = db.execute("SELECT job, state, session FROM jobs WHERE job = ?", (JOBS[7],)).fetchall()
    assert [tuple(row) for row in rows] == [(JOBS[7], "finished", "recovered")]
    db.close()


def test_a_later_version_is_neither_set_aside_nor_opened(tmp_path: Path) -> None:
    fill(tmp_path, JOBS[:1])
    with sqlite3.connect(tmp_path / "jobs.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="later release"):
        Store(tmp_path / "jobs.sqlite")

    assert list(tmp_path.glob("*damaged*")) == [] and len(list((tmp_path / "blobs").glob("??/*"))) == 1


def test_what_failed_to_be_read_while_the_server_ran_is_set_aside_at_the_next_start(folder: Path) -> None:
    """A large database may not have been checked to its end."""
    before = Store(folder / "jobs.sqlite")
    before.distrust()
    before.close()
    store, _ = start(folder)

    assert len(list(folder.glob("jobs.damaged-*.sqlite"))) == 1 and len(store.history(None, 99)) == len(JOBS)
    store.close()
    again, _ = start(folder)
    assert len(list(folder.glob("jobs.damaged-*.sqlite"))) == 1, "once"
    again.close()


def test_a_database_that_cannot_be_replaced_is_left_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zero(3)(folder / "jobs.sqlite")
    before = (folder / "jobs.sqlite").read_bytes()

    def busy(self: Path, target: object) -> None:
        raise PermissionError("in use")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", busy)
        with pytest.raises(StoreError, match="cannot be replaced: in use. Nothing was changed"):
            Store(folder / "jobs.sqlite")
    assert (folder / "jobs.sqlite").read_bytes() == before
    store, _ = start(folder)
    assert len(store.history(None, 99)) == len(JOBS)
    store.close()


def test_records_are_compared_also_when_the_start_that_recovered_was_killed(folder: Path) -> None:
    zero(2)(folder / "jobs.sqlite")
    Store(folder / "jobs.sqlite").close()  # and killed before its jobs were looked at
    store, _ = start(folder)
    assert {row.session for row in store.history(None, 99)} == {"session"} and len(store.history(None, 99)) == len(JOBS)
    store.close()
    again, _ = start(folder)
    assert not again.was_damaged
    again.close()


@pytest.mark.parametrize("moment", range(8))
def test_a_recovery_that_was_killed_at_any_moment_is_done_by_the_next_start(
    moment: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also without records: what was read from the damaged file is not lost with the attempt."""
    for record in (folder / "records").iterdir():
        record.unlink()
    zero(2)(folder / "jobs.sqlite")
    left, rename, put = [moment], Path.rename, tables.put

    class KilledError(BaseException):
        pass

    def counted(function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise KilledError
            return function(*arguments)

        return call

    with monkeypatch.context() as patched, contextlib.suppress(KilledError):
        patched.setattr(Path, "rename", counted(rename))
        patched.setattr(recovery, "put", counted(put))
        Store(folder / "jobs.sqlite").close()
    store, blobs = start(folder)

    assert len(store.history(None, 99)) >= len(JOBS) - 12
    assert len(blobs.all() | blobs.lost()) == len(JOBS)
    assert len(list(folder.glob("jobs.damaged-*.sqlite"))) == 1 and not (folder / "jobs.sqlite.new").exists()
    store.close()


def test_the_damage_is_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(b"hello" * 1000)
    with caplog.at_level(logging.WARNING):
        Store(tmp_path / "jobs.sqlite").close()

    assert [record.message for record in caplog.records] == ["the database is damaged", "the database was replaced"]
