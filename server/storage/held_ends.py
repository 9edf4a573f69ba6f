"""Ends of jobs that were told and that the database could not take: kept in a file whose room was taken in advance.

Overwriting needs no room, so a disk that is full takes these. Knows ends; knows no database.
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import replace
from pathlib import Path

from acetate.protocol import Failure, ProtocolError, schema

from .rows import End

log = logging.getLogger(__name__)

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
        shorter += [replace(end, failure=short) for short in said]
    for attempt in (end, *shorter):
        text = schema.dump({"job": job, **schema.encode(attempt)}).encode()
        if len(text) <= SLOT_BYTES:
            return text
    raise AssertionError("an id of 64 letters and a code fit a slot")
