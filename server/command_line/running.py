"""The server that runs on this computer, for the commands that look after it. Knows its state file and its pages; no job."""

from __future__ import annotations

import time
from typing import Any

import psutil
from acetate.protocol import ProtocolError, RunningServer, home, running_server
from acetate.protocol.client.server_requests import ask

from .exit_codes import NotRunningError

LOOK_SECONDS = 0.1


def find() -> RunningServer:
    """The server that the state file names. Raises `NotRunningError` without one; whether it lives, only asking tells."""
    running = running_server()
    if running is None:
        raise NotRunningError(f"no server is running (there is no {home() / 'server.json'})")
    return running


def status(running: RunningServer) -> dict[str, Any]:
    """What the server says about itself, with its URL. Raises `NotRunningError` when it does not answer there."""
    return {"running": True, "url": running.address.url, **_asked(running, "/status")}


def _asked(running: RunningServer, page: str, method: str = "GET") -> dict[str, Any]:
    try:
        return ask(running.address, page, method=method)
    except ProtocolError as error:
        if error.failure.code not in ("connection-lost", "not-the-server"):
            raise
        lives = psutil.pid_exists(running.pid)
        process = f"process {running.pid} {'is there and does not answer' if lives else 'has ended'}"
        raise NotRunningError(f"no server answers, although there is a {home() / 'server.json'}: {error}; {process}") from None


class Ending:
    """A server that is asked to end, and the wait until it has."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self._process = _process(running.pid)

    def ask(self, *words: str) -> float:
        """Ask it to end, `now` or not, with a `restart` or without; returns the seconds that its jobs may still take."""
        query = "?" + "&".join(words) if words else ""
        return float(_asked(self.running, f"/stop{query}", "POST")["seconds"])

    def wait(self, seconds: float) -> bool:
        """Whether the process has ended within that time."""
        return _within(seconds, lambda: self._process is None or _has_ended(self._process))

    def wait_for_successor(self, seconds: float) -> RunningServer | None:
        """The server that has come in its place within that time."""
        found: list[RunningServer] = []

        def look() -> bool:
            running = running_server()
            if running is not None and running.address != self.running.address:
                found.append(running)
            return bool(found) or (self._process is not None and _has_ended(self._process))

        _within(seconds, look)
        return found[0] if found else running_server()


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _within(seconds: float, condition: Any) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True
