"""Find the running server, or start one. Knows the state file and a command; speaks no protocol."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence

from .errors import ProtocolError
from .home import Address, running_server
from .launch import last_words, start_server

START_SECONDS = 30.0
"""A server that has been started must answer within this time."""

PAUSE_SECONDS = 60.0
"""A server that did not come up is not started again before."""


class ServerDiscovery:
    """Where the server is, asked anew for every attempt to connect: a restarted one has another port and token."""

    def __init__(self, address: Address | None, command: Sequence[str] | None) -> None:
        self.command = tuple(command) if command else None
        self._address = address
        self._failure: ProtocolError | None = None
        self._failed_at = 0.0

    def find(self, starting: Callable[[tuple[str, ...]], None], given_up: threading.Event) -> Address:
        """The address to try. Starts a server when none is there and one may be started, after telling `starting`."""
        if self._address is not None:
            return self._address
        if (found := _running()) is not None:
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

    @property
    def is_local(self) -> bool:
        """Whether the server is looked for on this computer."""
        return self._address is None

    def try_again(self) -> None:
        """The person has asked for it: start a server though the last did not come up."""
        self._failure = None


def answers(address: Address) -> bool:
    """Whether anything listens there: a state file may be left over from a killed server."""
    host, _, port = address.url.split("://", 1)[1].rstrip("/").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=2).close()
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
