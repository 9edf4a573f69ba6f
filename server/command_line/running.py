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
    """The server that the state file names. Raises `NotRunningError` when there is none, or when the file outlived it."""
    running = running_server()
    if running is None:
        raise NotRunningError(f"no server is running (there is no {home() / 'server.json'})")
    if not psutil.pid_exists(running.pid):
        raise NotRunningError(f"no server is running (process {running.pid}, which {home() / 'server.json'} names, has ended)")
    return running


def status(running: RunningServer) -> dict[str, Any]:
    """What the server says about itself, with its URL. Raises `NotRunningError` when nothing answers there."""
    try:
        return {"running": True, "url": running.address.url, **ask(running.address, "/status")}
    except ProtocolError as error:
        if error.failure.code != "connection-lost":
            raise
        raise NotRunningError(f"no server is running ({error})") from None


class Ending:
    """A server that is asked to end, and the wait until it has."""

    def __init__(self, running: RunningServer) -> None:
        self.running = running
        self._process = _process(running.pid)

    def ask(self, *words: str) -> float:
        """Ask it to end, `now` or not, with a `restart` or without; returns the seconds that its jobs may still take."""
        query = "?" + "&".join(words) if words else ""
        return float(ask(self.running.address, f"/stop{query}", method="POST")["seconds"])

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
