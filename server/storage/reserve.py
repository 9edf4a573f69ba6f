"""Room that is kept for a full disk: a file that is given up so that ends can be stored and results deleted. Knows one file."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from .faults import is_full

T = TypeVar("T")

RESERVE_BYTES = 1 << 20


class Reserve:
    """A file of `size` bytes, there unless it has been given up."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES) -> None:
        self._path, self._size = path, size
        self.fill()

    def fill(self) -> None:
        """Take the room, if there is plenty. Random bytes: a file system that compresses would give nothing back for zeros."""
        with contextlib.suppress(OSError):
            if self._path.exists() or shutil.disk_usage(self._path.parent).free < 2 * self._size:
                return
            try:
                self._path.write_bytes(os.urandom(self._size))
            except OSError:
                self.release()
                raise

    def release(self) -> bool:
        """Give the room up; false if there is none any more."""
        with contextlib.suppress(OSError):
            self._path.unlink()
            return True
        return False

    def insist(self, db: sqlite3.Connection, write: Callable[[], T]) -> T:
        """Make a change for which there has to be room: fold the database's log into it to reuse its pages, then give up the
        reserve. Raises what the database raises when not even that helps."""
        for make_room in (lambda: _fold_log(db), self.release):
            try:
                return write()
            except sqlite3.Error as error:
                if not is_full(error):
                    raise
                make_room()
        return write()


def _fold_log(db: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
