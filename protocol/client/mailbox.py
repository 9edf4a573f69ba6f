"""Where a client's events wait for its host: one queue for everything, and one of its own for a job that is being followed.

Knows events and who reads them; knows no connection.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator

from . import events as happened

Inbox = queue.Queue[happened.Event]


class Mailbox:
    """`deliver` is called by the client's threads, everything else by the host's."""

    def __init__(self) -> None:
        self.events: Inbox = queue.Queue()
        self._inboxes: dict[str, Inbox] = {}
        self._routing = threading.Lock()
        """A lock held while an event is put where it belongs, so that none gets lost when its place changes."""
        self._signal: tuple[socket.socket, socket.socket] | None = None

    def deliver(self, event: happened.Event) -> None:
        """Put an event where its job's events go, and make `fileno` readable."""
        with self._routing:
            inbox = self._inboxes.get(_job_of(event))
            if inbox is not None:
                inbox.put(event)
                return
            self.events.put(event)
            if self._signal is not None:
                with contextlib.suppress(BlockingIOError):
                    self._signal[1].send(b"!")

    def close(self) -> None:
        """Close the socket that `fileno` has given; events can still be taken."""
        with self._routing:
            pair, self._signal = self._signal, None
        for end in pair or ():
            end.close()

    @contextlib.contextmanager
    def inbox(self, job: str) -> Iterator[Inbox]:
        """A context with a queue in which the job's events arrive, including those that have not been read yet."""
        inbox: Inbox = queue.Queue()
        with self._routing:
            with self.events.mutex:
                waiting = list(self.events.queue)
                self.events.queue.clear()
                for event in waiting:
                    (inbox.queue if _job_of(event) == job else self.events.queue).append(event)
            self._inboxes[job] = inbox
        try:
            yield inbox
        finally:
            with self._routing:
                del self._inboxes[job]

    def poll(self) -> list[happened.Event]:
        """Take all events that wait."""
        if self._signal is not None:
            with contextlib.suppress(BlockingIOError):
                while self._signal[0].recv(4096):
                    pass
        found: list[happened.Event] = []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self.events.get_nowait())
        return found

    def fileno(self) -> int:
        """A socket that is readable while events wait."""
        if self._signal is None:
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            theirs.setblocking(False)
            self._signal = ours, theirs
            if not self.events.empty():
                theirs.send(b"!")
        return self._signal[0].fileno()


def holds_the_end(inbox: Inbox) -> bool:
    """Whether the last event of a job waits in its inbox."""
    return any(isinstance(event, happened.TERMINAL) for event in inbox.queue)


def _job_of(event: happened.Event) -> str:
    return getattr(event, "job", None) or ""
