"""The steps from every schema that ever landed to the present one, numbered by `user_version`. Knows SQL; knows no job.

A step that has landed is never changed: a new one is added below it, with its schema in tests/server/storage/schemas.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

Migration = Callable[[sqlite3.Connection], None]

FIRST_TABLES = (
    "CREATE TABLE IF NOT EXISTS jobs ("
    " job TEXT PRIMARY KEY, number INTEGER UNIQUE, session TEXT NOT NULL, lane TEXT NOT NULL, task TEXT NOT NULL,"
    " message TEXT NOT NULL, state TEXT NOT NULL, front INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,"
    " created REAL NOT NULL, finished REAL, seconds REAL, failure TEXT, notes TEXT, acknowledged INTEGER NOT NULL DEFAULT 0,"
    " thumbnail BLOB, thumbnail_width INTEGER, thumbnail_height INTEGER, bytes INTEGER NOT NULL DEFAULT 1024)",
    "CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, number)",
    "CREATE TABLE IF NOT EXISTS layers ("
    " job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, idx INTEGER NOT NULL, message TEXT NOT NULL, sha256 TEXT NOT NULL,"
    " PRIMARY KEY (job, idx)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS files ("
    " job TEXT PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, name TEXT NOT NULL, sha256 TEXT NOT NULL, notes TEXT NOT NULL"
    ") WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS blobs ("
    " sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, format TEXT NOT NULL, width INTEGER, height INTEGER, used REAL NOT NULL,"
    " uploaded INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS inputs ("
    " job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, sha256 TEXT NOT NULL, PRIMARY KEY (job, sha256)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS layers_by_blob ON layers (sha256)",
    "CREATE INDEX IF NOT EXISTS inputs_by_blob ON inputs (sha256)",
    "CREATE INDEX IF NOT EXISTS files_by_blob ON files (sha256)",
    "CREATE INDEX IF NOT EXISTS uploads ON blobs (used) WHERE uploaded",
    "CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)


def _first_tables(db: sqlite3.Connection) -> None:
    for statement in FIRST_TABLES:
        db.execute(statement)


def _persons(db: sqlite3.Connection) -> None:
    """Jobs belong to a person. The very first schema was called 1 as well and knew no sizes of jobs: it gets them here."""
    if "bytes" not in columns(db, "jobs"):
        _first_tables(db)  # the indices that it lacks
        db.execute("ALTER TABLE jobs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 1024")
        db.execute(
            "UPDATE jobs SET bytes = 1024"
            " + (SELECT COALESCE(SUM(b.bytes), 0) FROM layers l JOIN blobs b USING (sha256) WHERE l.job = jobs.job)"
            " + (SELECT COALESCE(SUM(b.bytes), 0) FROM files f JOIN blobs b USING (sha256) WHERE f.job = jobs.job)"
        )
    db.execute("ALTER TABLE jobs ADD COLUMN person TEXT NOT NULL DEFAULT 'local'")
    db.execute("CREATE INDEX jobs_by_person ON jobs (person, number)")


def _pictures(db: sqlite3.Connection) -> None:
    """Every layer has a thumbnail of its own, and may be starred."""
    for column in ("thumbnail BLOB", "thumbnail_width INTEGER", "thumbnail_height INTEGER", "starred INTEGER NOT NULL DEFAULT 0"):
        db.execute(f"ALTER TABLE layers ADD COLUMN {column}")


MIGRATIONS: tuple[Migration, ...] = (_first_tables, _persons, _pictures)
"""Migration *i* leads from `user_version` *i* to *i* + 1."""
VERSION = len(MIGRATIONS)
"""The schema that this server works with."""


def migrate(db: sqlite3.Connection) -> None:
    """Bring the database to `VERSION`, one transaction a step: a killed process leaves a whole earlier version."""
    for number in range(version_of(db), VERSION):
        db.execute("BEGIN IMMEDIATE")
        try:
            MIGRATIONS[number](db)
            db.execute(f"PRAGMA user_version = {number + 1}")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("COMMIT")


def version_of(db: sqlite3.Connection) -> int:
    """The schema's number; 0 for an empty database."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def columns(db: sqlite3.Connection, table: str) -> list[str]:
    """The names of a table's columns; empty if there is no such table."""
    return [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
