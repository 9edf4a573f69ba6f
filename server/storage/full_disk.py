"""What is kept for a full disk: room that is given up so that ends are stored and results deleted, and ends that are held.

Knows two files; knows no job's meaning. Overwriting needs no room, so a disk that is full takes ends in slots that are there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from acetate.protocol import Failure, ProtocolError, schema

from .faults import is_full
from .rows import End

log = logging.getLogger(__name__)

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


SLOT_BYTES, SLOTS = 512, 256


class HeldEnds:
    """The ends by job, each in a slot of the file, and in memory for the case that even the file cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._slots: dict[str, int] = {}
        self._ends: dict[str, End] = {}
        self._free = list(range(SLOTS - 1, -1, -1))
        self._take_room()
        self._read()

    def __contains__(self, job: str) -> bool:
        return job in self._ends

    def get(self, job: str) -> End | None:
        """How the job ended, if that waits to be stored."""
        return self._ends.get(job)

    def jobs(self) -> list[str]:
        """The jobs whose ends wait to be stored."""
        return list(self._ends)

    def hold(self, job: str, end: End) -> None:
        """Keep an end. Never fails; whether it outlives this process depends on the file."""
        self._ends[job] = end
        if job not in self._slots and self._free:
            self._slots[job] = self._free.pop()
        if job not in self._slots or not self._write(self._slots[job], _packed(job, end)):
            log.error("the end of a job is kept in memory only", extra={"job": job, "state": end.state})

    def forget(self, job: str) -> None:
        """The database has it now, or the job is gone."""
        self._ends.pop(job, None)
        if (slot := self._slots.pop(job, None)) is not None:
            self._write(slot, b"")
            self._free.append(slot)

    def _take_room(self) -> None:
        with contextlib.suppress(OSError):
            if not self._path.exists() or self._path.stat().st_size != SLOTS * SLOT_BYTES:
                self._path.write_bytes(bytes(SLOTS * SLOT_BYTES))

    def _read(self) -> None:
        try:
            data = self._path.read_bytes()
        except OSError:
            return
        for slot in range(len(data) // SLOT_BYTES):
            text = data[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES].strip(b"\0 ")
            if not text:
                continue
            try:
                body = schema.parse(text)
                job, end = str(body.pop("job")), schema.decode(End, body, "end", strict=False)
            except (ProtocolError, KeyError):
                continue  # the process ended in the middle of it
            self._ends[job], self._slots[job] = end, slot
        self._free = [slot for slot in self._free if slot not in self._slots.values()]

    def _write(self, slot: int, data: bytes) -> bool:
        try:
            with open(self._path, "r+b", buffering=0) as file:
                file.seek(slot * SLOT_BYTES)
                file.write(data.ljust(SLOT_BYTES, b"\0"))
                os.fsync(file.fileno())
        except OSError:
            return False
        return True


def _packed(job: str, end: End) -> bytes:
    """The end as JSON that fits a slot; a long explanation is shortened."""
    failure = end.failure
    shorter = [replace(end, notes=())]
    if failure is not None:
        said = [Failure(failure.code, failure.message[:most], failure.hint[:most]) for most in (150, 50, 0)]
        shorter += [replace(end, failure=short, notes=()) for short in said]
    for attempt in (end, *shorter):
        text = schema.dump({"job": job, **schema.encode(attempt)}).encode()
        if len(text) <= SLOT_BYTES:
            return text
    raise AssertionError("an id of 64 letters and a code fit a slot")
