"""Find the running server, or start `acetate serve` in the background, also from inside an editor.

Knows the state file, a command and what a server must not inherit; speaks no protocol.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from ssl import SSLCertVerificationError

from ..errors import Failure, ProtocolError
from ..home import URL, Address, chosen_address, home, running_server
from .server_requests import ask, prove

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
        """The address of a server that has proved to be one, started if need be, after telling `starting`.

        Raises `ProtocolError` without one, and `OSError` if nothing answers at the address that was given.
        """
        if (given := self._given()) is not None:
            _prove_given(given)
            return given
        try:
            found = _running()
        except ProtocolError:
            if self.command is None:
                raise
            found = None
        if found is not None:
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
        if failure.code != "server-too-old" or not self.is_local or self.command is None or running is None:
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
        return self._address is None and not os.environ.get(URL)

    def _given(self) -> Address | None:
        return self._address or chosen_address()

    def try_again(self) -> None:
        """Start a server although the last did not come up, as the person asks for it."""
        self._failure = self._replaced = None


def _prove_given(address: Address) -> None:
    """Nothing on this computer could replace the server of an address that was given: what is wrong is in the address."""
    try:
        prove(address)
    except ProtocolError as error:
        if error.failure.code != "not-the-server":
            raise
        said = f"what answers at {address.url} does not know this token, so it was told nothing"
        hint = (
            "Check the address and the token; one with a name may have been revoked. "
            "acetate token add, typed on that computer, gives a new one."
        )
        raise ProtocolError("not-the-server", said, hint) from None


def _running() -> Address | None:
    """The server of the state file; `None` if nothing answers there. Raises `ProtocolError` if something else does."""
    if (running := running_server()) is None:
        return None
    try:
        prove(running.address)
    except SSLCertVerificationError as error:
        raise ProtocolError("not-the-server", f"the certificate at {running.address.url} is not the server's: {error}") from error
    except OSError:
        return None
    return running.address


def pasted(command: Sequence[str]) -> str:
    """The command as a person can paste it into a terminal of this system, whatever is in its paths."""
    return subprocess.list2cmdline(command) if sys.platform == "win32" else shlex.join(command)


def _start(command: tuple[str, ...], given_up: threading.Event) -> Address:
    by_hand = f"Start it by hand: {pasted(command)}"
    try:
        process = start_server(command)
    except OSError as error:
        raise ProtocolError("cannot-start", f"the server cannot be started: {error}", by_hand) from None
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and not given_up.wait(0.05):
        wrong = None
        try:
            if (found := _running()) is not None:
                return found
        except ProtocolError as error:
            wrong = error
        if wrong is not None and process.poll() == 0:  # the server that runs already is it, and cannot prove to be one
            raise wrong
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
