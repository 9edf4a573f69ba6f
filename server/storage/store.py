"""Jobs, layers and history in a database: what must survive a crash of the server. Knows rows; runs nothing.

Every method is one short transaction, so a killed process leaves either all of it or nothing.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from acetate.protocol import Failure, Layer, schema
from acetate.protocol.messages import File, State

from .database import Transaction, open_database

OVER = "state IN ('finished', 'failed', 'cancelled')"
UNUSED = (
    "NOT EXISTS (SELECT 1 FROM layers l WHERE l.sha256 = b.sha256)"
    " AND NOT EXISTS (SELECT 1 FROM inputs i WHERE i.sha256 = b.sha256)"
    " AND NOT EXISTS (SELECT 1 FROM files f WHERE f.sha256 = b.sha256)"
)
"""The condition that nothing refers to a row `b` of `blobs`."""

DOCUMENT_SECONDS = 3600
"""How long results of `insert` and `export` are kept: for a client that reconnects, not as history."""


@dataclass(frozen=True)
class JobRow:
    """A job as it is stored."""

    job: str
    session: str
    lane: str
    task: str
    message: dict[str, Any]
    """The `submit`, `insert` or `export` message as a JSON object."""
    state: State
    front: bool
    crashes: int
    created: float
    finished: float | None
    seconds: float
    failure: Failure | None
    notes: tuple[str, ...]
    acknowledged: bool


@dataclass(frozen=True)
class StoredBlob:
    """A blob as it is stored; `format` is `file` or a pixel format."""

    sha256: str
    bytes: int
    format: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of a job, as straight 8-bit pixels."""

    width: int
    height: int
    rgba: bytes


class Store:
    """The database of jobs. Not thread-safe: it belongs to the server's event loop."""

    def __init__(self, path: Path) -> None:
        """Raises `StoreError` for a file that is not such a database."""
        self._db = open_database(path)

    def close(self) -> None:
        self._db.close()

    # --- the life of a job -------------------------------------------------------------------------------------------

    def add(self, row: JobRow, inputs: Iterable[str]) -> None:
        """Add a job that is accepted; the pictures that it needs are kept until it is over."""
        with Transaction(self._db):
            self._db.execute(
                "INSERT INTO jobs (job, number, session, lane, task, message, state, front, created)"
                " VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM jobs), ?, ?, ?, ?, 'waiting', ?, ?)",
                (row.job, row.session, row.lane, row.task, json.dumps(row.message), row.front, row.created),
            )
            self._db.executemany("INSERT OR IGNORE INTO inputs VALUES (?, ?)", [(row.job, sha256) for sha256 in inputs])

    def get(self, job: str) -> JobRow | None:
        found = self._db.execute("SELECT * FROM jobs WHERE job = ?", (job,)).fetchone()
        return _row(found) if found else None

    def unfinished(self) -> list[JobRow]:
        """All waiting jobs in their order, then interrupted ones."""
        return self._rows("WHERE state IN ('waiting', 'running') ORDER BY state = 'running', number")

    def unacknowledged(self) -> list[JobRow]:
        """The engine's jobs whose results no client has acknowledged; layers of a file can be read again from the file."""
        return self._rows("WHERE state IN ('finished', 'failed') AND lane = 'engine' AND NOT acknowledged ORDER BY number")

    def history(self, before: str | None, limit: int) -> list[JobRow]:
        """Jobs that have layers and are over, newest first."""
        return self._rows(
            "WHERE state IN ('finished', 'failed', 'cancelled') AND lane = 'engine'"
            " AND EXISTS (SELECT 1 FROM layers WHERE layers.job = jobs.job)"
            " AND number < COALESCE((SELECT number FROM jobs WHERE job = ?), ?) ORDER BY number DESC LIMIT ?",
            (before, 2**62 if before is None else 0, limit),
        )

    def set_state(self, job: str, state: State) -> None:
        self._db.execute("UPDATE jobs SET state = ? WHERE job = ?", (state, job))

    def count_crash(self, job: str) -> None:
        self._db.execute("UPDATE jobs SET crashes = crashes + 1 WHERE job = ?", (job,))

    def end(self, job: str, state: State, seconds: float = 0, failure: Failure | None = None, notes: Sequence[str] = ()) -> None:
        """Store the end of a job; its inputs may go."""
        with Transaction(self._db):
            self._db.execute(
                "UPDATE jobs SET state = ?, finished = ?, seconds = ?, failure = ?, notes = ? WHERE job = ?",
                (state, time.time(), seconds, json.dumps(schema.encode(failure)) if failure else None, json.dumps(notes), job),
            )
            self._db.execute("DELETE FROM inputs WHERE job = ?", (job,))

    def acknowledge(self, job: str) -> None:
        self._db.execute("UPDATE jobs SET acknowledged = 1 WHERE job = ?", (job,))

    # --- results -----------------------------------------------------------------------------------------------------

    def add_layer(self, layer: Layer, blob: StoredBlob | None, thumbnail: Thumbnail | None) -> None:
        """Add a finished layer; one that a second run of the job makes again changes nothing."""
        with Transaction(self._db):
            if blob is not None:
                self._keep(blob)
            row = (layer.job, layer.index, json.dumps(schema.encode(layer)), layer.sha256)
            if self._db.execute("INSERT OR IGNORE INTO layers VALUES (?, ?, ?, ?)", row).rowcount:
                self._db.execute("UPDATE jobs SET bytes = bytes + ? WHERE job = ?", (layer.bytes, layer.job))
            if thumbnail is not None:
                self._db.execute(
                    "UPDATE jobs SET thumbnail = ?, thumbnail_width = ?, thumbnail_height = ? WHERE job = ?",
                    (zlib.compress(thumbnail.rgba, 1), thumbnail.width, thumbnail.height, layer.job),
                )

    def layers(self, job: str) -> list[Layer]:
        """The job's layers, in the order of their arrival."""
        found = self._db.execute("SELECT message FROM layers WHERE job = ? ORDER BY idx", (job,))
        return [schema.decode(Layer, json.loads(message), "layer") for (message,) in found]

    def layer(self, job: str, index: int) -> Layer | None:
        found = self._db.execute("SELECT message FROM layers WHERE job = ? AND idx = ?", (job, index)).fetchone()
        return schema.decode(Layer, json.loads(found[0]), "layer") if found else None

    def thumbnail(self, job: str) -> Thumbnail | None:
        found = self._db.execute("SELECT thumbnail, thumbnail_width, thumbnail_height FROM jobs WHERE job = ?", (job,)).fetchone()
        return Thumbnail(found[1], found[2], zlib.decompress(found[0])) if found and found[0] else None

    def add_file(self, file: File) -> None:
        with Transaction(self._db):
            self._keep(StoredBlob(file.sha256, file.bytes, "file", None, None))
            row = (file.job, file.name, file.sha256, json.dumps(file.notes))
            self._db.execute("INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?)", row)
            self._db.execute("UPDATE jobs SET bytes = bytes + ? WHERE job = ?", (file.bytes, file.job))

    def file(self, job: str) -> File | None:
        found = self._db.execute("SELECT * FROM files WHERE job = ?", (job,)).fetchone()
        blob = self.blob(found["sha256"]) if found else None
        return File(job, found["name"], blob.bytes, blob.sha256, tuple(json.loads(found["notes"]))) if blob else None

    # --- blobs -------------------------------------------------------------------------------------------------------

    def keep_upload(self, blob: StoredBlob) -> None:
        """Add a content that a client has uploaded; it stays until uploads are over their limit."""
        with Transaction(self._db):
            self._keep(blob, uploaded=True)

    def blob(self, sha256: str) -> StoredBlob | None:
        found = self._db.execute("SELECT sha256, bytes, format, width, height FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
        return StoredBlob(*found) if found else None

    def touch(self, sha256: str) -> None:
        """Note that a content was used now, so that it is evicted later."""
        self._db.execute("UPDATE blobs SET used = ? WHERE sha256 = ?", (time.time(), sha256))

    def known_blobs(self) -> set[str]:
        return {sha256 for (sha256,) in self._db.execute("SELECT sha256 FROM blobs")}

    def blob_bytes(self) -> int:
        """The bytes of all blobs together."""
        (total,) = self._db.execute("SELECT COALESCE(SUM(bytes), 0) FROM blobs").fetchone()
        return int(total)

    def delete(self, jobs: Iterable[str]) -> list[str]:
        """Delete jobs; returns the blobs that nothing needs any more, and forgets them."""
        with Transaction(self._db):
            return self._delete(jobs)

    def evict(
        self, history_bytes: int, upload_bytes: int, unacknowledged_before: float, fresh_after: float = float("inf")
    ) -> list[str]:
        """Delete history and unused uploads beyond their limits, oldest first; returns the blobs that nothing needs any more."""
        with Transaction(self._db):
            old = self._db.execute(
                "SELECT job FROM jobs WHERE lane = 'documents' AND finished < ?", (time.time() - DOCUMENT_SECONDS,)
            )
            gone = self._delete([job for (job,) in old.fetchall()])
            gone += self._delete(self._beyond_history(history_bytes, unacknowledged_before))
            return gone + self._forget(self._beyond_uploads(upload_bytes, fresh_after))

    def _beyond_history(self, limit: int, unacknowledged_before: float) -> list[str]:
        """The oldest evictable jobs, as many as are needed to come below the limit."""
        (excess,) = self._db.execute(f"SELECT COALESCE(SUM(bytes), 0) - ? FROM jobs WHERE {OVER}", (limit,)).fetchone()
        gone: list[str] = []
        if excess > 0:
            evictable = f"{OVER} AND (acknowledged OR finished < ?) ORDER BY number"
            for job, size in self._db.execute(f"SELECT job, bytes FROM jobs WHERE {evictable}", (unacknowledged_before,)):
                gone.append(job)
                excess -= size
                if excess <= 0:
                    break
        return gone

    def _beyond_uploads(self, limit: int, fresh_after: float) -> list[str]:
        """Uploads that no job refers to and that newer ones have used up the limit for: twice the limit for fresh ones, whose
        submit may be on its way."""
        rows = self._db.execute(f"SELECT sha256, bytes, used FROM blobs b WHERE uploaded AND {UNUSED} ORDER BY used DESC")
        total, gone = 0, []
        for sha256, size, used in rows.fetchall():
            total += size
            if total > (2 * limit if used > fresh_after else limit):
                gone.append(sha256)
        return gone

    def _delete(self, jobs: Iterable[str]) -> list[str]:
        """Delete jobs. Their results stay only if another job has the same, or if they were uploaded as well."""
        freed: list[str] = []
        for job in jobs:
            found = "SELECT sha256 FROM layers WHERE job = ? UNION SELECT sha256 FROM files WHERE job = ?"
            results = [sha256 for (sha256,) in self._db.execute(found, (job, job))]
            self._db.execute("DELETE FROM jobs WHERE job = ?", (job,))
            free = f"SELECT 1 FROM blobs b WHERE sha256 = ? AND NOT uploaded AND {UNUSED}"
            freed += self._forget([sha256 for sha256 in results if self._db.execute(free, (sha256,)).fetchone()])
        return freed

    def _forget(self, blobs: list[str]) -> list[str]:
        self._db.executemany("DELETE FROM blobs WHERE sha256 = ?", [(sha256,) for sha256 in blobs])
        return blobs

    # --- small notes -------------------------------------------------------------------------------------------------

    def note(self, name: str) -> Any:
        """The value kept under a name by `set_note`; `None` if there is none."""
        found = self._db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return json.loads(found[0]) if found else None

    def set_note(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, json.dumps(value)))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _rows(self, where: str, values: tuple[Any, ...] = ()) -> list[JobRow]:
        return [_row(found) for found in self._db.execute(f"SELECT * FROM jobs {where}", values).fetchall()]

    def _keep(self, blob: StoredBlob, *, uploaded: bool = False) -> None:
        self._db.execute(
            "INSERT INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET"
            " used = excluded.used, uploaded = MAX(uploaded, excluded.uploaded)",
            (blob.sha256, blob.bytes, blob.format, blob.width, blob.height, time.time(), uploaded),
        )


def _row(found: sqlite3.Row) -> JobRow:
    return JobRow(
        job=found["job"],
        session=found["session"],
        lane=found["lane"],
        task=found["task"],
        message=json.loads(found["message"]),
        state=cast(State, found["state"]),
        front=bool(found["front"]),
        crashes=found["crashes"],
        created=found["created"],
        finished=found["finished"],
        seconds=found["seconds"] or 0,
        failure=Failure(**json.loads(found["failure"])) if found["failure"] else None,
        notes=tuple(json.loads(found["notes"] or "[]")),
        acknowledged=bool(found["acknowledged"]),
    )
