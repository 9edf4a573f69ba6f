"""The sending half of a connection: the outbox's frames go out one after the other, and a client that stands still is given up.

Knows the socket and the clock; knows no message. Who takes bytes slowly is served slowly, for as long as it takes any.
"""

from __future__ import annotations

import asyncio
import logging

from acetate.protocol.link import Link
from websockets.exceptions import ConnectionClosed

from ..delivery.outbox import Outbox, OutgoingFrame
from .client_socket import ClientSocket

log = logging.getLogger(__name__)

CHECKS = 4
"""How often a connection is looked at within the time that it may stand still."""


class Sender:
    """Sends an outbox's frames. `stall_seconds` is how long the client may take no byte of what is being sent to it,
    `silence_seconds` how long nothing may be heard of it while there is nothing to send."""

    def __init__(self, socket: ClientSocket, outbox: Outbox, link: Link, stall_seconds: float, silence_seconds: float) -> None:
        self._socket, self._outbox, self._link = socket, outbox, link
        self._patience = Patience(stall_seconds, silence_seconds)
        self._check_seconds = min(stall_seconds, silence_seconds) / CHECKS
        self._sending = False

    async def run(self) -> None:
        """Send until the connection ends, or end it."""
        watching = asyncio.create_task(self._watch())
        try:
            while (frame := await self._outbox.take()) is not None:
                await self._send(frame)
                await asyncio.sleep(0)  # a client that takes everything at once must not keep the loop from the others
        except ConnectionClosed:
            return
        except Exception:
            log.exception("sending")
        finally:
            watching.cancel()
        self._socket.transport.abort()

    async def _send(self, frame: OutgoingFrame) -> None:
        now = asyncio.get_running_loop().time
        began, self._sending = now(), True
        self._patience.begin(began)
        try:
            await self._socket.send(frame)
        finally:
            self._sending = False
            self._patience.end(now())
        self._link.sent(len(frame), now() - began)

    async def _watch(self) -> None:
        """Hang up when the client stands still. The library's keep-alive would do it to one that is only slow: the answer to its
        ping waits behind pixels, in buffers of both ends and of whatever tunnel lies between."""
        now = asyncio.get_running_loop().time
        while not self._patience.is_over(now(), self._socket.unsent if self._sending else None, self._socket.last_byte):
            await asyncio.sleep(self._check_seconds)
        log.warning("gave up on a client", extra={"reason": self._patience.reason})
        self._socket.transport.abort()


class Patience:
    """Whether to go on waiting for a client. Times are on any clock, in seconds."""

    def __init__(self, stall_seconds: float, silence_seconds: float) -> None:
        self._stall, self._silence = stall_seconds, silence_seconds
        self._moved_at = float("-inf")
        self._unsent: int | None = None
        """The fewest bytes that were left of the frame that is being sent."""
        self.reason = ""
        """Why it is over."""

    def begin(self, now: float) -> None:
        """Note that a frame is handed over."""
        self._moved_at, self._unsent = now, None

    def end(self, now: float) -> None:
        """Note that the frame is out of the program's hands."""
        self._moved_at = now

    def is_over(self, now: float, unsent: int | None, heard_at: float) -> bool:
        """Whether the client is to be given up. `unsent` are the bytes that still have to go while a frame is being sent, `None`
        while none is; `heard_at` is when the last byte of it came."""
        if unsent is None:
            if now - max(heard_at, self._moved_at) <= self._silence:
                return False
            self.reason = f"nothing was heard of it for {self._silence:g} s"
            return True
        if self._unsent is None:
            self._unsent = unsent
        elif unsent < self._unsent:
            self._moved_at, self._unsent = now, unsent
        if now - self._moved_at <= self._stall:
            return False
        self.reason = f"it took nothing for {self._stall:g} s"
        return True
