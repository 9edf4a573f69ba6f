"""Keeps a client connected: find the server, greet it, read until the connection breaks, wait a little, again.

Knows one connection's life and why there is none at the moment; what is said over it is the link's.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from . import events as happened
from . import messages as wire
from .connection import ConnectionClosed, explain, farewell, open_connection
from .errors import Failure, ProtocolError
from .frames import unpack
from .job_session import JobSession
from .server_discovery import START_SECONDS, ServerDiscovery

FIRST_RETRY, LAST_RETRY = 0.1, 5.0
LAST_LOCAL_RETRY = 1.0
"""Seconds between attempts, doubling from the first to the last. Looking for a server on this computer costs next to nothing."""
JOIN_SECONDS = 3.0
FINAL = ("client-too-old", "server-too-old", "forbidden")
"""Failures that trying again does not cure."""


class Reconnecting:
    """Thread-safe; a reading thread lives inside from `begin` to `end`."""

    def __init__(
        self, hello: wire.Hello, finder: ServerDiscovery, link: JobSession, deliver: Callable[[happened.Event], None]
    ) -> None:
        self.welcome: wire.Welcome | None = None
        self.failure: Failure | None = None
        self.connected = False
        self._hello, self._finder, self._link, self._deliver = hello, finder, link, deliver
        self._state = threading.Condition()
        self._disconnected_at = 0.0
        self._stopped: Failure | None = None
        """Said by the last server when it was stopped: nobody need wait for it, unless this client starts another."""
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Harmless when already begun."""
        self._finder.try_again()
        if self._thread is None or not self._thread.is_alive():
            self._closing.clear()
            self._thread = threading.Thread(target=self._stay_connected, name="acetate-client", daemon=True)
            self._thread.start()

    def wait(self, timeout: float) -> wire.Welcome:
        """Until there is a connection. Raises `ProtocolError` with the reason why there is none."""
        with self._state:
            self._state.wait_for(lambda: self.connected or (self.failure is not None and self.failure.code in FINAL), timeout)
            if self.connected and self.welcome is not None:
                return self.welcome
            failure = self.failure or Failure("no-server", f"no server answered within {timeout:g} s")
        raise ProtocolError(failure.code, failure.message, failure.hint)

    def end(self) -> None:
        """Hang up."""
        self._closing.set()
        self._link.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_SECONDS)

    @property
    def hopeless(self) -> Failure | None:
        """Why nobody need wait for a connection any more: at once after a server that was stopped, later after one that broke
        down and may be back in a moment."""
        stopped, failure, since = self._stopped, self.failure, self._disconnected_at
        if stopped is not None and not self._finder.command:
            return stopped
        if failure is not None and (failure.code in FINAL or time.monotonic() - since > START_SECONDS):
            return failure
        return None

    def _stay_connected(self) -> None:
        """The reading thread: connect, serve until the connection breaks, wait a little longer each time, again."""
        delay = FIRST_RETRY
        while not self._closing.is_set():
            try:
                failure = self._one_connection()
                delay, self._disconnected_at = FIRST_RETRY, time.monotonic()
                self._stopped = failure if failure.code == "server-stopped" else None
            except Exception as error:  # whatever a network and a library between them raise, it is tried again
                if self.failure is None:
                    delay, self._disconnected_at = FIRST_RETRY, time.monotonic()
                failure = explain(error)
            if self._closing.is_set():
                return
            final = failure.code in FINAL
            with self._state:
                self.connected, self.failure = False, failure
                self._state.notify_all()
            self._deliver(happened.Disconnected(failure, None if final else delay))
            if final or self._closing.wait(delay * random.uniform(0.8, 1.2)):
                return
            delay = min(2 * delay, LAST_LOCAL_RETRY if self._finder.is_local else LAST_RETRY)

    def _one_connection(self) -> Failure:
        """From looking for a server to the end of the connection, and why it ended."""
        address = self._finder.find(lambda command: self._deliver(happened.Starting(command)), self._closing)
        with contextlib.closing(open_connection(address)) as connection:
            connection.send(wire.to_text(self._hello))
            welcome = _greeting(connection.recv(timeout=10))
            with self._state:
                self.welcome, self.failure, self._stopped, self.connected = welcome, None, None, True
                self._state.notify_all()
            self._deliver(happened.Connected(welcome))
            with self._link.over(connection, welcome.encoding):
                try:
                    while not self._closing.is_set():
                        self._take(connection.recv())
                except ConnectionClosed as closed:
                    return farewell(closed)
        return Failure("connection-lost", "the client has hung up")

    def _take(self, frame: str | bytes) -> None:
        if isinstance(frame, str):
            message = wire.from_server(frame)
            if isinstance(message, wire.Engine) and self.welcome is not None:
                self.welcome = replace(self.welcome, engine=message)
                self._deliver(message)
            elif message is not None:
                self._link.message(message)
        elif (part := unpack(frame)) is not None:
            self._link.part(*part)


def _greeting(text: str | bytes) -> wire.Welcome:
    answer = wire.from_server(text) if isinstance(text, str) else None
    if isinstance(answer, wire.Error):
        raise ProtocolError(answer.failure.code, answer.failure.message, answer.failure.hint)
    if not isinstance(answer, wire.Welcome):
        raise ProtocolError("server-too-old", "the server did not answer hello with welcome", "Is it an Acetate server?")
    return answer
