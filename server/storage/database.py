"""The SQLite file that jobs, layers and history are kept in: opening it, transactions. Write-ahead log."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .migrations import VERSION, migrate, version_of


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
    if (version := version_of(db)) > VERSION:  # first of all: the mode of its journal would be a change
        raise StoreError(f"it has version {version}, and this server knows {VERSION}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # survives every crash of a process; a power cut may cost the last moment
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA cache_size = -512")  # KiB: the rows are few and small, and the default is 2 MiB
    migrate(db)


class Transaction:
    """A context in which all statements are one transaction; any exception rolls it back."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._db.execute("COMMIT" if kind is None else "ROLLBACK")
