"""A real server process with the fake engine, and clients that speak to it: what all end-to-end tests share."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import psutil
import pytest
from acetate import protocol
from acetate.engine import Picture, Request
from acetate.protocol import Address, Client, LayerReady
from acetate.server.settings import FAKE_ENGINE
from acetate.server.worker.fake_engine import FakeEngine

SERVE = """
import json, pathlib, sys
from acetate.server.http.serve import run
from acetate.server.settings import Settings
values = json.loads(sys.argv[1])
for name in ("tls_certificate", "tls_key"):
    if name in values:
        values[name] = pathlib.Path(values[name])
sys.exit(run(Settings(**values)))
"""
DEADLINE = 300.0
"""Seconds after which a test gives up; nothing here takes longer unless it is broken."""


class ServerProcess:
    """A server of its own in a folder of its own. It can be killed and started again over the same folder."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.settings = {"port": 0, "engine": FAKE_ENGINE, "restart_seconds": [0], "drain_seconds": 0, **settings}
        self.process: subprocess.Popen[str] | None = None
        self._printed: list[str] = []

    def start(self) -> ServerProcess:
        environment = {**os.environ, "ACETATE_HOME": str(self.folder), "ACETATE_FAKE": str(self.folder)}
        command = [sys.executable, "-c", SERVE, json.dumps(self.settings)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True)
        self._printed, listens = [], threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout, listens))
        self._reader.start()
        assert listens.wait(DEADLINE) and "listens" in self.printed, self.printed
        return self

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def address(self) -> Address:
        said = json.loads((self.folder / "server.json").read_text())
        return Address(said["url"], said["token"], said.get("cafile"))

    @property
    def port(self) -> int:
        return int(self.address.url.rstrip("/").rsplit(":", 1)[1])

    def kill(self) -> None:
        """As a power cut does: no chance to save anything."""
        assert self.process is not None
        self.process.kill()
        self._gone()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """As a person or the system does; returns the exit code and what was printed."""
        assert self.process is not None
        self.process.send_signal(number)
        return self._gone(), self.printed

    @property
    def printed(self) -> str:
        return "".join(self._printed)

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "server.log").read_text().splitlines()]

    def worker(self, lane: str = "engine") -> psutil.Process:
        """The lane's process, among the server's children; waits until there is one."""
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            for child in psutil.Process(self.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):  # a dead one that nobody has buried yet
                    if f"--lane {lane}" in " ".join(child.cmdline()):
                        return child
            threading.Event().wait(0.005)
        raise AssertionError(f"the server has no worker for {lane}")

    def wait_until_held(self, seed: int) -> None:
        """A job with `@hold:STAGE` in its prompt has come to that stage."""
        deadline = time.monotonic() + DEADLINE
        while not (self.folder / f"held-{seed}").exists():
            assert time.monotonic() < deadline
            threading.Event().wait(0.005)

    def open_gate(self, name: str) -> None:
        """Let a job with `@gate:NAME` in its prompt go on."""
        (self.folder / name).touch()

    def _gone(self) -> int:
        assert self.process is not None
        code = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        self.process = None
        return code

    def _read(self, output: IO[str], listens: threading.Event) -> None:
        with output:
            for line in output:
                self._printed.append(line)
                if "listens" in line:
                    listens.set()
        listens.set()


Starter = Callable[..., ServerProcess]


@pytest.fixture
def start_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Starter]:
    """Start a server with these settings; it is stopped with the test. `ACETATE_HOME` is the first one's folder."""
    with _starter(tmp_path) as start:
        monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "server"))
        monkeypatch.setenv("ACETATE_FAKE", str(tmp_path / "server"))
        yield start


@pytest.fixture
def server(start_server: Starter) -> ServerProcess:
    """A server for one test."""
    return start_server()


@pytest.fixture(scope="session")
def start_in() -> Callable[[Path], contextlib.AbstractContextManager[Starter]]:
    """For modules with a server of their own kind: `with start_in(folder) as start`."""
    return _starter


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server for all tests of a module that leave nothing behind; such a module makes its `server` from it."""
    with _starter(tmp_path_factory.mktemp("shared")) as start:
        yield start()


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    with Client("test", address=server.address) as connected:
        yield connected


@contextlib.contextmanager
def _starter(folder: Path) -> Iterator[Starter]:
    started: list[ServerProcess] = []

    def start(name: str = "server", **settings: Any) -> ServerProcess:
        place = folder / name
        place.mkdir(exist_ok=True)
        server = ServerProcess(place, **settings).start()
        started.append(server)
        return server

    try:
        yield start
    finally:
        for server in started:
            if server.process is not None:
                server.kill()


@pytest.fixture
def drawn() -> Callable[..., list[Picture]]:
    """What the fake engine draws for a request, without any server."""

    def draw(**values: Any) -> list[Picture]:
        return [item for item in FakeEngine().run(Request(**values)) if isinstance(item, Picture)]

    return draw


@pytest.fixture
def until() -> Callable[..., list[protocol.Event]]:
    """Collect a client's events until one satisfies the condition."""

    def collect(client: Client, wanted: Callable[[protocol.Event], bool], timeout: float = DEADLINE) -> list[protocol.Event]:
        found: list[protocol.Event] = []
        while not found or not wanted(found[-1]):
            found.append(client.events.get(timeout=timeout))
        return found

    return collect


@pytest.fixture
def layers_of() -> Callable[..., list[LayerReady]]:
    def layers(events: list[protocol.Event], job: str | None = None) -> list[LayerReady]:
        return [event for event in events if isinstance(event, LayerReady) and job in (None, event.job)]

    return layers
