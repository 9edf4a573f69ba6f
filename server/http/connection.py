"""One client's connection: hello first, then messages in and an outbox out. Knows the socket and the protocol; keeps no job.

Reading never waits for writing: a client that sends while it is being sent to would otherwise block both ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TypeGuard, cast

from acetate.protocol import Failure, ProtocolError, schema
from acetate.protocol import messages as wire
from acetate.protocol.frames import header_of, unpack_upload
from acetate.protocol.pixels import LAYER_FORMATS
from acetate.protocol.values import ENCODINGS
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from ..delivery.outbox import Outbox
from ..delivery.subscriber import Subscriber
from ..failures import of_exception
from ..jobs.admission import MissingImagesError, check_order, tell_history
from ..jobs.engine_state import EngineState
from ..jobs.jobs import JobRegistry
from ..settings import Settings
from ..storage.blobs import Blobs
from .uploads import Uploads

log = logging.getLogger(__name__)

UNSUPPORTED_VERSION = 4010
"""The close code that follows the `error` message which says which side to update."""


@dataclass(frozen=True, eq=False)
class ServerState:
    """What all connections share."""

    settings: Settings
    jobs: JobRegistry
    blobs: Blobs
    engine: EngineState
    look: Callable[[], None]
    """Look soon whether models were added or removed."""


class Connection:
    """Serves one client until it leaves."""

    def __init__(self, socket: ServerConnection, state: ServerState) -> None:
        self._socket, self._state = socket, state
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
        watcher = Subscriber(hello.session, hello.client, self._encoding(hello), self._outbox, self._state.blobs)
        uploads = Uploads(self._state.settings, self._state.jobs.store, self._state.blobs, str(self._socket.id))
        self._welcome(watcher)
        sender = asyncio.create_task(self._send())
        self._state.look()
        log.info("connected", extra={"client": hello.client, "session": hello.session})
        try:
            async for frame in self._socket:
                self._take(frame, watcher, uploads)
                if self._outbox.overflown:
                    log.warning("gave up on a client", extra={"reason": "it does not read"})
                    self._socket.transport.abort()
                    break
        except ConnectionClosed:
            pass
        finally:
            sender.cancel()
            self._state.engine.watchers.discard(watcher)
            uploads.close()
            self._state.jobs.gone(watcher)
            await asyncio.gather(sender, return_exceptions=True)
            log.info("disconnected", extra={"client": hello.client, "session": hello.session})

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

    def _encoding(self, hello: wire.Hello) -> wire.Encoding:
        """The encoding to use: `raw` where bytes are cheap, `zlib` on a network, as far as the client takes it."""
        local = ipaddress.ip_address(self._socket.remote_address[0]).is_loopback
        preferred: tuple[wire.Encoding, ...] = ("raw", "zlib") if local else ("zlib", "raw")
        return next(encoding for encoding in preferred if encoding in hello.encodings)

    def _welcome(self, watcher: Subscriber) -> None:
        engine = self._state.engine
        limits = self._state.settings.limits
        watcher.tell(
            wire.Welcome(wire.VERSION, f"acetate {version('acetate')}", watcher.encoding, LAYER_FORMATS, limits, engine.message)
        )
        engine.watchers.add(watcher)

    async def _refuse(self, failure: Failure) -> None:
        """Tell the client why, then hang up."""
        with contextlib.suppress(ConnectionClosed):
            await self._socket.send(wire.to_text(wire.Error(failure, "hello")))
            code = UNSUPPORTED_VERSION if failure.code in ("client-too-old", "server-too-old") else CloseCode.POLICY_VIOLATION
            await self._socket.close(code, failure.message[:100])

    # --- messages in -------------------------------------------------------------------------------------------------

    def _take(self, frame: str | bytes, watcher: Subscriber, uploads: Uploads) -> None:
        """Act on one message. Whatever is wrong with it is answered, and affects no one else."""
        try:
            if isinstance(frame, str):
                self._obey(self._formatted(wire.from_client(frame)), watcher, uploads)
            elif (answer := uploads.take(*unpack_upload(frame))) is not None:
                watcher.tell(answer)
                self._state.jobs.evict()
        except MissingImagesError as error:
            watcher.tell(replace(_refusal(frame, error.failure), sha256=error.sha256))
        except (ProtocolError, OSError, sqlite3.Error) as error:
            failure = of_exception(error)
            if failure.code == "internal":
                log.exception("message")
            watcher.tell(_refusal(frame, failure))

    def _formatted(self, message: wire.ClientMessage) -> wire.ClientMessage:
        """The message, with the client's own format where it names none."""
        if isinstance(message, (wire.Submit, wire.Insert, wire.Attach)) and message.format is None:
            return replace(message, format=self._format)
        return message

    def _obey(self, message: wire.ClientMessage, watcher: Subscriber, uploads: Uploads) -> None:
        jobs = self._state.jobs
        if isinstance(message, wire.Upload):
            watcher.tell(uploads.announce(message))
        elif isinstance(message, (wire.Submit, wire.Insert, wire.Export)):
            check_order(message, jobs.store, self._state.blobs)
            jobs.accept(watcher, message)
        elif isinstance(message, wire.Cancel):
            jobs.cancel(message.job)
        elif isinstance(message, wire.Attach):
            jobs.attach(watcher, message)
        elif isinstance(message, wire.Acknowledge):
            jobs.acknowledge(message.job)
        elif isinstance(message, wire.Discard):
            jobs.discard(message.job)
            watcher.tell(wire.Discarded(message.job))
        elif isinstance(message, wire.ListJobs):
            watcher.tell(wire.Jobs(tuple(jobs.lines())))
        elif isinstance(message, wire.ListHistory):
            tell_history(watcher, jobs.store, message)
        else:
            raise ProtocolError("bad-message", "hello comes once, as the first message")

    # --- frames out --------------------------------------------------------------------------------------------------

    async def _send(self) -> None:
        """Send until the connection ends. The library's keep-alive cannot see a reader that stalls during a send; this does."""
        try:
            while (frame := await self._outbox.take()) is not None:
                async with asyncio.timeout(self._state.settings.send_seconds):
                    await self._socket.send(frame)
        except ConnectionClosed:
            return
        except (TimeoutError, OSError) as error:
            log.warning("gave up on a client", extra={"reason": type(error).__name__})
        self._socket.transport.abort()


def _refusal(frame: str | bytes, failure: Failure) -> wire.Error:
    """The answer to a wrong message, with what it is about as far as can be told, so that it reaches the job."""
    about, said = "", {}
    with contextlib.suppress(ProtocolError):
        if isinstance(frame, str) and len(frame) <= wire.MAX_TEXT_BYTES:
            said = schema.parse(frame)
            about = str(said.get("type"))
        elif isinstance(frame, bytes):
            about, said = "upload", header_of(frame)
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
