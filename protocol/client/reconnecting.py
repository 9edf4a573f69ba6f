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
from ..home import Address
from ..link import Link
from . import events as happened
from .connection import ConnectionClosed, explain, farewell, next_frame, open_connection
from .job_session import JobSession, Outgoing
from .pending_job import PendingJob
from .server_discovery import START_SECONDS, ServerDiscovery

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

FIRST_RETRY, LAST_RETRY = 0.1, 5.0
LAST_LOCAL_RETRY = 1.0
"""Pauses between attempts, in seconds, doubling up to the last. Looking for a server on this computer costs next to nothing."""
JOIN_SECONDS = 3.0
MOST_DOUBLINGS = 10
STEADY_SECONDS = 30.0
"""A connection that has lasted so long was a good one: the pauses begin anew after it."""
MAX_SHORT_LIVES = 8
"""So many connections in a row that end sooner, and the server is given up until `begin` is called."""
SILENCE_SECONDS = 120.0
"""A server of which no byte comes for this time, not even the answer to a ping, is not there any more."""
TOLD_ATTEMPTS, TOLD_SECONDS = 3, 3.0
"""So many attempts must fail, and for so long, before the person is told why: a server that is started again is back by then."""
ANSWER_SECONDS = 10.0
"""How long a server may take to greet."""
FINAL = ("client-too-old", "server-too-old", "forbidden")
"""Failures that trying again does not cure."""
PASSING = ("connection-lost", "server-stopped")
"""Failures that may pass by themselves."""
UPDATE_BOTH = "Update both: pip install --upgrade acetate, then acetate plugin install all, then acetate restart"
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
        self._address: Address | None = None
        """Where the last connection went."""
        self._connected_at, self._disconnected_at = float("-inf"), 0.0
        self._stopped: Failure | None = None
        """What the last server said when it was stopped: waiting for it is no use, unless this client starts another."""
        self._given_up = False
        """Whether nothing is tried any more, until `begin` is called."""
        self._jitter = random.Random()  # of its own: the program around it may count on the global one
        self._failed_attempts, self._failing_since = 0, 0.0
        """How many attempts have failed in a row, and since when."""
        self._short_lives = 0
        """How many connections in a row to this server have ended soon after the greeting."""
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start connecting in the background. Harmless when already begun."""
        self._finder.try_again()
        if self._thread is None or not self._thread.is_alive():
            self._closing.clear()
            self._given_up, self._short_lives, self._failed_attempts = False, 0, 0
            self._thread = threading.Thread(target=self._stay_connected, name="acetate-client", daemon=True)
            self._thread.start()

    def wait(self, timeout: float) -> wire.Welcome:
        """Wait until there is a connection. Raises `ProtocolError` with the reason why there is none."""
        with self._changed:
            self._changed.wait_for(lambda: self.connected or self._given_up or self._needs_a_person, timeout)
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
        self.connected = False

    @property
    def url(self) -> str:
        """Where the last connection went; empty before the first."""
        return self._address.url if self._address is not None else ""

    @property
    def hopeless(self) -> Failure | None:
        """Why waiting for a connection is no use any more: at once after a server that was stopped, later after one that broke
        down and may be back in a moment."""
        stopped, failure, since = self._stopped, self.failure, self._disconnected_at
        if stopped is not None and not self._finder.command:
            return stopped
        if failure is not None and (self._given_up or time.monotonic() - since > START_SECONDS):
            return failure
        return None

    # --- the reading thread ------------------------------------------------------------------------------------------

    def _stay_connected(self) -> None:
        """Connect, serve until the connection breaks, wait a little longer each time, again."""
        attempts = 0
        while not self._closing.is_set():
            try:
                failure = self._one_connection()
            except Exception as error:  # whatever a network and a library between them raise, it is tried again
                failure = explain(error)
            if self._closing.is_set():
                return
            if self._finder.replace(failure):
                failure = REPLACED
            if self.failure is None:  # there was a connection
                attempts = self._judge_life(failure)
                if self._short_lives >= MAX_SHORT_LIVES:
                    failure = _unsteady(self._short_lives, failure)
            self._given_up = failure.code in FINAL or self._short_lives >= MAX_SHORT_LIVES
            delay = min(FIRST_RETRY * 2**attempts, self._longest_pause)
            attempts = min(attempts + 1, MOST_DOUBLINGS)
            with self._changed:
                self.failure = failure
                self._changed.notify_all()
            self._deliver(happened.Disconnected(failure, None if self._given_up else delay, self._is_settled(failure)))
            if self._given_up or self._closing.wait(delay * self._jitter.uniform(0.8, 1.2)):
                return

    def _is_settled(self, failure: Failure) -> bool:
        """Note that an attempt has failed, or a connection has ended. Returns whether the person is to be told."""
        now = time.monotonic()
        if not self._failed_attempts:
            self._failing_since = now
        self._failed_attempts += 1
        return self._given_up or failure.code in happened.HOPELESS or self._lasts

    @property
    def _lasts(self) -> bool:
        return self._failed_attempts >= TOLD_ATTEMPTS and time.monotonic() - self._failing_since >= TOLD_SECONDS

    @property
    def _needs_a_person(self) -> bool:
        """Whether the failure lasts and will not go away by itself, as that of a server which is still starting does."""
        return self._lasts and self.failure is not None and self.failure.code not in PASSING

    def _judge_life(self, failure: Failure) -> int:
        """Note that a connection has ended. Returns how many pauses have come before the next one: none after a good
        connection or an orderly end, and more and more while the server greets and then hangs up."""
        self._disconnected_at = time.monotonic()
        self._stopped = failure if failure.code == "server-stopped" else None
        good = self._stopped is not None or self._disconnected_at - self._connected_at >= STEADY_SECONDS
        self._short_lives = 0 if good else self._short_lives + 1
        return max(0, self._short_lives - 1)

    @property
    def _longest_pause(self) -> float:
        return LAST_LOCAL_RETRY if self._finder.is_local and not self._short_lives else LAST_RETRY

    def _one_connection(self) -> Failure:
        """From looking for a server to the end of the connection, and why it ended."""
        address = self._finder.find(lambda command: self._deliver(happened.Starting(command)), self._closing)
        if address != self._address:  # another server, which starts with a clean slate
            self._address, self._short_lives = address, 0
        with contextlib.closing(open_connection(address)) as connection:
            connection.send(wire.to_text(self._hello))
            welcome = _greeting(_answer(connection))
            with self._writing(connection, welcome):
                try:
                    while not self._closing.is_set():
                        self._take(next_frame(connection, SILENCE_SECONDS))
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
            self._connected_at, self._failed_attempts = time.monotonic(), 0
            self._deliver(happened.Connected(welcome))
            link = Link((welcome.encoding, *self._hello.encodings))
            session.connected(link)
        writer = threading.Thread(target=self._write, args=(connection, link), name="acetate-client-writer", daemon=True)
        writer.start()
        try:
            yield
        finally:
            with self.session() as session:
                session.disconnected()
                self.connected = False
            connection.close()
            writer.join()

    def _write(self, connection: ClientConnection, link: Link) -> None:
        """Send what the session gives, and hang up when the client closes."""
        try:
            while (item := self._next_to_send()) is not None:
                if isinstance(item, PendingJob):
                    names = item.names()
                    with self.session() as session:
                        session.offer(item, names)
                else:
                    frame = item if isinstance(item, bytes) else wire.to_text(item)
                    began = time.monotonic()
                    connection.send(frame)
                    link.sent(len(frame), time.monotonic() - began)
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


def _unsteady(count: int, last: Failure) -> Failure:
    message = f"the server has greeted {count} times and hung up soon after each time; the last: {last.message}"
    return Failure(last.code, message, "Look into the server's log (acetate doctor shows where), then connect again.")


def _answer(connection: ClientConnection) -> str | bytes:
    try:
        return connection.recv(timeout=ANSWER_SECONDS)
    except TimeoutError:
        said = f"the server took the connection, but has not greeted within {ANSWER_SECONDS:g} s"
        raise ProtocolError("connection-lost", said, "It may hang. Restart it: acetate restart") from None


def _greeting(text: str | bytes) -> wire.Welcome:
    try:
        answer = wire.from_server(text) if isinstance(text, str) else None
    except ProtocolError as error:
        said = f"the server's greeting cannot be read, as it is of another version: {error.failure.message}"
        raise ProtocolError("server-too-old", said, UPDATE_BOTH) from error
    if isinstance(answer, wire.Error):
        raise ProtocolError(answer.failure.code, answer.failure.message, answer.failure.hint)
    if not isinstance(answer, wire.Welcome):
        raise ProtocolError("server-too-old", "the server did not answer hello with welcome", UPDATE_BOTH)
    return answer
