"""JSON for machines, a line per job for the person."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from acetate.server import log

OVER = {"job": "0123456789abcdef", "task": "foreground", "state": "finished", "seconds": 3.21, "layers": 1}


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "of" / "server.log"
    root = logging.getLogger(log.ROOT)
    before = root.level, root.propagate
    handlers = log.start(path, 1_000_000, 1)
    yield path
    log.stop(handlers)
    root.level, root.propagate = before


def test_a_line_of_the_file_is_an_object_with_everything_that_was_said(file: Path) -> None:
    logger = logging.getLogger(f"{log.ROOT}.jobs")
    logger.info("accepted", extra={"job": "a-job", "path": Path("of/a/kite")})
    try:
        raise ValueError("a kite")
    except ValueError:
        logger.exception("message")
    accepted, failed = (json.loads(line) for line in file.read_text().splitlines())

    assert (accepted["level"], accepted["event"], accepted["job"]) == ("info", "accepted", "a-job")
    assert accepted["path"] == "of/a/kite", "what is no JSON is said as a text"
    assert failed["level"] == "error" and "ValueError: a kite" in failed["traceback"]


def test_the_person_sees_ends_and_warnings_alone(tmp_path: Path) -> None:
    with redirect_stdout(io.StringIO()) as terminal:
        handlers = log.start(tmp_path / "server.log", 1_000_000, 1)
    logger = logging.getLogger(f"{log.ROOT}.jobs")
    logger.info("accepted", extra={"job": "0123456789abcdef"})
    logger.info("over", extra=OVER)
    logger.info("over", extra={**OVER, "state": "failed", "layers": 0, "failure": "out of memory"})
    logger.warning("gave up on a client", extra={"reason": "it does not read"})
    log.stop(handlers)

    assert [line[10:] for line in terminal.getvalue().splitlines()] == [
        "foreground  finished  3.2 s  1 layer  (01234567)",
        "foreground  failed  3.2 s  0 layers  out of memory  (01234567)",
        "gave up on a client  it does not read",
    ]


def test_after_its_end_nothing_is_written(tmp_path: Path) -> None:
    handlers = log.start(tmp_path / "server.log", 1000, 1)
    log.stop(handlers)
    logging.getLogger(log.ROOT).propagate = True
    logging.getLogger(log.ROOT).info("too late")

    assert (tmp_path / "server.log").read_text() == ""


def test_no_reader_of_lines_sees_a_line_end_within_one(file: Path) -> None:
    """What a client calls itself or a job is up to the client: separators of Unicode end lines for `splitlines`."""
    names = ["a\u2028b", "a\u2029b", "a\x85b", "a\x0bb", "a\x1cb", "a\r\nb", "名前"]
    for name in names:
        logging.getLogger(log.ROOT).info("connected", extra={"client": name})
    text = file.read_text()
    assert [json.loads(line)["client"] for line in text.splitlines()] == names and text.isascii()


@pytest.mark.parametrize("sign", ["\x1b", "\n", "\r", "\x07", "\x9b", "\u202e", "\u2028", "\x00"])
def test_a_terminal_is_never_sent_what_it_would_obey(tmp_path: Path, sign: str) -> None:
    with redirect_stdout(io.StringIO()) as terminal:
        handlers = log.start(tmp_path / "server.log", 1_000_000, 1)
    logging.getLogger(log.ROOT).warning("gave up on a client", extra={"reason": f"fox{sign}[2J", "job": f"{sign}2345678"})
    log.stop(handlers)
    (line,) = terminal.getvalue().removesuffix("\n").split("\n")
    assert line.isprintable() and "gave up on a client  fox\\" in line


def test_every_line_of_a_task_that_runs_a_job_has_its_id(file: Path) -> None:
    """A worker's death is noticed by what knows no job."""
    logger = logging.getLogger(f"{log.ROOT}.worker")
    named = log.JOB.set("job-number-1")
    logger.error("worker died")
    logger.warning("of another", extra={"job": "job-number-2"})
    log.JOB.reset(named)
    logger.info("worker started")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line.get("job") for line in lines] == ["job-number-1", "job-number-2", None]
