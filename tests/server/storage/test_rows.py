"""A stored row that cannot be understood hides itself, is said once, and takes nothing else with it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Failure, Layer
from acetate.protocol.messages import File
from acetate.server.storage import rows
from acetate.server.storage.rows import JobRow, StoredBlob, Thumbnail
from acetate.server.storage.store import Store

JOBS = ["job-0", "job-1", "job-2"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Three jobs that failed with a layer."""
    store = Store(tmp_path / "jobs.sqlite")
    for job in JOBS:
        message = {"type": "submit", "job": job, "task": "foreground"}
        row = JobRow(job, "session", "engine", "foreground", message, "waiting", False, 0, time.time(), None, 0, None, (), False)
        store.add(row, ())
        layer = Layer(job, 0, "a kite", "foreground", 1, 2, 5, 5, Box(0, 0, 9, 9), "rgba8", 100, "a" * 64)
        store.add_layer(layer, StoredBlob("a" * 64, 100, "rgba8", 5, 5), Thumbnail(1, 1, b"1234"))
        store.add_file(File(job, "kite.ora", 100, "a" * 64, ("a note",)))
        store.end(job, "failed", 1.0, Failure("internal", "once"), ("a note",))
    store.set_note("engine", {"state": "ready"})
    yield store
    store.close()


def put(store: Store, table: str, column: str, value: Any) -> None:
    store._db.execute(f"UPDATE {table} SET {column} = ? WHERE job = 'job-1'", (value,))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("message", '{"type": "submit"'),
        ("message", "[]"),
        ("message", "null"),
        ("message", "[" * 100_000),
        ("message", b"\xff\xfe"),
        ("state", "paused"),
        ("failure", '{"message": "no code"}'),
        ("failure", "[1]"),
        ("notes", "{"),
        ("notes", "7"),
        ("crashes", "many"),
        ("created", "yesterday"),
    ],
)
def test_a_job_that_cannot_be_read_is_not_there_and_the_others_are(store: Store, column: str, value: Any) -> None:
    put(store, "jobs", column, value)

    assert [row.job for row in store.history(None, 9)] == ["job-2", "job-0"]
    assert store.get("job-1") is None and store.get("job-0") is not None
    assert [row.job for row in store.unacknowledged()] == ["job-2", "job-0"]


def test_a_page_has_its_length_without_what_is_hidden(store: Store) -> None:
    put(store, "jobs", "message", "{")

    assert [row.job for row in store.history(None, 2)] == ["job-2", "job-0"]


def test_a_field_of_a_later_version_is_passed_over(store: Store) -> None:
    layer = json.loads(store._db.execute("SELECT message FROM layers WHERE job = 'job-1'").fetchone()[0])
    put(store, "layers", "message", json.dumps({**layer, "new": 1, "box": {**layer["box"], "depth": 3}}))
    put(store, "jobs", "failure", json.dumps({"code": "internal", "message": "once", "new": []}))

    assert store.layers("job-1") == [Layer(**{**vars(store.layers("job-0")[0]), "job": "job-1"})]
    assert (row := store.get("job-1")) is not None and row.failure == Failure("internal", "once")


@pytest.mark.parametrize("message", ["{}", "{", "[]", '{"job": 7}', b"\xff"])
def test_a_layer_that_cannot_be_read_takes_its_job_out_of_the_history_and_nothing_else(store: Store, message: Any) -> None:
    put(store, "layers", "message", message)

    assert store.layers("job-1") == [] and [row.job for row in store.history(None, 9)] == ["job-2", "job-0"]
    assert store.get("job-1") is not None


@pytest.mark.parametrize(("column", "value"), [("thumbnail", b"no zlib"), ("thumbnail_width", 99), ("thumbnail_height", None)])
def test_a_thumbnail_that_cannot_be_unpacked_is_none(store: Store, column: str, value: Any) -> None:
    put(store, "layers", column, value)

    assert store.thumbnails("job-1") == {} and store.thumbnails("job-0") == {0: Thumbnail(1, 1, b"1234")}
    assert len(store.history(None, 9)) == 3


def test_a_file_that_cannot_be_read_is_none(store: Store) -> None:
    put(store, "files", "notes", "{")

    assert store.file("job-1") is None and store.file("job-0") is not None


def test_a_note_that_cannot_be_read_is_none(store: Store) -> None:
    store._db.execute("UPDATE notes SET value = '{'")

    assert store.note("engine") is None


def test_what_is_hidden_is_said_once(store: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_hidden", set())
    put(store, "jobs", "message", "{")
    for _ in range(5):
        store.history(None, 9)

    assert [(record.message, record.__dict__["job"]) for record in caplog.records] == [("a stored row cannot be read", "job-1")]
