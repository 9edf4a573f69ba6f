"""Rows as values, read so that one which cannot be understood hides itself and nothing else. Knows columns; knows no SQL."""

from __future__ import annotations

import json
import logging
import sqlite3
import zlib
from dataclasses import dataclass
from typing import Any, cast, get_args

from acetate.protocol import Failure, Layer, ProtocolError, schema
from acetate.protocol.messages import File, State

log = logging.getLogger(__name__)

_hidden: set[tuple[str, ...]] = set()
"""What was said to be hidden: once is enough, and a page is asked for often."""


@dataclass(frozen=True)
class JobRow:
    """A job as it is stored."""

    job: str
    session: str
    lane: str
    task: str
    message: dict[str, Any]
    """The `submit`, `insert` or `export` message as a JSON object."""
    state: State
    front: bool
    crashes: int
    created: float
    finished: float | None
    seconds: float
    failure: Failure | None
    notes: tuple[str, ...]
    acknowledged: bool
    person: str = "local"
    """Whose job it is: the name of the token that its connection came with."""


@dataclass(frozen=True)
class StoredBlob:
    """A blob as it is stored; `format` is `file` or a pixel format."""

    sha256: str
    bytes: int
    format: str
    width: int | None
    height: int | None


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of a layer, as straight 8-bit pixels."""

    width: int
    height: int
    rgba: bytes


@dataclass(frozen=True)
class End:
    """How a job ended."""

    state: State
    finished: float
    seconds: float = 0
    failure: Failure | None = None
    notes: tuple[str, ...] = ()


def job_row(found: sqlite3.Row) -> JobRow | None:
    """A row of `jobs`; `None` for one that another version wrote, or that is damaged."""
    try:
        if found["state"] not in get_args(State):
            raise ValueError(f"its state is {found['state']!r}")
        message = json.loads(found["message"])
        if not isinstance(message, dict):
            raise ValueError("its message is no object")
        return JobRow(
            job=found["job"],
            session=found["session"],
            lane=found["lane"],
            task=found["task"],
            message=message,
            state=cast(State, found["state"]),
            front=bool(found["front"]),
            crashes=int(found["crashes"]),
            created=float(found["created"]),
            finished=None if found["finished"] is None else float(found["finished"]),
            seconds=float(found["seconds"] or 0),
            failure=_failure(found["failure"]),
            notes=_texts(found["notes"]),
            acknowledged=bool(found["acknowledged"]),
            person=found["person"],
        )
    except (ValueError, TypeError, RecursionError, ProtocolError) as error:
        hide("job", str(found["job"]), error)
        return None


def layer_row(job: str, message: Any) -> Layer | None:
    """A layer from its stored message, without fields that are unknown here; `None` for one that cannot be read."""
    try:
        return schema.decode(Layer, json.loads(message), "layer", strict=False)
    except (ValueError, TypeError, RecursionError, ProtocolError) as error:
        hide("layer", job, error)
        return None


def packed(small: Thumbnail) -> tuple[bytes, int, int]:
    """A thumbnail as its columns."""
    return zlib.compress(small.rgba, 1), small.width, small.height


def thumbnail_row(job: str, packed: Any, width: Any, height: Any) -> Thumbnail | None:
    """A thumbnail from its columns; `None` if there is none, or none that can be unpacked."""
    try:
        rgba = zlib.decompress(packed) if packed else b""
        if rgba and len(rgba) != width * height * 4:
            raise ValueError(f"{len(rgba)} bytes for {width} x {height} pixels")
        return Thumbnail(width, height, rgba) if rgba else None
    except (zlib.error, TypeError, ValueError) as error:
        hide("thumbnail", job, error)
        return None


def file_row(found: sqlite3.Row) -> File | None:
    """A row of `files` with its blob's; `None` for one that cannot be read."""
    try:
        return File(found["job"], found["name"], found["bytes"], found["sha256"], _texts(found["notes"]))
    except (ValueError, TypeError) as error:
        hide("file", str(found["job"]), error)
        return None


def _texts(stored: Any) -> tuple[str, ...]:
    found = json.loads(stored or "[]")
    if not isinstance(found, list):
        raise ValueError("a list of notes is none")
    return tuple(map(str, found))


def failure_text(failure: Failure | None) -> str | None:
    """A failure as it is stored."""
    return json.dumps(schema.encode(failure)) if failure else None


def hide(kind: str, job: str, error: Exception) -> None:
    """Say once that a row is passed over, and why."""
    if (kind, job) not in _hidden:
        _hidden.add((kind, job))
        log.warning("a stored row cannot be read", extra={"kind": kind, "job": job, "reason": str(error)})


def _failure(stored: Any) -> Failure | None:
    return schema.decode(Failure, json.loads(stored), "failure", strict=False) if stored else None
