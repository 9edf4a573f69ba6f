"""The client: one connection in worker threads, reconnecting by itself; what happens arrives in a queue.

Knows the wire and its own jobs; knows no editor. No method blocks on the network (except where its name says *wait* or *run*),
and the host's code is never called from another thread.
"""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from acetate.vocabulary.layered_files import WireFile
from acetate.vocabulary.names import clean
from acetate.vocabulary.parameters import values_of

from .. import messages as wire
from ..errors import Failure, ProtocolError
from ..home import Address
from . import events as happened
from .mailbox import Inbox, Mailbox, holds_the_end
from .pending_job import PendingJob, reference
from .reconnecting import Reconnecting
from .server_discovery import START_SECONDS, ServerDiscovery
from .transfers import Content, announce

Priority = Literal["normal", "front", "replace"]

UNNAMED = "0" * 64
"""Stands in for the name of content that is hashed in the background."""

FLUSH_SECONDS = 2.0
"""How long what was asked for just before `close` may take to reach the server."""


class Client:
    """Talks to one server. `name` says who it is, such as `krita 5.2 acetate 0.1`.

    Without an `address` the running server is looked up in its state file before every attempt. With `launch`, a command such
    as `["acetate", "serve"]`, a server is started when none answers. `session` should be kept by hosts that want the same place
    in the queue after a restart.
    """

    def __init__(
        self,
        name: str,
        *,
        address: Address | None = None,
        launch: Sequence[str] | None = None,
        session: str | None = None,
        formats: Sequence[str] = ("rgba8",),
        encodings: Sequence[str] = ("raw", "zlib"),
    ) -> None:
        self._mailbox = Mailbox()
        self.events = self._mailbox.events
        """Everything that happens, in order. Read it with `poll` (from a timer) or `get` (in a script)."""
        self._format = formats[0]
        self.session = session or secrets.token_hex(16)
        """Whose turn its jobs wait for; the server's list of jobs names it."""
        hello = wire.Hello(wire.VERSION, clean(name), self.session, tuple(formats), tuple(encodings))
        self._connection = Reconnecting(hello, ServerDiscovery(address, launch), self._mailbox.deliver)

    # --- the connection ----------------------------------------------------------------------------------------------

    @property
    def welcome(self) -> wire.Welcome | None:
        """The last server's greeting, with the newest state of its engine; `None` before the first."""
        return self._connection.welcome

    @property
    def url(self) -> str:
        """Where the server of the present or last connection is; empty before the first."""
        return self._connection.url

    @property
    def failure(self) -> Failure | None:
        """Why there is no connection now; `None` while there is one."""
        return self._connection.failure

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._connection.connected

    def connect(self) -> None:
        """Start connecting in the background and keep connected. Harmless when that is already so."""
        self._connection.begin()

    def wait_until_connected(self, timeout: float = START_SECONDS) -> wire.Welcome:
        """Connect and wait, in a script. Raises `ProtocolError` with the reason why there is no connection."""
        self._connection.begin()
        return self._connection.wait(timeout)

    def close(self) -> None:
        """Hang up, as soon as the server has what was asked for, or cannot take it within `FLUSH_SECONDS`. Jobs go on at the
        server unless they were submitted with `keep=False`. The socket of `fileno` is closed."""
        self._connection.end(FLUSH_SECONDS)
        self._mailbox.close()

    def __enter__(self) -> Client:
        self.wait_until_connected()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- events ------------------------------------------------------------------------------------------------------

    def poll(self) -> list[happened.Event]:
        """Take all events that wait, without blocking: from a timer of 20 to 50 ms, or when `fileno()` becomes readable."""
        return self._mailbox.poll()

    def fileno(self) -> int:
        """A socket that is readable while events wait: for `QSocketNotifier`, `GLib.io_add_watch` or `select`."""
        return self._mailbox.fileno()

    # --- jobs --------------------------------------------------------------------------------------------------------

    def submit(
        self,
        task: str,
        parameters: wire.Parameters | None = None,
        conditions: Mapping[str, Condition] | None = None,
        *,
        references: Sequence[Condition] = (),
        box: wire.Box | None = None,
        name: str = "",
        format: str | None = None,
        previews: bool = True,
        crop: bool = True,
        priority: Priority = "normal",
        keep: bool = True,
        job: str | None = None,
    ) -> str:
        """Ask for layers; returns the job's id at once. Pictures in `conditions` (keys `source`, `mask`, `foreground`,
        `background`, `blended`) and the `references` of an edit are hashed and uploaded in the background, each content once."""
        job = job or new_job_id()
        given = dict(conditions or {})
        contents = {role: condition.content for role, condition in given.items()}
        contents |= {reference(index): one.content for index, one in enumerate(references)}
        asked = wire.Submit(
            job,
            task,
            parameters or wire.Parameters(),
            wire.Conditions(
                references=tuple(wire.Placed(UNNAMED, one.x, one.y) for one in references),
                **{role: wire.Placed(UNNAMED, one.x, one.y) for role, one in given.items()},
            ),
            box=box,
            name=clean(name),
            format=format or self._format,  # type: ignore[arg-type]
            previews=previews,
            crop=crop,
            priority=priority,
            keep=keep,
        )
        try:
            wire.refuse(values_of(asked.parameters))
        except ProtocolError as error:  # here, as JSON could not even carry some of it, such as NaN
            self._mailbox.deliver(wire.Failed(job, error.failure))
            return job
        with self._connection.session() as session:
            session.begin(PendingJob(asked, contents))
        return job

    def insert_file(
        self, data: bytes, file: WireFile, *, x: int = 0, y: int = 0, format: str | None = None, job: str | None = None
    ) -> str:
        """Ask for the layers of a PSD, OpenRaster or PNG file, given as bytes; its top left corner goes to (x, y)."""
        job = job or new_job_id()
        asked = wire.Insert(job, UNNAMED, file, format or self._format, x, y)  # type: ignore[arg-type]
        with self._connection.session() as session:
            session.begin(PendingJob(asked, {"file": data}))
        return job

    def export(
        self,
        jobs: Sequence[str],
        file: WireFile,
        *,
        pictures: Sequence[int] = (),
        width: int | None = None,
        height: int | None = None,
        job: str | None = None,
    ) -> str:
        """Ask for finished jobs, or only some of their pictures, as one layered file; it arrives as `FileReady`."""
        job = job or new_job_id()
        asked = wire.Export(job, tuple(jobs), file, width, height, tuple(pictures))
        with self._connection.session() as session:
            session.begin(PendingJob(asked))
        return job

    def upload(self, content: Content) -> str:
        """Send a picture (or file) ahead of its use; returns its SHA-256, which a `Condition` takes. Hashes on this thread."""
        sha256 = announce(content).sha256
        with self._connection.session() as session:
            session.upload(sha256, content)
        return sha256

    def attach(self, job: str, *, have: Sequence[int] = (), format: str | None = None) -> None:
        """Ask for a job of the past or of another client: its state, its layers (without those in `have`), its further events.
        One whose events are on their way to this client already goes on as it is."""
        message = wire.Attach(job, tuple(have), format or self._format)  # type: ignore[arg-type]
        with self._connection.session() as session:
            session.attach(message)

    def cancel(self, job: str) -> None:
        """Stop a job; `Cancelled` follows, or whatever came first."""
        with self._connection.session() as session:
            session.cancel(job)

    def advance(self, job: str) -> None:
        """Put a waiting job before all others of this person."""
        self._send(wire.Advance(job))

    def acknowledge(self, job: str) -> None:
        """Say that the result is safe in the artist's document. Until then the server does not evict it."""
        self._send(wire.Acknowledge(job))

    def discard(self, job: str, pictures: Sequence[int] = ()) -> None:
        """Delete a finished job from the history, or only some of its pictures; `Discarded` follows."""
        self._send(wire.Discard(job, tuple(pictures)))

    def star(self, job: str, picture: int, starred: bool = True) -> None:
        """Mark a picture of a finished job, or take the mark away; `Starred` follows."""
        self._send(wire.Star(job, picture, starred))

    def history(self, before: str | None = None, limit: int = 30, thumbnails: bool = True) -> None:
        """Ask for finished jobs, newest first; `HistoryPage` follows. `before` is the last id of the page before."""
        self._send(wire.ListHistory(before, limit, thumbnails))

    def jobs(self, before: str | None = None, limit: int = 2000) -> None:
        """Ask for the jobs that run, wait or are not acknowledged; `Jobs` follows. `before` is the last id of the page before."""
        self._send(wire.ListJobs(before, limit))

    def run(
        self,
        task: str,
        parameters: wire.Parameters | None = None,
        conditions: Mapping[str, Condition] | None = None,
        *,
        references: Sequence[Condition] = (),
        box: wire.Box | None = None,
        keep: bool = False,
        previews: bool = False,
        crop: bool = True,
        timeout: float | None = None,
    ) -> Iterator[happened.Event]:
        """Submit, in a script, and yield the job's events up to and including the last, which acknowledges what came.
        Closing the generator before cancels."""
        job = new_job_id()
        with self._mailbox.inbox(job) as inbox:
            asked: dict[str, Any] = {"references": references, "box": box, "keep": keep, "previews": previews, "crop": crop}
            self.submit(task, parameters, conditions, **asked, job=job)
            accepted = False  # a job that was refused has no event but its end
            for event in self._follow(job, inbox, timeout):
                if isinstance(event, happened.TERMINAL) and accepted:
                    self.acknowledge(job)
                accepted = True
                yield event

    def follow(self, job: str, timeout: float | None = None) -> Iterator[happened.Event]:
        """Yield a job's events, in a script, up to and including the last. Closing the generator cancels.

        The story of a job that this client has submitted goes on where it was read so far: what waits in `events` comes first.
        Any other job is attached to, and its whole story comes.
        """
        with self._mailbox.inbox(job) as inbox:
            with self._connection.session() as session:
                told = session.is_told(job)  # asked before looking: if it is not told, its end is here, or never comes by itself
            if not told and not holds_the_end(inbox):
                self.attach(job)
            yield from self._follow(job, inbox, timeout)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _send(self, message: wire.ClientMessage) -> None:
        with self._connection.session() as session:
            session.send(message)

    def _follow(self, job: str, inbox: Inbox, timeout: float | None) -> Iterator[happened.Event]:
        ended = False
        try:
            while not ended:
                event = self._next_of(job, inbox, timeout)
                ended = isinstance(event, happened.TERMINAL)
                yield event
        finally:
            if not ended:
                self.cancel(job)

    def _next_of(self, job: str, inbox: Inbox, timeout: float | None) -> happened.Event:
        """The job's next event. Raises `TimeoutError`, or `ProtocolError` when there is no server any more."""
        deadline = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while True:
            with contextlib.suppress(queue.Empty):
                return inbox.get(timeout=min(0.5, max(0.0, deadline - time.monotonic())))
            if time.monotonic() >= deadline:
                raise TimeoutError(f"nothing was heard of job {job} for {timeout:g} s")
            if (failure := self._connection.hopeless) is not None:
                raise ProtocolError(failure.code, failure.message, failure.hint)


class Condition:
    """A picture that a task works on, and where its top left pixel lies on the canvas."""

    def __init__(self, content: Content | str, x: int = 0, y: int = 0) -> None:
        self.content = content
        """An `Image`, or the SHA-256 that `upload` returned."""
        self.x, self.y = x, y


def new_job_id() -> str:
    """32 random hexadecimal digits."""
    return os.urandom(16).hex()
