"""A small file beside the database for each job that is over: what its blobs are, should the database be lost.

Knows files; a record is the job's rows of all tables. Written after the end is stored, removed before the job is deleted.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

Record = Mapping[str, list[dict[str, Any]]]
"""The job's rows by table."""


class Records:
    """The folder of records, one file a job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)

    def jobs(self) -> set[str]:
        """The jobs that have records."""
        with contextlib.suppress(OSError):
            return {name.removesuffix(".json") for name in os.listdir(self._folder) if name.endswith(".json")}
        return set()

    def write(self, job: str, record: Record) -> None:
        """Keep a record. A disk that does not take it costs only what a later loss of the database would cost."""
        path = self._folder / f"{job}.json"
        try:
            path.with_suffix(".new").write_text(json.dumps(record, default=_packed), encoding="utf-8")
            path.with_suffix(".new").replace(path)
        except OSError as error:
            log.warning("a job's record cannot be written", extra={"job": job, "reason": str(error)})
            with contextlib.suppress(OSError):
                path.with_suffix(".new").unlink()

    def read(self, job: str) -> Record | None:
        """A job's record; `None` if there is none that is whole."""
        try:
            text = (self._folder / f"{job}.json").read_text(encoding="utf-8")
            record = json.loads(text, object_hook=_unpacked)
            rows = record["jobs"][0]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        return record if isinstance(rows, dict) and rows.get("job") == job else None

    def remove(self, job: str) -> None:
        with contextlib.suppress(OSError):
            (self._folder / f"{job}.json").unlink()


def _packed(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} is not a column's value")


def _unpacked(value: dict[str, Any]) -> Any:
    return base64.b64decode(value["base64"]) if value.keys() == {"base64"} else value
