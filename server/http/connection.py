"""One client's connection: hello first, then messages in and an outbox out. Knows the socket and the protocol; keeps no job.

Reading never waits for writing: a client that sends while it is being sent to would otherwise block both ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TypeGuard, cast

from acetate.protocol import Failure, ProtocolError, schema
from acetate.protocol import messages as wire
from acetate.protocol.pixels import LAYER_FORMATS
from acetate.protocol.salvage import told_by
from acetate.protocol.values import ENCODINGS
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from ..delivery.outbox import Outbox
from ..delivery.subscriber import Subscriber
from ..failures import of_exception
from ..jobs.admission import MissingImagesError, check_order, tell_history, tell_jobs
from ..jobs.engine_state import EngineState
from ..jobs.jobs import JobRegistry
from ..people.tokens import Person
from ..settings import Settings
from ..storage.blobs import Blobs
from .client_socket import ClientSocket
from .sender import Sender
from .uploads import UnfinishedUploads, Uploads

log = logging.getLogger(__name__)


UNSUPPORTED_VERSION = 4010
"""The close code that follows the `error` message which says which side to update."""


@dataclass(frozen=True, eq=False)
class ServerState:
    """What all connections share."""

    settings: Settings
    jobs: JobRegistry
    blobs: Blobs
    unfinished: UnfinishedUploads
    engine: EngineState
    look: Callable[[], None]
    """Look soon whether models were added or removed."""


class Connection:
    """Serves one client of a person until it leaves."""

    def __init__(self, socket: ClientSocket, state: ServerState, person: Person) -> None:
        self._socket, self._state, self._person = socket, state, person
        self._outbox = Outbox(state.settings.unanswered)

    async def serve(self) -> None:
        """Greet the client, then take its messages and send what it is told, until the connection ends."""
        try:
            hello = await self._hello()
        except ProtocolError as error:
            await self._refuse(error.failure)
            return
        except TimeoutError:
            await self._refuse(Failure("bad-message", f"no hello within {self._state.settings.hello_seconds:g} s"))
            return
        except ConnectionClosed:
            return
        self._format = cast(wire.LayerFormat, next(format for format in hello.formats if format in LAYER_FORMATS))
        state, settings = self._state, self._state.settings
        watcher = Subscriber(self._person, hello.session, hello.client, hello.encodings, self._outbox, state.blobs)
        uploads = Uploads(settings, state.jobs.store, state.blobs, state.unfinished, watcher.person)
        self._welcome(hello, watcher)
        sender = Sender(self._socket, self._outbox, watcher.link, settings.send_seconds, settings.client_silence_seconds)
        sending = asyncio.create_task(sender.run())
        state.look()
        who = {"client": hello.client, "session": hello.session, "person": watcher.person}
        log.info("connected", extra=who)
        try:
            async for frame in self._socket:
                await self._take(frame, watcher, uploads)
                if self._outbox.overflown:
                    log.warning("gave up on a client", extra={"reason": "it does not read"})
                    self._socket.transport.abort()
                    break
                await asyncio.sleep(0)  # a client that asks without pause must not keep the loop from the others
        except ConnectionClosed:
            pass
        finally:
            sending.cancel()
            state.engine.watchers.discard(watcher)
            state.jobs.gone(watcher)
            await asyncio.gather(sending, return_exceptions=True)
            self._outbox.close()
            uploads.close()
            log.info("disconnected", extra=who)

    # --- the greeting ------------------------------------------------------------------------------------------------

    async def _hello(self) -> wire.Hello:
        frame = await asyncio.wait_for(self._socket.recv(), self._state.settings.hello_seconds)
        if not isinstance(frame, str):
            raise ProtocolError("bad-message", "the first message is binary; it must be hello")
        _check_version(frame)  # before anything else: another version's hello may have other fields
        hello = wire.from_client(frame)
        if not isinstance(hello, wire.Hello):
            raise ProtocolError("bad-message", f"the first message is {hello.TYPE}; it must be hello")
        for name, offered, known in (("formats", hello.formats, LAYER_FORMATS), ("encodings", hello.encodings, ENCODINGS)):
            if not set(offered) & set(known):
                raise ProtocolError("bad-message", f"hello.{name} are {list(offered)}; one of {', '.join(known)} is needed")
        return hello

    def _welcome(self, hello: wire.Hello, watcher: Subscriber) -> None:
        engine = self._state.engine
        limits = self._state.settings.limits
        watcher.tell(
            wire.Welcome(
                hello.protocol,
                f"acetate {version('acetate')}",
                watcher.link.encoding,
                LAYER_FORMATS,
                limits,
                engine.message,
                wire.OLDEST_VERSION,
                wire.VERSION,
            )
        )
        engine.watchers.add(watcher)

    async def _refuse(self, failure: Failure) -> None:
        """Tell the client why, then hang up."""
        with contextlib.suppress(ConnectionClosed):
            error, code = wire.Error(failure, "hello"), int(CloseCode.POLICY_VIOLATION)
            if failure.code in ("client-too-old", "server-too-old"):
                error, code = replace(error, oldest=wire.OLDEST_VERSION, newest=wire.VERSION), UNSUPPORTED_VERSION
            await self._socket.send(wire.to_text(error))
            await self._socket.close(code, failure.message[:100])

    # --- messages in -------------------------------------------------------------------------------------------------

    async def _take(self, frame: str | bytes, watcher: Subscriber, uploads: Uploads) -> None:
        """Act on one message. Whatever is wrong with it is answered, and affects no one else."""
        try:
            if isinstance(frame, str):
                await self._obey(self._formatted(wire.from_client(frame)), watcher, uploads)
            elif (answer := await uploads.take(frame)) is not None:
                watcher.tell(answer)
                self._state.jobs.evict()
        except MissingImagesError as error:
            watcher.tell(replace(_refusal(frame, error.failure), sha256=error.sha256))
        except (ProtocolError, OSError, sqlite3.Error) as error:
            refusal = _refusal(frame, of_exception(error))
            if refusal.failure.code == "internal":
                log.exception("message", extra={"job": refusal.job} if refusal.job else {})
            if refusal.failure.code == "database-damaged":
                self._state.jobs.store.distrust()
            watcher.tell(refusal)

    def _formatted(self, message: wire.ClientMessage) -> wire.ClientMessage:
        """The message, with the client's own format where it names none."""
        if isinstance(message, (wire.Submit, wire.Insert, wire.Attach)) and message.format is None:
            return replace(message, format=self._format)
        return message

    async def _obey(self, message: wire.ClientMessage, watcher: Subscriber, uploads: Uploads) -> None:
        jobs = self._state.jobs
        if isinstance(message, wire.Upload):
            watcher.tell(await uploads.announce(message))
        elif isinstance(message, (wire.Submit, wire.Insert, wire.Export)):
            check_order(watcher, message, jobs.store, self._state.blobs)
            jobs.accept(watcher, message)
        elif isinstance(message, wire.Cancel):
            jobs.cancel(watcher, message.job)
        elif isinstance(message, wire.Advance):
            jobs.advance(watcher, message.job)
        elif isinstance(message, wire.Attach):
            jobs.attach(watcher, message)
        elif isinstance(message, wire.Acknowledge):
            jobs.acknowledge(watcher, message.job)
        elif isinstance(message, wire.Discard):
            jobs.discard(watcher, message.job, message.pictures)
            watcher.tell(wire.Discarded(message.job, message.pictures))
        elif isinstance(message, wire.Star):
            jobs.star(watcher, message.job, message.picture, message.starred)
            watcher.tell(wire.Starred(message.job, message.picture, message.starred))
        elif isinstance(message, wire.ListJobs):
            tell_jobs(watcher, jobs, message)
        elif isinstance(message, wire.ListHistory):
            await tell_history(watcher, jobs.store, message)
        else:
            raise ProtocolError("bad-message", "hello comes once, as the first message")


def _refusal(frame: str | bytes, failure: Failure) -> wire.Error:
    """The answer to a wrong message, with what it is about as far as can be told, so that it reaches the job."""
    said = told_by(frame)
    about = "upload" if isinstance(frame, bytes) and said else said.get("type")
    if about not in wire.FROM_CLIENT:
        return wire.Error(failure)
    job, sha256 = said.get("job"), said.get("sha256")
    uploads = (sha256,) if about == "upload" and _is_name(sha256) else ()
    return wire.Error(failure, about, job if _is_name(job) else None, uploads)


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= 64 and value.isascii()


def _check_version(text: str) -> None:
    found = schema.parse(text).get("protocol") if len(text) <= wire.MAX_TEXT_BYTES else None
    if not isinstance(found, int) or isinstance(found, bool):
        return
    if found < wire.OLDEST_VERSION:
        raise ProtocolError(
            "client-too-old",
            f"the client speaks protocol {found}, the server {wire.OLDEST_VERSION} to {wire.VERSION}",
            "Update the plug-in: acetate plugin install all",
        )
    if found > wire.VERSION:
        raise ProtocolError(
            "server-too-old",
            f"the client speaks protocol {found}, the server {wire.OLDEST_VERSION} to {wire.VERSION}",
            "Update the server: pip install --upgrade acetate, then restart acetate serve",
        )
