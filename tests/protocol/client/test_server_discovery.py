"""Where the server is and how one is started, without starting one. Real servers are found and started in `tests/e2e`."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.protocol import Address, Failure, ProtocolError
from acetate.protocol.client import server_discovery
from acetate.protocol.client.server_discovery import ServerDiscovery, clean_environment, last_words, start_server

COMMAND = ("acetate", "serve")
FOUND = Address("ws://127.0.0.1:5/", "token")


class Polls(threading.Event):
    """Counts how often was to be waited, instead of waiting; the server is there after so many times."""

    def __init__(self, clock: SimpleNamespace, there_after: int | None = None) -> None:
        super().__init__()
        self.clock, self.there_after, self.count = clock, there_after, 0
        self.proved: list[Address] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.clock.now += timeout
        self.count += 1
        return self.is_set()

    def running(self) -> Address | None:
        return FOUND if self.there_after is not None and self.count >= self.there_after else None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Tells what the test sets."""
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(server_discovery, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, clock: SimpleNamespace) -> Callable[..., tuple[Polls, list[Any]]]:
    """What is found when looking, and the commands that were started; a process ends at once with this code."""
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))

    def arranged(there_after: int | None = None, code: int | None = None) -> tuple[Polls, list[Any]]:
        polls, started = Polls(clock, there_after), []  # type: Polls, list[Any]

        def start(command: tuple[str, ...]) -> Any:
            started.append(command)
            return SimpleNamespace(poll=lambda: code)

        monkeypatch.setattr(server_discovery, "_running", polls.running)
        monkeypatch.setattr(server_discovery, "prove", polls.proved.append)
        monkeypatch.setattr(server_discovery, "start_server", start)
        return polls, started

    return arranged


def nobody(command: tuple[str, ...]) -> None:
    raise AssertionError(f"{command} would be started")


# --- finding ---------------------------------------------------------------------------------------------------------


def test_an_address_that_was_given_is_not_looked_for(world: Any) -> None:
    polls, _ = world(there_after=0)
    given = Address("wss://studio.example:1/", "token")

    assert ServerDiscovery(given, COMMAND).find(nobody, polls) is given and polls.proved == [given]
    assert not ServerDiscovery(given, COMMAND).is_local and ServerDiscovery(None, None).is_local


def test_a_server_that_runs_is_found_and_no_other_is_started(world: Any) -> None:
    polls, _ = world(there_after=0)
    assert ServerDiscovery(None, COMMAND).find(nobody, polls) == FOUND


def test_who_may_not_start_a_server_is_told_that_there_is_none(world: Any) -> None:
    polls, started = world()
    with pytest.raises(ProtocolError) as error:
        ServerDiscovery(None, ()).find(nobody, polls)
    assert error.value.failure.code == "no-server" and not started


def test_the_state_file_of_a_killed_server_leads_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    with socket.socket() as bound:  # the port is taken, so that nobody else can listen there, and nobody does
        bound.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{bound.getsockname()[1]}/"
        (tmp_path / "server.json").write_text(json.dumps({"url": url, "token": "t", "pid": 5, "protocol": 1}))
        with pytest.raises(ProtocolError, check=lambda error: error.failure.code == "no-server"):
            ServerDiscovery(None, None).find(nobody, threading.Event())


def test_the_environment_names_a_server_that_is_never_started(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    polls, _ = world(there_after=0)
    monkeypatch.setenv("ACETATE_URL", "wss://studio.example:1/")
    finder = ServerDiscovery(None, COMMAND)
    with pytest.raises(ProtocolError, match="ACETATE_TOKEN"):
        finder.find(nobody, polls)
    monkeypatch.setenv("ACETATE_TOKEN", "a token")

    assert finder.find(nobody, polls) == Address("wss://studio.example:1/", "a token") and not finder.is_local
    assert polls.proved == [Address("wss://studio.example:1/", "a token")]


# --- starting --------------------------------------------------------------------------------------------------------


def test_a_server_is_started_once_told_of_first_and_waited_for(world: Any) -> None:
    polls, started = world(there_after=3)
    told: list[tuple[tuple[str, ...], int]] = []
    found = ServerDiscovery(None, list(COMMAND)).find(lambda command: told.append((command, len(started))), polls)

    assert found == FOUND and started == [COMMAND]
    assert told == [(COMMAND, 0)]


def test_one_that_found_another_just_starting_is_not_a_failure(world: Any) -> None:
    """It ends with code 0, before the other has written its address."""
    polls, started = world(there_after=3, code=0)
    assert ServerDiscovery(None, COMMAND).find(lambda command: None, polls) == FOUND
    assert started == [COMMAND]


def test_one_that_ends_at_once_is_not_waited_for_and_its_last_words_are_told(world: Any, tmp_path: Path) -> None:
    polls, _ = world(code=1)
    (tmp_path / "serve.out").write_text("Traceback\n  the moon is full  \n\n")
    with pytest.raises(ProtocolError, match="the moon is full") as error:
        ServerDiscovery(None, COMMAND).find(lambda command: None, polls)

    assert error.value.failure.code == "cannot-start" and "acetate serve" in error.value.failure.hint
    assert polls.count == 1


def test_one_that_says_nothing_is_given_up_after_a_while(world: Any, clock: SimpleNamespace) -> None:
    polls, _ = world()
    began = clock.now
    with pytest.raises(ProtocolError, check=lambda error: error.failure.code == "cannot-start"):
        ServerDiscovery(None, COMMAND).find(lambda command: None, polls)
    assert 0 <= clock.now - began - server_discovery.START_SECONDS < 1


def test_a_client_that_closes_does_not_wait_for_the_server_that_it_started(world: Any) -> None:
    polls, _ = world()
    polls.set()
    with pytest.raises(ProtocolError, check=lambda error: error.failure.code == "cannot-start"):
        ServerDiscovery(None, COMMAND).find(lambda command: None, polls)
    assert polls.count == 1


def test_one_that_did_not_come_up_is_started_again_after_a_pause_or_when_the_person_asks(
    world: Any, clock: SimpleNamespace
) -> None:
    """A client looks every second: a server that dies while starting would be started all the time."""
    polls, started = world(code=1)
    finder, failures = ServerDiscovery(None, COMMAND), []

    def look() -> int:
        with pytest.raises(ProtocolError) as error:
            finder.find(lambda command: None, polls)
        failures.append(error.value)
        return len(started)

    assert (look(), look()) == (1, 1) and failures[0] is failures[1]
    clock.now += server_discovery.PAUSE_SECONDS - 1
    assert look() == 1
    clock.now += 2
    assert look() == 2
    finder.try_again()
    assert look() == 3


def test_a_command_that_is_not_there_is_named(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    polls, _ = world()
    monkeypatch.setattr(server_discovery, "start_server", start_server)
    with pytest.raises(ProtocolError, match="no-such-program") as error:
        ServerDiscovery(None, ("/no-such-program",)).find(lambda command: None, polls)
    assert error.value.failure.code == "cannot-start"


# --- replacing -------------------------------------------------------------------------------------------------------

TOO_OLD = Failure("server-too-old", "the client speaks protocol 9")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What servers were asked over HTTP; they obey."""
    seen: list[tuple[str, str]] = []
    monkeypatch.setattr(
        server_discovery, "ask", lambda address, page, *, method: seen.append((method, f"{address.url[:-1]}{page}"))
    )
    return seen


def runs(folder: Path, **more: Any) -> None:
    said = {"url": FOUND.url, "token": FOUND.token, "pid": 5, "protocol": 1, "until_idle": True, **more}
    (folder / "server.json").write_text(json.dumps(said))


def test_a_server_that_is_too_old_is_asked_to_stop_and_waited_for_before_another_is_started(
    world: Any, tmp_path: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its last job runs it is still found, and still holds the folder."""
    polls, started = world(there_after=0)
    runs(tmp_path)
    finder = ServerDiscovery(None, COMMAND)
    assert finder.find(nobody, polls) == FOUND
    assert finder.replace(TOO_OLD) and asked == [("POST", "ws://127.0.0.1:5/stop")]
    with pytest.raises(ProtocolError, check=lambda error: error.failure.code == "server-stopped"):
        finder.find(nobody, polls)
    new = Address("ws://127.0.0.1:6/", "another token")
    monkeypatch.setattr(server_discovery, "_running", lambda: new if started else None)
    assert finder.find(lambda command: None, polls) == new and started == [COMMAND]


def test_it_is_replaced_once_until_the_person_asks_again(world: Any, tmp_path: Path, asked: list[Any]) -> None:
    """If the next is too old as well, it is the installed program that is: the person has to know."""
    world(there_after=0)
    runs(tmp_path)
    finder = ServerDiscovery(None, COMMAND)
    assert finder.replace(TOO_OLD) and not finder.replace(TOO_OLD)
    finder.try_again()
    assert finder.replace(TOO_OLD) and len(asked) == 2


@pytest.mark.parametrize(
    ("why", "said", "command", "address"),
    [
        ("a person has started it", {"until_idle": False}, COMMAND, None),
        ("nobody has said who started it", {"until_idle": None}, COMMAND, None),
        ("nothing could be started instead", {}, None, None),
        ("it is on another computer", {}, COMMAND, FOUND),
    ],
)
def test_a_server_is_left_alone_when(
    world: Any, tmp_path: Path, asked: list[Any], why: str, said: Any, command: Any, address: Any
) -> None:
    world(there_after=0)
    runs(tmp_path, **said)
    assert not ServerDiscovery(address, command).replace(TOO_OLD) and not asked, why


def test_the_local_server_is_left_alone_by_who_was_told_of_another(
    world: Any, tmp_path: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world(there_after=0)
    runs(tmp_path)
    monkeypatch.setenv("ACETATE_URL", "wss://studio.example/")
    monkeypatch.setenv("ACETATE_TOKEN", "a token")
    assert not ServerDiscovery(None, COMMAND).replace(TOO_OLD) and not asked


def test_for_any_other_failure_no_server_is_replaced(world: Any, tmp_path: Path, asked: list[Any]) -> None:
    world(there_after=0)
    runs(tmp_path)
    for code in ("client-too-old", "connection-lost", "unauthorized"):
        assert not ServerDiscovery(None, COMMAND).replace(Failure(code, "no")) and not asked


# --- the process -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sandbox", [False, True], ids=["host", "flatpak"])
def test_a_started_server_runs_on_the_host_and_prints_into_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sandbox: bool
) -> None:
    made: list[tuple[list[str], dict[str, Any]]] = []
    process = SimpleNamespace(poll=lambda: None)
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(server_discovery, "_children", [])
    monkeypatch.setattr(server_discovery.os.path, "exists", lambda path: sandbox)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **options: made.append((command, options)) or process)
    assert start_server(COMMAND) is process

    ((command, options),) = made
    assert command == [*(["flatpak-spawn", "--host"] if sandbox else []), *COMMAND]
    assert options["stdout"].name == str(tmp_path / "state" / "serve.out") and options["start_new_session"]
    assert server_discovery._children == [process], "kept, so that it can be asked whether it has ended"


def test_a_started_server_inherits_nothing_of_the_editors_bundle() -> None:
    bundle = {
        "PYTHONHOME": "/tmp/.mount_krita",
        "LD_LIBRARY_PATH": "/x",
        "QT_PLUGIN_PATH": "/y",
        "HOME": "/home/artist",
        "PATH": "/bin",
    }

    assert clean_environment(bundle) == {"HOME": "/home/artist", "PATH": "/bin"}


def test_last_words_are_one_line_of_bounded_length_also_where_there_are_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    silent = last_words()
    (tmp_path / "serve.out").write_bytes(b"\xff\n" + b"x" * 10_000)

    assert silent and last_words() == "x" * 500
