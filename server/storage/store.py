"""Jobs, layers and history in a database: what must survive a crash of the server. Knows rows; runs nothing.

Every method is one short transaction, so a killed process leaves either all of it or nothing. What ends or deletes a job goes
through on a full disk, too: the reserve is for that.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate.protocol import Failure, Layer, schema
from acetate.protocol.messages import File, State

from . import retention
from .database import CHECK_SECONDS, Transaction
from .full_disk import RESERVE_BYTES, HeldEnds, Reserve
from .records import Record, Records
from .recovery import RECOVERED, distrust, open_or_recover
from .retention import OVER, UNUSED, Retention
from .rows import End, JobRow, StoredBlob, Thumbnail, failure_text, file_row, hide, job_row, layer_row, packed, thumbnail_row
from .tables import of_job, replace_job

log = logging.getLogger(__name__)
BEFORE = "(SELECT number FROM jobs WHERE job = ?3 AND (?2 IS NULL OR person = ?2))"  # another person's job is no place in a list


class Store:
    """The database of jobs. Not thread-safe: it belongs to the server's event loop."""

    def __init__(self, path: Path, *, check_seconds: float = CHECK_SECONDS, reserve_bytes: int = RESERVE_BYTES) -> None:
        """Raises `StoreError` for a later version's database or one that cannot be used for now; sets a damaged one aside."""
        self._path = path
        self._db, damage = open_or_recover(path, check_seconds)
        self.was_damaged = self.note(RECOVERED) is True
        self.notices = [damage] if damage else []
        """What the person who started the server should know."""
        self.records = Records(path.with_name("records"))
        self._reserve = Reserve(path.with_name("reserve"), reserve_bytes)
        self._held = HeldEnds(path.with_name("ends"))
        self.store_held()

    def close(self) -> None:
        self._db.close()

    def distrust(self) -> None:
        """Let the next start set the database aside: reading it has failed."""
        distrust(self._path)

    # --- the life of a job -------------------------------------------------------------------------------------------

    def add(self, row: JobRow, inputs: Iterable[str]) -> None:
        """Add a job that is accepted; the pictures that it needs are kept until it is over."""
        with Transaction(self._db):
            self._db.execute(
                "INSERT INTO jobs (job, number, session, lane, task, message, state, front, created, person)"
                " VALUES (?, (SELECT COALESCE(MAX(number), 0) + 1 FROM jobs), ?, ?, ?, ?, 'waiting', ?, ?, ?)",
                (row.job, row.session, row.lane, row.task, json.dumps(row.message), row.front, row.created, row.person),
            )
            self._db.executemany("INSERT OR IGNORE INTO inputs VALUES (?, ?)", [(row.job, sha256) for sha256 in inputs])

    def get(self, job: str) -> JobRow | None:
        found = self._rows("WHERE job = ?", (job,))
        return found[0] if found else None

    def unfinished(self) -> list[JobRow]:
        """All waiting jobs in their order, then interrupted ones."""
        rows = self._rows("WHERE state IN ('waiting', 'running') ORDER BY state = 'running', number")
        return [row for row in rows if row.job not in self._held]

    def unacknowledged(self, person: str | None = None, before: str | None = None, limit: int = -1) -> list[JobRow]:
        """The engine's jobs whose results no client has acknowledged, newest first: those of one person, or of all, that are
        older than the job `before`, at most `limit`. Layers of a file are not among them: they can be read from it again."""
        rows = self._rows(
            "WHERE (state IN ('finished', 'failed') OR job IN (SELECT value FROM json_each(?1))) AND lane = 'engine'"
            " AND NOT acknowledged AND (?2 IS NULL OR person = ?2)"
            f" AND (?3 IS NULL OR number < {BEFORE}) ORDER BY number DESC LIMIT ?4",
            (json.dumps(self._held.jobs()), person, before, limit),
        )
        return [row for row in rows if row.state != "cancelled"]

    def history(self, before: str | None, limit: int, person: str | None = None) -> list[JobRow]:
        """Jobs that have layers and are over, newest first: those of one person, or of all."""
        query = (
            f"SELECT * FROM jobs WHERE ({OVER} OR job IN (SELECT value FROM json_each(?1))) AND lane = 'engine'"
            " AND (?2 IS NULL OR person = ?2) AND EXISTS (SELECT 1 FROM layers WHERE layers.job = jobs.job)"
            f" AND number < COALESCE({BEFORE}, ?4) ORDER BY number DESC"
        )
        values = (json.dumps(self._held.jobs()), person, before, 2**62 if before is None else 0)
        page: list[JobRow] = []
        with contextlib.closing(self._db.execute(query, values)) as found:
            while len(page) < limit and (row := found.fetchone()) is not None:  # one that is hidden takes no place
                if (job := self._job(row)) is not None and self.layers(job.job):
                    page.append(job)
        return page

    def set_state(self, job: str, state: State) -> None:
        """Note whether a job waits or runs."""
        self._hint("UPDATE jobs SET state = ? WHERE job = ?", (state, job))

    def set_front(self, job: str) -> None:
        """Note that a waiting job is to come before the others of its session."""
        self._hint("UPDATE jobs SET front = 1 WHERE job = ?", (job,))

    def count_crash(self, job: str) -> None:
        self._hint("UPDATE jobs SET crashes = crashes + 1 WHERE job = ?", (job,))

    def end(self, job: str, state: State, seconds: float = 0, failure: Failure | None = None, notes: Sequence[str] = ()) -> None:
        """Store the end of a job; its inputs may go."""
        self._store_end(job, End(state, time.time(), seconds, failure, tuple(notes)))

    def hold_end(self, job: str, end: End) -> None:
        """Keep an end that `end` could not store: from now on every answer says so, and so does the next start."""
        self._held.hold(job, end)

    def store_held(self) -> bool:
        """Store the ends that are held; returns whether none is left."""
        for job in self._held.jobs():
            if (end := self._held.get(job)) is not None:
                try:
                    self._store_end(job, end)
                except sqlite3.Error:
                    return False
                self._held.forget(job)
        return True

    def acknowledge(self, job: str) -> None:
        self._reserve.insist(self._db, lambda: self._db.execute("UPDATE jobs SET acknowledged = 1 WHERE job = ?", (job,)))

    # --- results -----------------------------------------------------------------------------------------------------

    def add_layer(self, layer: Layer, blob: StoredBlob | None, thumbnail: Thumbnail | None) -> None:
        """Add a finished layer; one that a second run of the job makes again changes nothing."""
        with Transaction(self._db):
            if blob is not None:
                self._keep(blob)
            small = (None, None, None) if thumbnail is None else packed(thumbnail)
            row = (layer.job, layer.index, json.dumps(schema.encode(layer)), layer.sha256, *small)
            insert = (
                "INSERT OR IGNORE INTO layers (job, idx, message, sha256, thumbnail, thumbnail_width, thumbnail_height)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)"
            )
            if self._db.execute(insert, row).rowcount:
                self._db.execute("UPDATE jobs SET bytes = bytes + ? WHERE job = ?", (layer.bytes, layer.job))

    def layers(self, job: str) -> list[Layer]:
        """The job's layers, in the order of their arrival."""
        found = self._db.execute("SELECT message FROM layers WHERE job = ? ORDER BY idx", (job,))
        layers = [layer_row(job, message) for (message,) in found]
        return [layer for layer in layers if layer is not None]

    def thumbnails(self, job: str) -> dict[int, Thumbnail]:
        """Small pictures of the job's layers, by their indices; before there was one of each, the job had one."""
        query = "SELECT idx, thumbnail, thumbnail_width, thumbnail_height FROM layers WHERE job = ? ORDER BY idx"
        rows = self._db.execute(query, (job,)).fetchall()
        if rows and all(row[1] is None for row in rows):
            old = self._db.execute("SELECT thumbnail, thumbnail_width, thumbnail_height FROM jobs WHERE job = ?", (job,))
            rows = [(rows[0][0], *one) for one in old]
        found = {index: thumbnail_row(job, *columns) for index, *columns in rows}
        return {index: small for index, small in found.items() if small is not None}

    def starred(self, job: str) -> set[int]:
        """The indices of the layers whose pictures are marked."""
        return {index for (index,) in self._db.execute("SELECT idx FROM layers WHERE job = ? AND starred", (job,))}

    def star(self, job: str, indices: Iterable[int], starred: bool) -> None:
        """Mark layers, or take their marks away."""
        update = "UPDATE layers SET starred = ? WHERE job = ? AND idx = ?"
        rows = [(starred, job, index) for index in indices]

        def store() -> None:
            with Transaction(self._db):
                self._db.executemany(update, rows)

        self._reserve.insist(self._db, store)
        self.record(job)

    def delete_layers(self, job: str, indices: Iterable[int]) -> list[str]:
        """Delete some layers of a job; returns the blobs that nothing needs any more, and forgets them."""
        going = list(indices)
        freed = self._reserve.insist(self._db, lambda: self._delete_layers(job, going))
        self.record(job)  # or a restored database would have them again
        return freed

    def add_file(self, file: File) -> None:
        with Transaction(self._db):
            self._keep(StoredBlob(file.sha256, file.bytes, "file", None, None))
            row = (file.job, file.name, file.sha256, json.dumps(file.notes))
            self._db.execute("INSERT OR IGNORE INTO files VALUES (?, ?, ?, ?)", row)
            self._db.execute("UPDATE jobs SET bytes = bytes + ? WHERE job = ?", (file.bytes, file.job))

    def file(self, job: str) -> File | None:
        found = self._db.execute("SELECT * FROM files JOIN blobs USING (sha256) WHERE job = ?", (job,)).fetchone()
        return file_row(found) if found else None

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
        self._hint("UPDATE blobs SET used = ? WHERE sha256 = ?", (time.time(), sha256))

    def known_blobs(self) -> set[str]:
        """Every content that anything refers to."""
        tables = " UNION ".join(f"SELECT sha256 FROM {table}" for table in ("blobs", "layers", "files", "inputs"))
        return {sha256 for (sha256,) in self._db.execute(tables)}

    def blob_bytes(self) -> int:
        """The bytes of all blobs together."""
        (total,) = self._db.execute("SELECT COALESCE(SUM(bytes), 0) FROM blobs").fetchone()
        return int(total)

    def delete(self, jobs: Iterable[str]) -> list[str]:
        """Delete jobs; returns the blobs that nothing needs any more, and forgets them."""
        going = list(jobs)
        return self._reserve.insist(self._db, lambda: self._delete(going))

    def evict(self, kept: Retention) -> list[str]:
        """Delete history and unused uploads beyond their limits, oldest first; returns the blobs that nothing needs any more."""
        self._reserve.fill()
        gone = self.delete(retention.documents_to_go(self._db, kept))
        gone += self.delete(retention.history_to_go(self._db, kept))
        with Transaction(self._db):
            return gone + self._forget(retention.uploads_to_go(self._db, kept))

    def _delete(self, jobs: list[str]) -> list[str]:
        """Delete jobs. Their results stay only if another job has the same, or if they were uploaded as well."""
        freed: list[str] = []
        for job in jobs:
            self.records.remove(job)  # first of all: what has a record comes back
        try:
            with Transaction(self._db):
                for job in jobs:
                    found = "SELECT sha256 FROM layers WHERE job = ? UNION SELECT sha256 FROM files WHERE job = ?"
                    results = [sha256 for (sha256,) in self._db.execute(found, (job, job))]
                    self._db.execute("DELETE FROM jobs WHERE job = ?", (job,))
                    freed += self._forget(self._unneeded(results))
        except sqlite3.Error:
            for job in jobs:
                self.record(job)
            raise
        for job in jobs:
            self._held.forget(job)
        return freed

    def _delete_layers(self, job: str, indices: list[int]) -> list[str]:
        with Transaction(self._db):
            layers = {layer.index: layer for layer in self.layers(job)}
            for index in indices:
                self._db.execute("DELETE FROM layers WHERE job = ? AND idx = ?", (job, index))
            gone = [layers[index] for index in indices if index in layers]
            self._db.execute("UPDATE jobs SET bytes = bytes - ? WHERE job = ?", (sum(one.bytes for one in gone), job))
            return self._forget(self._unneeded([one.sha256 for one in gone if one.bytes]))

    def _unneeded(self, blobs: list[str]) -> list[str]:
        """Those of the blobs that no job needs any more, and that were not uploaded as well."""
        free = f"SELECT 1 FROM blobs b WHERE sha256 = ? AND NOT uploaded AND {UNUSED}"
        return [sha256 for sha256 in dict.fromkeys(blobs) if self._db.execute(free, (sha256,)).fetchone()]

    def _forget(self, blobs: list[str]) -> list[str]:
        self._db.executemany("DELETE FROM blobs WHERE sha256 = ?", [(sha256,) for sha256 in blobs])
        return blobs

    # --- records -----------------------------------------------------------------------------------------------------

    def states(self) -> dict[str, str]:
        """The state of every job, as far as the database itself says; newest last."""
        return dict(self._db.execute("SELECT job, state FROM jobs ORDER BY number").fetchall())

    def record(self, job: str) -> None:
        """Write the job's record."""
        self.records.write(job, dict(of_job(self._db, job)))

    def restore(self, record: Record) -> None:
        """Let a job be what its record says."""
        with Transaction(self._db):
            replace_job(self._db, record)

    # --- small notes -------------------------------------------------------------------------------------------------

    def note(self, name: str) -> Any:
        """The value kept under a name by `set_note`; `None` if there is none."""
        try:
            found = self._db.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
            return json.loads(found[0]) if found else None
        except (ValueError, sqlite3.DatabaseError) as error:
            hide("note", name, error)
            return None

    def set_note(self, name: str, value: Any) -> None:
        self._hint("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, json.dumps(value)))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _job(self, found: sqlite3.Row) -> JobRow | None:
        """The row with the end that was told, if that is held."""
        row = job_row(found)
        if row is None or (end := self._held.get(row.job)) is None:
            return row
        return replace(row, state=end.state, finished=end.finished, seconds=end.seconds, failure=end.failure, notes=end.notes)

    def _rows(self, where: str, values: tuple[Any, ...] = ()) -> list[JobRow]:
        rows = map(self._job, self._db.execute(f"SELECT * FROM jobs {where}", values).fetchall())
        return [row for row in rows if row is not None]

    def _hint(self, statement: str, values: tuple[Any, ...]) -> None:
        """Store what only helps the next start: a disk that is full is no reason to stop."""
        try:
            self._db.execute(statement, values)
        except sqlite3.Error as error:
            log.warning("a hint cannot be stored", extra={"reason": str(error)})

    def _store_end(self, job: str, end: End) -> None:
        update = "UPDATE jobs SET state = ?, finished = ?, seconds = ?, failure = ?, notes = ? WHERE job = ?"
        values = (end.state, end.finished, end.seconds, failure_text(end.failure), json.dumps(end.notes), job)

        def store() -> None:
            with Transaction(self._db):
                self._db.execute(update, values)
                self._db.execute("DELETE FROM inputs WHERE job = ?", (job,))

        self._reserve.insist(self._db, store)
        self.record(job)

    def _keep(self, blob: StoredBlob, *, uploaded: bool = False) -> None:
        self._db.execute(
            "INSERT INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET"
            " used = excluded.used, uploaded = MAX(uploaded, excluded.uploaded)",
            (blob.sha256, blob.bytes, blob.format, blob.width, blob.height, time.time(), uploaded),
        )
