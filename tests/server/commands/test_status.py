"""`acetate status` and its like without a server, and what is said of one. Real servers are asked in `tests/e2e`."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

import pytest
from acetate.server.commands.status import lines

from ..conftest import Command

SAID = {
    "url": "ws://127.0.0.1:22380/",
    "version": "0.1.0",
    "pid": 7,
    "since": 0.0,
    "stopping": False,
    "engine": "ready",
    "devices": [{"device": "cuda:0", "state": "ready"}, {"device": "cuda:1", "state": "failed"}],
    "waiting_jobs": {"engine": 3, "documents": 1},
    "running_jobs": ["a"],
    "clients": [{"client": "Krita 5.2", "session": "s"}],
    "memory_bytes": 700 << 20,
}


def dead(folder: Path) -> None:
    """The state file of a server that was killed: its process is gone."""
    write(folder, pid=2**22 + 1, port=9)


def write(folder: Path, pid: int, port: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    said = {"url": f"ws://127.0.0.1:{port}/", "token": "t", "pid": pid, "protocol": 1}
    (folder / "server.json").write_text(json.dumps(said))


@pytest.mark.parametrize("words", [["status"], ["stop"], ["restart"], ["jobs"], ["jobs", "cancel", "--all"]], ids=" ".join)
@pytest.mark.parametrize("left_over", [False, True])
def test_without_a_server_it_is_said_with_a_code_of_its_own(
    acetate: Command, tmp_path: Path, words: list[str], left_over: bool
) -> None:
    if left_over:
        dead(tmp_path / "home")
    code, out, err = acetate(*words)
    assert (code, out) == (3, "") and "acetate serve" in err
    assert ("has ended" if left_over else "no server is running") in err


@pytest.mark.parametrize("words", [["status"], ["jobs"]], ids=" ".join)
def test_a_process_that_is_not_the_server_is_not_taken_for_it(acetate: Command, tmp_path: Path, words: list[str]) -> None:
    """The number of a killed server's process was given to another."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        write(tmp_path / "home", os.getpid(), bound.getsockname()[1])
        code, _, err = acetate(*words)
    assert code == 3 and f"process {os.getpid()} is there and does not answer" in err


def test_programs_are_told_in_json_that_none_runs(acetate: Command) -> None:
    code, out, err = acetate("status", "--json")
    assert code == 3 and json.loads(out)["running"] is False and err == ""


def test_a_person_reads_where_and_since_when_it_runs_and_what_it_does() -> None:
    text = "\n".join(lines({**SAID, "since": time.time()}, time.time(), "0.1.0"))
    assert "ws://127.0.0.1:22380/ (process 7, version 0.1.0, since " in text
    assert "cuda:0 ready, cuda:1 failed" in text and "1 running, 4 waiting" in text
    assert "1: Krita 5.2" in text and "700 MiB" in text
    assert "note" not in text and "stopping" not in text


def test_a_server_of_long_ago_has_a_date() -> None:
    assert time.strftime("since %Y-", time.localtime(0)) in "\n".join(lines(SAID, time.time(), "0.1.0"))


def test_one_that_stops_or_is_of_another_version_than_the_program_says_so() -> None:
    text = "\n".join(lines({**SAID, "stopping": True}, 0, "0.2.0"))
    assert "ends when its running jobs are over" in text and "0.2.0 is installed; acetate restart" in text


def test_what_a_client_calls_itself_is_not_obeyed_by_the_terminal() -> None:
    said = {**SAID, "clients": [{"client": "fox\x1b[2J\nevil", "session": "s"}]}
    assert all(line.isprintable() for line in lines(said, 0, "0.1.0"))


def test_commands_offer_help(acetate: Command) -> None:
    for words in (["stop"], ["restart"], ["status"], ["jobs"], ["jobs", "cancel"]):
        assert acetate(*words, "--help").code == 0
