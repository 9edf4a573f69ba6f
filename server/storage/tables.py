"""Rows of all tables on their way between databases and records: which tables there are, and how rows are put in.

Knows the tables' keys; knows no job's meaning.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .migrations import columns

Row = Mapping[str, Any]

KEYS: Mapping[str, tuple[str, ...]] = {
    "jobs": ("number",),
    "blobs": ("sha256",),
    "layers": ("job", "idx"),
    "files": ("job",),
    "inputs": ("job", "sha256"),
    "notes": ("name",),
}
"""The tables, each after those that it refers to, and what their rows are in order of."""
OF_A_JOB = ("layers", "files", "inputs")
"""The tables whose rows belong to a job."""


def put(db: sqlite3.Connection, table: str, rows: Iterable[Row]) -> int:
    """Insert rows of any version: unknown columns are left out, missing ones get their default. Returns how many went in.

    A row that is there already stays as it is; one that breaks a rule of the table is left out.
    """
    known = columns(db, table)
    count = 0
    for row in rows:
        names = [name for name in known if name in row]
        if table == "jobs" and "number" in names:
            row = {**row, "number": _free_number(db, row["number"])}
        marks = ", ".join("?" * len(names))
        statement = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"
        try:
            count += db.execute(statement, [row[name] for name in names]).rowcount
        except sqlite3.IntegrityError:  # of a job that is not there: `OR IGNORE` does not cover references
            continue
    return count


def of_job(db: sqlite3.Connection, job: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """All that the database knows about a job, by table."""
    yield "jobs", _all(db, "SELECT * FROM jobs WHERE job = ?", job)
    yield "layers", _all(db, "SELECT * FROM layers WHERE job = ?", job)
    yield "files", _all(db, "SELECT * FROM files WHERE job = ?", job)
    yield (
        "blobs",
        _all(
            db,
            "SELECT * FROM blobs WHERE sha256 IN (SELECT sha256 FROM layers WHERE job = ?1"
            " UNION SELECT sha256 FROM files WHERE job = ?1)",
            job,
        ),
    )


def _all(db: sqlite3.Connection, query: str, job: str) -> list[dict[str, Any]]:
    return [dict(row) for row in db.execute(query, (job,))]


def _free_number(db: sqlite3.Connection, wanted: Any) -> Any:
    """The number, or the next free one if another job has it."""
    if db.execute("SELECT 1 FROM jobs WHERE number = ?", (wanted,)).fetchone() is None:
        return wanted
    return db.execute("SELECT MAX(number) + 1 FROM jobs").fetchone()[0]
