"""The SQLite file that jobs, layers and history are kept in: its tables, opening it, transactions. Write-ahead log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    job TEXT PRIMARY KEY, number INTEGER UNIQUE, session TEXT NOT NULL, lane TEXT NOT NULL, task TEXT NOT NULL,
    message TEXT NOT NULL, state TEXT NOT NULL, front INTEGER NOT NULL DEFAULT 0, crashes INTEGER NOT NULL DEFAULT 0,
    created REAL NOT NULL, finished REAL, seconds REAL, failure TEXT, notes TEXT, acknowledged INTEGER NOT NULL DEFAULT 0,
    thumbnail BLOB, thumbnail_width INTEGER, thumbnail_height INTEGER, bytes INTEGER NOT NULL DEFAULT 1024
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (state, number);
CREATE TABLE IF NOT EXISTS layers (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, idx INTEGER NOT NULL, message TEXT NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (job, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS files (
    job TEXT PRIMARY KEY REFERENCES jobs ON DELETE CASCADE, name TEXT NOT NULL, sha256 TEXT NOT NULL, notes TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (
    sha256 TEXT PRIMARY KEY, bytes INTEGER NOT NULL, format TEXT NOT NULL, width INTEGER, height INTEGER, used REAL NOT NULL,
    uploaded INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inputs (
    job TEXT NOT NULL REFERENCES jobs ON DELETE CASCADE, sha256 TEXT NOT NULL, PRIMARY KEY (job, sha256)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS layers_by_blob ON layers (sha256);
CREATE INDEX IF NOT EXISTS inputs_by_blob ON inputs (sha256);
CREATE INDEX IF NOT EXISTS files_by_blob ON files (sha256);
CREATE INDEX IF NOT EXISTS uploads ON blobs (used) WHERE uploaded;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
VERSION = 1


class StoreError(Exception):
    """The database cannot be used; nothing in it was touched."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database, or create it. Raises `StoreError` for a file that is not one, or of another version."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        _prepare(db)
    except (sqlite3.DatabaseError, StoreError) as error:
        db.close()
        raise StoreError(f"{path} cannot be read: {error}. Move it away to start without the old jobs and history.") from error
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # survives every crash of a process; a power cut may cost the last moment
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA cache_size = -512")  # KiB: the rows are few and small, and the default is 2 MiB
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version not in (0, VERSION):
        raise StoreError(f"it has version {version}, and this server knows {VERSION}")
    db.executescript(TABLES)
    db.execute(f"PRAGMA user_version = {VERSION}")


class Transaction:
    """A context in which all statements are one transaction; any exception rolls it back."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
