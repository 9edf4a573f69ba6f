"""Keeps a client connected: find the server, greet it, read and write until the connection breaks, wait a little, again.

Knows threads, one connection's life and why there is none at the moment; what is said over it, `JobSession` decides.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import messages as wire
from ..errors import Failure, ProtocolError
from ..frames import unpack
from . import events as happened
from .connection import ConnectionClosed, explain, farewell, open_connection
from .job_session import JobSession, Outgoing, PendingJob
from .server_discovery import START_SECONDS, ServerDiscovery

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

FIRST_RETRY, LAST_RETRY = 0.1, 5.0
LAST_LOCAL_RETRY = 1.0
"""Pauses between attempts, in seconds, doubling up to the last. Looking for a server on this computer costs next to nothing."""
JOIN_SECONDS = 3.0
FINAL = ("client-too-old", "server-too-old", "forbidden")
"""Failures that trying again does not cure."""
REPLACED = Failure("server-stopped", "the server is older than this plug-in and is being replaced", "It takes a moment.")


class Reconnecting:
    """The thread-safe shell around a `JobSession`: a reading thread lives inside from `begin` to `end`, and a writing thread as
    long as each connection. `deliver` is called by the reading thread."""

    def __init__(self, hello: wire.Hello, finder: ServerDiscovery, deliver: Callable[[happened.Event], None]) -> None:
        self.welcome: wire.Welcome | None = None
        self.failure: Failure | None = None
        self.connected = False
        self._hello, self._finder, self._deliver = hello, finder, deliver
        self._session = JobSession()
        self._changed = threading.Condition()
        """Held around every use of the session and of what is said about the connection. Events are delivered with it held: a job
        that the session does not tell any more has its end where its events go."""
        self._sending = False
        """Whether the writing thread is sending something."""
        self._disconnected_at = 0.0
        self._stopped: Failure | None = None
        """What the last server said when it was stopped: waiting for it is no use, unless this client starts another."""
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start connecting in the background. Harmless when already begun."""
        self._finder.try_again()
        if self._thread is None or not self._thread.is_alive():
            self._closing.clear()
            self._thread = threading.Thread(target=self._stay_connected, name="acetate-client", daemon=True)
            self._thread.start()

    def wait(self, timeout: float) -> wire.Welcome:
        """Wait until there is a connection. Raises `ProtocolError` with the reason why there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self.connected or (self.failure is not None and self.failure.code in FINAL), timeout)
            if self.connected and self.welcome is not None:
                return self.welcome
            failure = self.failure or Failure("no-server", f"no server answered within {timeout:g} s")
        raise ProtocolError(failure.code, failure.message, failure.hint)

    @contextlib.contextmanager
    def session(self) -> Iterator[JobSession]:
        """The jobs, for the calling thread alone; what there is to send afterwards is sent."""
        with self._changed:
            yield self._session
            self._changed.notify_all()

    def end(self, flush_seconds: float) -> None:
        """Hang up as soon as the server has what was asked for, or after `flush_seconds`."""
        with self._changed:
            if self.connected:
                self._changed.wait_for(lambda: self._session.is_flushed and not self._sending, flush_seconds)
            self._closing.set()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_SECONDS)

    @property
    def hopeless(self) -> Failure | None:
        """Why waiting for a connection is no use any more: at once after a server that was stopped, later after one that broke
        down and may be back in a moment."""
        stopped, failure, since = self._stopped, self.failure, self._disconnected_at
        if stopped is not None and not self._finder.command:
            return stopped
        if failure is not None and (failure.code in FINAL or time.monotonic() - since > START_SECONDS):
            return failure
        return None

    # --- the reading thread ------------------------------------------------------------------------------------------

    def _stay_connected(self) -> None:
        """Connect, serve until the connection breaks, wait a little longer each time, again."""
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
            if self._finder.replace(failure):
                failure = REPLACED
            final = failure.code in FINAL
            with self._changed:
                self.connected, self.failure = False, failure
                self._changed.notify_all()
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
            with self._writing(connection, welcome):
                try:
                    while not self._closing.is_set():
                        self._take(connection.recv())
                except ConnectionClosed as closed:
                    return farewell(closed)
        return Failure("connection-lost", "the client has hung up")

    def _take(self, frame: str | bytes) -> None:
        message = wire.from_server(frame) if isinstance(frame, str) else unpack(frame)
        if message is None:
            return
        with self.session() as session:
            if isinstance(message, wire.Engine) and self.welcome is not None:
                self.welcome = replace(self.welcome, engine=message)
            for event in session.receive_part(*message) if isinstance(message, tuple) else session.receive(message):
                self._deliver(event)

    # --- the writing thread ------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _writing(self, connection: ClientConnection, welcome: wire.Welcome) -> Iterator[None]:
        """The session works over this connection."""
        with self.session() as session:
            self.welcome, self.failure, self._stopped, self.connected = welcome, None, None, True
            self._deliver(happened.Connected(welcome))
            session.connected(welcome.encoding)
        writer = threading.Thread(target=self._write, args=(connection,), name="acetate-client-writer", daemon=True)
        writer.start()
        try:
            yield
        finally:
            with self.session() as session:
                session.disconnected()
            connection.close()
            writer.join()

    def _write(self, connection: ClientConnection) -> None:
        """Send what the session gives, and hang up when the client closes."""
        try:
            while (item := self._next_to_send()) is not None:
                if isinstance(item, PendingJob):
                    names = item.names()
                    with self.session() as session:
                        session.offer(item, names)
                else:
                    connection.send(item if isinstance(item, bytes) else wire.to_text(item))
        except Exception:  # whatever broke the connection, the reading thread sees and reports it
            pass
        finally:
            connection.close()

    def _next_to_send(self) -> Outgoing | None:
        """Waits for it; `None` when the connection is gone or to be closed."""
        with self._changed:
            while True:
                self._sending = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._session.has_work or self._closing.is_set() or not self._session.is_connected)
                if self._closing.is_set() or not self._session.is_connected:
                    return None
                if (item := self._session.next_to_send()) is not None:
                    self._sending = True
                    return item


def _greeting(text: str | bytes) -> wire.Welcome:
    answer = wire.from_server(text) if isinstance(text, str) else None
    if isinstance(answer, wire.Error):
        raise ProtocolError(answer.failure.code, answer.failure.message, answer.failure.hint)
    if not isinstance(answer, wire.Welcome):
        raise ProtocolError("server-too-old", "the server did not answer hello with welcome", "Is it an Acetate server?")
    return answer
