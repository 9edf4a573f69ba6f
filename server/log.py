"""Two logs: JSON lines in a rotated file for machines, a line per job on the terminal for the person. Prompts are in neither."""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any

ROOT = "acetate.server"
JOB: ContextVar[str | None] = ContextVar("JOB", default=None)
"""The job that the current task runs: every line that it logs has the job's id, also where only a worker is known."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON: `{"time": …, "level": …, "event": …, …}`."""

    def format(self, record: logging.LogRecord) -> str:
        extra = _extra(record)
        line = {"time": round(record.created, 3), "level": record.levelname.lower(), "event": record.getMessage(), **extra}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)  # in ASCII: some separators of Unicode would end the line for readers


class PersonLines(logging.Formatter):
    """Formats a record for a person: `14:03:12  foreground  finished  3.2 s  1 layer  (9f0c…)`."""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        extra = _extra(record)
        if record.getMessage() == "over":
            layers = "1 layer" if extra["layers"] == 1 else f"{extra['layers']} layers"
            text = f"{extra['task']}  {extra['state']}  {extra['seconds']:.1f} s  {layers}"
            if "failure" in extra:
                text += f"  {extra['failure']}"
        else:
            text = f"{record.getMessage()}  {extra.get('reason', '')}".rstrip()
        job = f"  ({extra['job'][:8]})" if "job" in extra else ""
        return printable(f"{clock}  {text}{job}")


def printable(text: str) -> str:
    """The text with what a terminal would obey (escapes, newlines, marks of direction) written out, as `\\x1b` and the like."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if "job" not in extra and (job := JOB.get()) is not None:
        extra["job"] = job
    return extra


class _ForPerson(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.getMessage() == "over"


def start(path: Path, size: int, files: int) -> list[logging.Handler]:
    """Log to the file, and to the terminal what a person wants to see. Returns the handlers, for `stop`."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    to_file = logging.handlers.RotatingFileHandler(path, maxBytes=size, backupCount=files, encoding="utf-8")
    to_file.setFormatter(JsonLines())
    to_person = logging.StreamHandler(sys.stdout)
    to_person.setFormatter(PersonLines())
    to_person.addFilter(_ForPerson())
    root = logging.getLogger(ROOT)
    root.setLevel(logging.INFO)
    root.propagate = False
    handlers: list[logging.Handler] = [to_file, to_person]
    for handler in handlers:
        root.addHandler(handler)
    return handlers


def stop(handlers: list[logging.Handler]) -> None:
    """Close what `start` has opened."""
    for handler in handlers:
        logging.getLogger(ROOT).removeHandler(handler)
        handler.close()
