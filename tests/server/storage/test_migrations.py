"""The database of every version that ever landed opens, with all that was in it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from acetate.server.storage import migrations
from acetate.server.storage.database import open_database
from acetate.server.storage.faults import StoreError
from acetate.server.storage.migrations import VERSION, columns, migrate, version_of
from acetate.server.storage.retention import Retention
from acetate.server.storage.rows import Thumbnail
from acetate.server.storage.store import Store

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.sql"))
by_schema = pytest.mark.parametrize("schema", SCHEMAS, ids=[path.stem for path in SCHEMAS])


def landed(path: Path, schema: Path) -> Path:
    with sqlite3.connect(path) as db:
        db.executescript(schema.read_text())
    db.close()
    return path


def structure(db: sqlite3.Connection) -> dict[str, object]:
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    indices = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")}
    return {table: sorted(columns(db, table)) for table in tables} | {"indices": indices}


def test_every_version_has_a_schema_here() -> None:
    assert {int(path.stem.split("_")[0]) for path in SCHEMAS} == set(range(1, VERSION + 1))


@by_schema
def test_jobs_and_layers_of_every_version_are_there(schema: Path, tmp_path: Path) -> None:
    store = Store(landed(tmp_path / "jobs.sqlite", schema))

    (over,) = store.history(None, 9)
    assert (over.job, over.message["parameters"]["prompt"], over.person) == ("job-over-0000", "a kite", "local")
    assert [layer.name for layer in store.layers("job-over-0000")] == ["a kite (1)"]
    assert store.thumbnails("job-over-0000") == {0: Thumbnail(1, 1, b"1234")}
    assert [row.job for row in store.unfinished()] == ["job-waiting-0"]
    assert store.note("engine") == {"state": "ready"}
    assert store.evict(Retention(history_bytes=0, upload_bytes=0)) == ["a" * 64], "sizes are known"
    store.close()


@by_schema
def test_every_version_becomes_what_a_new_database_is(schema: Path, tmp_path: Path) -> None:
    old, new = open_database(landed(tmp_path / "old", schema)), open_database(tmp_path / "new")

    assert structure(old) == structure(new) and version_of(old) == version_of(new) == VERSION
    old.close()
    new.close()


def test_a_job_of_the_first_schema_gets_its_size(tmp_path: Path) -> None:
    db = open_database(landed(tmp_path / "jobs.sqlite", SCHEMAS[0]))

    assert [tuple(row) for row in db.execute("SELECT job, bytes FROM jobs ORDER BY number")] == [
        ("job-over-0000", 1124),
        ("job-waiting-0", 1024),
    ]
    db.close()


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(db: sqlite3.Connection) -> None:
        db.execute("CREATE TABLE half (one)")
        raise ZeroDivisionError

    db = sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, fails))
    monkeypatch.setattr(migrations, "VERSION", VERSION + 1)
    with pytest.raises(ZeroDivisionError):
        migrate(db)

    assert version_of(db) == VERSION and columns(db, "half") == []
    db.close()


def test_a_later_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = landed(tmp_path / "jobs.sqlite", SCHEMAS[-1])
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=f"it has version {VERSION + 1}, and this server knows {VERSION}"):
        open_database(path)

    assert path.read_bytes() == before


def test_lists_can_be_of_one_person(tmp_path: Path) -> None:
    store = Store(landed(tmp_path / "jobs.sqlite", SCHEMAS[-1]))
    store._db.execute("UPDATE jobs SET person = 'ada', acknowledged = 0 WHERE job = 'job-over-0000'")

    assert [row.job for row in store.history(None, 9, "ada")] == ["job-over-0000"] == [r.job for r in store.unacknowledged("ada")]
    assert store.history(None, 9, "local") == [] == store.unacknowledged("local")
    assert len(store.history(None, 9)) == 1 == len(store.unacknowledged())
    store.close()
