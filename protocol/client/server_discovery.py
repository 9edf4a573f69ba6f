"""Find the running server, or start `acetate serve` in the background, also from inside an editor.

Knows the state file, a command and what a server must not inherit; speaks no protocol.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import Failure, ProtocolError
from ..home import Address, home, running_server
from .server_requests import ask

START_SECONDS = 30.0
"""A server that has been started must answer within this time."""

PAUSE_SECONDS = 60.0
"""A server that did not come up is not started again before this time has passed."""

_OWN = ("PYTHON", "LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_", "QT_", "GI_TYPELIB_PATH", "APPDIR", "APPIMAGE", "GEGL_", "BABL_")
"""Prefixes of variables that an editor's bundle sets for itself and that break another program's Python."""

_children: list[subprocess.Popen[bytes]] = []
"""Servers that this process started: kept, as nothing waits for them, and polled now and then so that none stays a zombie."""


class ServerDiscovery:
    """Finds the server before every attempt to connect, as a restarted one has another port and token."""

    def __init__(self, address: Address | None, command: Sequence[str] | None) -> None:
        self.command = tuple(command) if command else None
        self._address = address
        self._failure: ProtocolError | None = None
        self._failed_at = 0.0
        self._replaced: Address | None = None
        """The server that was too old and has been asked to stop."""

    def find(self, starting: Callable[[tuple[str, ...]], None], given_up: threading.Event) -> Address:
        """The address to try, of a server started if need be, after telling `starting`. Raises `ProtocolError` without one."""
        if self._address is not None:
            return self._address
        if (found := _running()) is not None:
            if found == self._replaced:
                raise ProtocolError("server-stopped", "an older server ends its last job; a new one is started then")
            return found
        if self.command is None:
            raise ProtocolError("no-server", "no server is running", "Start one: acetate serve")
        if self._failure is not None and time.monotonic() - self._failed_at < PAUSE_SECONDS:
            raise self._failure
        starting(self.command)
        try:
            found = _start(self.command, given_up)
        except ProtocolError as failure:
            self._failure, self._failed_at = failure, time.monotonic()
            raise
        self._failure = None
        return found

    def replace(self, failure: Failure) -> bool:
        """Ask a server that an editor has started, and that is too old, to stop when its job is over; whether it will. Once: if
        the next is too old as well, the installed program is."""
        running = running_server()
        if failure.code != "server-too-old" or self._address is not None or self.command is None or running is None:
            return False
        if not running.until_idle or self._replaced is not None:
            return False
        try:
            ask(running.address, "/stop", method="POST")
        except ProtocolError:
            return False
        self._replaced = running.address
        return True

    @property
    def is_local(self) -> bool:
        """Whether the server is looked for on this computer."""
        return self._address is None

    def try_again(self) -> None:
        """Start a server although the last did not come up, as the person asks for it."""
        self._failure = self._replaced = None


def answers(address: Address) -> bool:
    """Whether anything listens there: a state file may be left over from a killed server."""
    try:
        where = urllib.parse.urlsplit(address.url)
        socket.create_connection((where.hostname or "", where.port or 0), timeout=2).close()
    except (OSError, ValueError):
        return False
    return True


def _running() -> Address | None:
    running = running_server()
    return running.address if running is not None and answers(running.address) else None


def _start(command: tuple[str, ...], given_up: threading.Event) -> Address:
    by_hand = "Start it by hand: " + " ".join(command)
    try:
        process = start_server(command)
    except OSError as error:
        raise ProtocolError("cannot-start", f"the server cannot be started: {error}", by_hand) from None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not given_up.wait(0.05):
        if (found := _running()) is not None:
            return found
        if process.poll() not in (None, 0):  # 0: it has found another one that is just starting
            raise ProtocolError("cannot-start", f"the server ended at once: {last_words()}", by_hand)
    raise ProtocolError("cannot-start", f"the server did not answer within {START_SECONDS:g} s: {last_words()}", by_hand)


# --- the process ----------------------------------------------------------------------------------------------------


def start_server(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the server detached: it outlives the editor. What it prints goes to `output_file()`."""
    home().mkdir(parents=True, exist_ok=True, mode=0o700)
    arguments = list(command)
    if os.path.exists("/.flatpak-info"):
        arguments = ["flatpak-spawn", "--host", *arguments]
    _children[:] = [child for child in _children if child.poll() is None]
    with output_file().open("wb") as output:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=clean_environment(os.environ),
            cwd=Path.home(),
            start_new_session=sys.platform != "win32",
            creationflags=_windows_flags(),
        )
    _children.append(process)
    return process


def output_file() -> Path:
    """The file that takes what a server started from here prints."""
    return home() / "serve.out"


def last_words() -> str:
    """The last line that a server which did not come up has printed, or that there is none."""
    try:
        lines = output_file().read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1][:500] if lines else "it printed nothing"


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what belongs to the editor's own bundle."""
    return {name: value for name, value in environment.items() if not name.startswith(_OWN)}


def _windows_flags() -> int:
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
