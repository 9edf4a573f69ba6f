"""A damaged database: set aside under another name, and what SQLite can still read of it carried over into a new one.

Knows rows and files; deletes nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .database import Transaction, open_database, open_to_read
from .faults import DamagedError, StoreError
from .rows import layer_row
from .tables import KEYS, OF_A_JOB, put

log = logging.getLogger(__name__)

RECOVERED = "recovered"
"""The note that the database was recovered and not compared with the records since."""
MOST_HOLES = 100_000
MOST_FAILURES = 1000
"""How far single rows are looked for between two damaged places, and after how many in vain the search ends."""


def open_or_recover(path: Path, check_seconds: float) -> tuple[sqlite3.Connection, str | None]:
    """Open the database; a damaged one is set aside and replaced by what can be read of it. Returns what to say about that.

    Killed at any moment, it has either not begun or is finished by the next start. Raises `StoreError` for a database that must
    be left as it is.
    """
    if not path.exists() and _fresh(path).exists():  # killed between the two renames
        _fresh(path).rename(path)
    try:
        if is_distrusted(path):
            raise DamagedError("reading it has failed")
        return open_database(path, check_seconds), None
    except DamagedError as damage:
        log.error("the database is damaged", extra={"reason": str(damage)})
    try:
        jobs = _recover(path)
        aside = set_aside(path)
        _fresh(path).rename(path)
        _distrusted(path).unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path} is damaged and cannot be replaced: {error}. Nothing was changed; free some space.") from error
    log.warning("the database was replaced", extra={"aside": str(aside), "jobs": jobs})
    notice = f"The database of jobs was damaged. It is set aside as {aside}; {jobs} jobs could be read from it."
    return open_database(path, check_seconds), notice


def _recover(path: Path) -> int:
    """Write what can be read of the database into a new one beside it; returns the number of jobs."""
    for suffix in ("", "-wal", "-shm"):  # of an attempt that was killed
        Path(f"{_fresh(path)}{suffix}").unlink(missing_ok=True)
    with contextlib.closing(open_database(_fresh(path))) as db:
        jobs = carry_over(path, db)
        db.execute("INSERT OR REPLACE INTO notes VALUES (?, 'true')", (RECOVERED,))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return jobs


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")


def distrust(path: Path) -> None:
    """Note that reading the database has failed: the next start need not find the damage again to set it aside."""
    with contextlib.suppress(OSError):
        _distrusted(path).touch()


def is_distrusted(path: Path) -> bool:
    """Whether the last server found the database damaged while it ran."""
    return _distrusted(path).exists()


def _distrusted(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


def set_aside(path: Path) -> Path:
    """Rename the database with its log, so that its name says when; returns where it is now."""
    stamp = time.strftime("%Y-%m-%dT%H-%M-%S")
    aside, count = path.with_name(f"{path.stem}.damaged-{stamp}{path.suffix}"), 1
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.stem}.damaged-{stamp}-{count}{path.suffix}")
    for suffix in ("-wal", "-shm", ""):  # its log first: a new database would take a log of this name for its own
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{aside}{suffix}")
    return aside


def carry_over(aside: Path, db: sqlite3.Connection) -> int:
    """Copy into a new database all that can be read of a damaged one; returns the number of its jobs."""
    if not aside.is_file():
        return 0
    try:
        old = open_to_read(aside)
    except sqlite3.Error:
        return 0
    old.row_factory = sqlite3.Row
    old.text_factory = lambda data: data.decode(errors="replace")
    lost_layers: list[dict[str, Any]] = []
    with contextlib.closing(old), Transaction(db):
        for table in KEYS:
            put(db, table, _readable(old, table))
        jobs = [job for (job,) in db.execute("SELECT job FROM jobs")]
        for table in OF_A_JOB:  # those between two damaged places
            for job in jobs:
                put(db, table, _rows(old, f"SELECT * FROM {table} WHERE job = ?", job))
        known = set(jobs)
        lost_layers += [row for row in _readable(old, "layers") if row["job"] not in known]
        _adopt_layers(db, lost_layers)
        _fill_in_blobs(db)
    return int(db.execute("SELECT COUNT(*) FROM jobs").fetchone()[0])


def _fill_in_blobs(db: sqlite3.Connection) -> None:
    """Add what `blobs` lacks and a layer says."""
    lacking = db.execute("SELECT job, message FROM layers WHERE sha256 NOT IN (SELECT sha256 FROM blobs)").fetchall()
    for job, message in lacking:
        layer = layer_row(job, message)
        if layer is not None and layer.bytes:
            row = (layer.sha256, layer.bytes, layer.format, layer.width, layer.height, time.time(), 0)
            db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def _readable(old: sqlite3.Connection, table: str) -> Iterator[dict[str, Any]]:
    """The rows from the front up to the first damaged place, those from the back, and single ones between; some twice."""
    columns, order = ("rowid AS place, *", ("rowid",)) if table == "jobs" else ("*", KEYS[table])
    before = after = None
    for before in _rows(old, f"SELECT {columns} FROM {table} NOT INDEXED ORDER BY {', '.join(order)}"):
        yield before
    for after in _rows(old, f"SELECT {columns} FROM {table} NOT INDEXED ORDER BY {', '.join(f'{name} DESC' for name in order)}"):
        yield after
    if table == "jobs":
        yield from _between(old, before["place"] if before else 0, after["place"] if after else MOST_HOLES)


def _between(old: sqlite3.Connection, begin: int, end: int) -> Iterator[dict[str, Any]]:
    """The single jobs of places between two damaged ones; none after a long stretch without any."""
    failures = 0
    for place in range(begin + 1, end):
        try:
            yield from map(dict, old.execute("SELECT * FROM jobs NOT INDEXED WHERE rowid = ?", (place,)).fetchall())
            failures = 0
        except sqlite3.Error:
            failures += 1
        if failures > MOST_FAILURES:
            break


def _rows(old: sqlite3.Connection, query: str, *values: Any) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(sqlite3.Error):
        for row in old.execute(query, values):
            yield dict(row)


def _adopt_layers(db: sqlite3.Connection, rows: list[dict[str, Any]]) -> None:
    """Make jobs for layers whose jobs are lost, from what the layers say about themselves."""
    for row in rows:
        layer = layer_row(str(row["job"]), row["message"])
        if layer is None:
            continue
        message = {"type": "submit", "job": layer.job, "task": "foreground", "parameters": dict(layer.parameters)}
        job = {
            "job": layer.job, "number": 1, "session": "recovered", "lane": "engine", "task": "foreground",
            "message": json.dumps(message), "state": "finished", "created": time.time(), "finished": time.time(),
            "bytes": 1024 + layer.bytes,
        }  # fmt: skip
        put(db, "jobs", [job])
        put(db, "layers", [row])
