"""The SQLite file that jobs, layers and history are kept in: opening and checking it, transactions. Write-ahead log."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path

from .faults import DamagedError, StoreError, is_damage
from .migrations import VERSION, columns, migrate, version_of

log = logging.getLogger(__name__)

CHECK_SECONDS = 5.0
"""How long a start may look for damage. What a large database has after that is found when it is read."""


def open_database(path: Path, check_seconds: float = CHECK_SECONDS) -> sqlite3.Connection:
    """Open the database, or create it, and bring it to this server's version.

    Raises `DamagedError` for a file that is not one or has holes, and `StoreError` for a later version's or for one that cannot
    be used for now (its disk is full, another program holds it, it may not be read). In either case nothing was changed.
    """
    if path.exists() and not path.is_file():
        raise DamagedError(f"{path} is not a file")
    _refuse_later_version(path)
    try:
        db = sqlite3.connect(path, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error
    try:
        _prepare(db, check_seconds)
    except (sqlite3.Error, StoreError) as error:
        db.close()
        if isinstance(error, StoreError) or is_damage(error):
            raise DamagedError(f"{path} is damaged: {error}") from error
        raise StoreError(f"{path} cannot be used: {error}") from error
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a database so that nothing in it can change."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _refuse_later_version(path: Path) -> None:
    """Raise `StoreError` for a later version's file. Looks without writing: even closing it would fold its log into it."""
    if not path.exists():
        return
    with contextlib.suppress(sqlite3.Error), contextlib.closing(open_to_read(path)) as db:
        if (version := version_of(db)) > VERSION:
            raise StoreError(
                f"{path} is of a later release: it has version {version}, and this server knows {VERSION}. Nothing was changed. "
                "Install that release again (pip install --upgrade acetate), or choose another ACETATE_HOME for this one."
            )


def _prepare(db: sqlite3.Connection, check_seconds: float) -> None:
    db.row_factory = sqlite3.Row
    _check_pages(db, check_seconds)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")  # survives every crash of a process; a power cut may cost the last moment
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA cache_size = -512")  # KiB: the rows are few and small, and the default is 2 MiB
    try:
        migrate(db)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # it has tables of the same names, and others than ours
            raise DamagedError(f"its tables are not those of version {version_of(db)}: {error}") from error
        raise
    _check_tables(db)


def _check_pages(db: sqlite3.Connection, seconds: float) -> None:
    """Raise `DamagedError` for pages that do not hang together. One that takes longer is opened as it is."""
    timer = threading.Timer(seconds, db.interrupt)
    timer.start()
    try:
        (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        log.warning("the database is large and was not checked to its end", extra={"seconds": seconds})
        return
    finally:
        timer.cancel()
        timer.join()
    if found != "ok":
        raise DamagedError(" ".join(str(found).split()))


def _check_tables(db: sqlite3.Connection) -> None:
    """Raise `DamagedError` for a database with a right number and wrong tables."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh)
        for (table,) in fresh.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            if missing := set(columns(fresh, table)) - set(columns(db, table)):
                raise DamagedError(f"its table {table} lacks {', '.join(sorted(missing))}")


class Transaction:
    """A context in which all statements are one transaction; any exception rolls it back, also one of the commit."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:  # SQLite has rolled back by itself after some errors
                self._db.execute("ROLLBACK")
