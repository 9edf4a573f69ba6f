"""A server as those see it who look after it: stopped, started again, asked how it is, left alone, upgraded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from acetate import protocol
from acetate.protocol import Cancelled, Client, Connected, Disconnected, Finished, Parameters, Queued, Started
from acetate.protocol.client.server_requests import ask

from .conftest import DEADLINE
from .strangers import request

SERVE = """
import sys
from acetate.server.http.serve import run
from acetate.server.settings import FAKE_ENGINE, Settings
sys.exit(run(Settings(port=0, engine=FAKE_ENGINE, restart_seconds=(0,), until_idle=True)))
"""


@pytest.fixture
def acetate(server: Any) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Type a command next to the running server."""
    return lambda *words: typed(server.folder, *words)


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ACETATE_HOME": str(folder)}
    command = [sys.executable, "-m", "acetate.server", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, env=environment)


@pytest.fixture
def draining(start_server: Any) -> Iterator[tuple[Any, Client, Any]]:
    """A server that was told to stop in the middle of a job while another waits: it, the client, and the first job's events."""
    server = start_server(drain_seconds=DEADLINE)
    with Client("test", address=server.address) as client:
        following = client.follow(client.submit("foreground", Parameters(prompt="a kite @gate:go", seed=1)), timeout=DEADLINE)
        while not isinstance(next(following), Started):
            pass
        yield server, client, following


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(int(DEADLINE / 0.01)):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never was so")


def is_ready(server: Any) -> bool:
    return request(server, "/readyz").startswith("HTTP/1.1 200 ")


# --- the drain -------------------------------------------------------------------------------------------------------


def test_a_server_that_is_told_to_stop_ends_its_job_delivers_it_and_keeps_what_waits(
    draining: Any, start_server: Any, until: Any
) -> None:
    server, client, following = draining
    waiting = client.submit("foreground", Parameters(prompt="later"))
    until(client, lambda event: isinstance(event, Queued) and event.job == waiting)
    os.kill(server.pid, signal.SIGTERM)
    wait_for(lambda: not is_ready(server))
    late = client.submit("foreground", Parameters(prompt="too late"))
    until(client, lambda event: isinstance(event, Queued) and event.job == late)
    assert request(server, "/healthz").startswith("HTTP/1.1 200 ") and client.connected
    server.open_gate("go")
    events = list(following)

    assert isinstance(events[-1], Finished) and any(isinstance(event, protocol.LayerReady) for event in events)
    gone = until(client, lambda event: isinstance(event, Disconnected))[-1]
    assert gone.failure.code == "server-stopped"
    assert server._gone() == 0 and "Stopping when the running job is over" in server.printed
    again = start_server()
    with Client("test", address=again.address) as after:
        for job in (waiting, late):
            assert isinstance(list(after.follow(job, timeout=DEADLINE))[-1], Finished)


def test_the_second_signal_waits_for_no_job_and_the_job_runs_again(draining: Any, start_server: Any) -> None:
    server, client, _ = draining
    os.kill(server.pid, signal.SIGTERM)
    wait_for(lambda: not is_ready(server))
    assert server.stop()[0] == 0
    server.open_gate("go")
    again = start_server()
    with Client("test", address=again.address) as after:
        after.jobs()
        while not isinstance(event := after.events.get(timeout=DEADLINE), protocol.Jobs):
            pass
        (line,) = event.jobs
        assert isinstance(list(after.follow(line.job, timeout=DEADLINE))[-1], Finished)


def test_a_job_that_takes_longer_than_the_time_limit_is_interrupted(start_server: Any) -> None:
    server = start_server(drain_seconds=0.2)
    with Client("test", address=server.address) as client:
        following = client.follow(client.submit("foreground", Parameters(prompt="a kite @gate:never")), timeout=DEADLINE)
        while not isinstance(next(following), Started):
            pass
        assert server.stop()[0] == 0
    (said,) = [line for line in server.log() if line["event"] == "interrupted"]
    assert len(said["job"]) == 32


# --- the commands ----------------------------------------------------------------------------------------------------


def test_status_says_how_it_is_to_a_person_and_to_a_program(server: Any, acetate: Any, client: Client) -> None:
    person = acetate("status")
    assert person.returncode == 0 and server.address.url in person.stdout and "test" in person.stdout
    program = json.loads(acetate("status", "--json").stdout)
    assert program["running"] is True and program["pid"] == server.pid and program["url"] == server.address.url


def test_jobs_are_listed_and_cancelled_by_the_beginning_of_their_ids(
    server: Any, acetate: Any, client: Client, until: Any
) -> None:
    first = client.submit("foreground", Parameters(prompt="a kite @sleep:0.01", steps=1000), job="abcd" + "1" * 28)
    until(client, lambda event: isinstance(event, Started))
    second = client.submit("foreground", Parameters(prompt="a fox"), job="efgh" + "2" * 28)
    until(client, lambda event: isinstance(event, Queued) and event.job == second)
    listed = acetate("jobs").stdout
    assert [line.split()[:3] for line in listed.splitlines()] == [
        [first, "running", "foreground"],
        [second, "waiting", "foreground"],
    ]
    assert acetate("jobs", "cancel", "zzzz").returncode == 2
    assert json.loads(acetate("jobs", "--json", "cancel", "efgh").stdout) == {second: "cancelled"}
    assert acetate("jobs", "cancel", "--all").returncode == 0
    until(client, lambda event: isinstance(event, Cancelled) and event.job == first)
    assert json.loads(acetate("jobs", "--json").stdout) == []


def test_stop_comes_back_when_the_server_has_ended(server: Any, acetate: Any) -> None:
    done = acetate("stop")
    assert done.returncode == 0 and str(server.pid) in done.stdout
    assert server._gone() == 0 and not (server.folder / "server.json").exists()
    assert acetate("stop").returncode == 3


def test_stop_waits_for_the_job_and_now_does_not(start_server: Any) -> None:
    server = start_server(drain_seconds=DEADLINE)
    with Client("test", address=server.address) as client:
        following = client.follow(client.submit("foreground", Parameters(prompt="a kite @gate:never")), timeout=DEADLINE)
        while not isinstance(next(following), Started):
            pass
        patient = threading.Thread(target=typed, args=(server.folder, "stop"))
        patient.start()
        wait_for(lambda: not is_ready(server))
        assert "stopping" in typed(server.folder, "status").stdout
        assert typed(server.folder, "stop", "--now").returncode == 0
        patient.join(DEADLINE)
    assert server._gone() == 0


def test_a_restart_keeps_options_folder_and_process_and_its_jobs_go_on(server: Any, acetate: Any, client: Client) -> None:
    """The client connects again by itself: where a state file says so, its address may be another."""
    before = server.address
    following = Client("follower")
    job = following.submit("foreground", Parameters(prompt="a kite @gate:go"))
    with following:
        events = following.follow(job, timeout=DEADLINE)
        while not isinstance(next(events), Started):
            pass
        done = acetate("restart", "--now")
        assert done.returncode == 0, done.stderr
        assert f"process {server.pid}" in done.stdout and server.address.token != before.token
        server.open_gate("go")
        assert isinstance(list(events)[-1], Finished)


# --- ending by itself, and being replaced ----------------------------------------------------------------------------


def test_a_server_that_an_editor_started_ends_when_it_is_not_needed(start_server: Any) -> None:
    server = start_server(until_idle=True, unused_seconds=0.4)
    assert server._gone() == 0
    assert [line["reason"] for line in server.log() if line["event"] == "stopping"] == ["nobody has needed the server"]


def test_a_server_that_a_person_started_does_not(start_server: Any) -> None:
    server = start_server(unused_seconds=0.01)
    assert json.loads((server.folder / "server.json").read_text()).get("until_idle") is None
    assert ask(server.address, "/status")["stopping"] is False


def test_an_editor_that_is_newer_than_the_server_gets_a_server_of_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Any
) -> None:
    """The old server's job comes to its end first; then the editor starts the program that is installed now."""
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    monkeypatch.setenv("ACETATE_FAKE", str(tmp_path))
    old, new = (
        SERVE if version is None else f"from acetate.protocol import messages; messages.VERSION = {version}\n{SERVE}"
        for version in (None, 2)
    )
    with Client("an old editor", launch=[sys.executable, "-c", old]) as before:
        following = before.follow(before.submit("foreground", Parameters(prompt="a kite @gate:go"), keep=True), timeout=DEADLINE)
        while not isinstance(next(following), Started):
            pass
        first = protocol.running_server()
        assert first is not None and first.until_idle
        newer = Client("a new editor", launch=[sys.executable, "-c", new])
        newer._connection._hello = protocol.messages.Hello(2, "a new editor", "a-session")
        monkeypatch.setattr(protocol.messages, "VERSION", 2)
        newer.connect()
        waiting = until(newer, lambda event: isinstance(event, Disconnected))[-1]
        assert waiting.failure.code == "server-stopped" and waiting.retry_in is not None
        (tmp_path / "go").touch()
        assert isinstance(list(following)[-1], Finished)
        before.close()
        until(newer, lambda event: isinstance(event, Connected))
        second = protocol.running_server()
        assert second is not None and second.pid != first.pid
        newer.close()
        process = psutil.Process(second.pid)
        process.terminate()
        process.wait(DEADLINE)
