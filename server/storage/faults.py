"""What can be wrong with the database, told apart: full, damaged, or not usable for another reason. Knows SQLite's codes."""

from __future__ import annotations

import sqlite3


class StoreError(Exception):
    """The database cannot be used; nothing in it was touched."""


class DamagedError(StoreError):
    """The file is no database, or one with holes: a new one can take its place, and what can be read goes into it."""


def is_full(error: Exception) -> bool:
    """Whether the disk has no room for a change: the same change may succeed later."""
    return isinstance(error, sqlite3.Error) and (
        _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE) or "disk is full" in str(error)
    )


def is_damage(error: Exception) -> bool:
    """Whether the file itself is wrong: trying again cannot help."""
    return isinstance(error, sqlite3.Error) and (_code(error) & 0xFF) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", None) or 0
