"""One websocket connection for the client, over the `websockets` library. Knows how to open it, and what its failures mean.

In a plug-in the installer copies the library, pure Python, into this package as `websockets/`; elsewhere it is installed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
    from websockets.sync.client import ClientConnection, connect
else:
    try:
        from ..websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
        from ..websockets.sync.client import ClientConnection, connect
    except ModuleNotFoundError:
        from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
        from websockets.sync.client import ClientConnection, connect

from ..errors import Failure, ProtocolError
from ..home import Address
from ..messages import MAX_REPLY_BYTES

__all__ = [
    "ConnectionClosed",
    "WireConnection",
    "explain",
    "farewell",
    "next_frame",
    "open_connection",
    "refused",
    "tls_context",
]

OPEN_SECONDS = 10.0
PING_SECONDS = 20.0
GOING_AWAY, SERVICE_RESTART = 1001, 1012


class WireConnection(ClientConnection):
    """The library's connection with larger reads (fewer wake-ups for megabytes of pixels), which notes when it hears."""

    recv_bufsize = 1 << 18

    def __init__(self, socket: socket.socket, protocol: ClientProtocol, **settings: Any) -> None:
        self.heard_at = time.monotonic()
        """When the last byte came."""
        receive = protocol.receive_data

        def heard(data: bytes | bytearray) -> None:
            self.heard_at = time.monotonic()
            receive(data)

        protocol.receive_data = heard  # type: ignore[method-assign]
        super().__init__(socket, protocol, **settings)


def open_connection(address: Address) -> WireConnection:
    """Connect with the token; no proxy, no compression (10 times slower, performance.md 8)."""
    connection = connect(
        address.url,
        ssl=tls_context(address),
        additional_headers={"Authorization": f"Bearer {address.token}"},
        compression=None,
        proxy=None,
        open_timeout=OPEN_SECONDS,
        ping_interval=PING_SECONDS,
        ping_timeout=None,  # pongs wait behind pixels: `next_frame` judges by any byte
        close_timeout=1,
        max_size=MAX_REPLY_BYTES,
        create_connection=WireConnection,
    )
    assert isinstance(connection, WireConnection)
    return connection


def next_frame(connection: WireConnection, silence_seconds: float) -> str | bytes:
    """The next frame, however long it takes to come. Raises `ProtocolError` when no byte of it, or of anything, comes for so
    long, and `ConnectionClosed`."""
    while (patience := silence_seconds - (time.monotonic() - connection.heard_at)) > 0:
        with contextlib.suppress(TimeoutError):
            return connection.recv(timeout=patience)
    raise ProtocolError("connection-lost", f"nothing was heard of the server for {silence_seconds:g} s", "Trying to reconnect.")


def tls_context(address: Address) -> ssl.SSLContext | None:
    """What checks the server's certificate; `None` for an address without TLS."""
    return ssl.create_default_context(cafile=address.cafile) if address.url.startswith("wss:") else None


def farewell(closed: ConnectionClosed) -> Failure:
    """What the end of a connection means: a server that is stopped or started again says so, one that crashes cannot."""
    code = None if closed.rcvd is None else closed.rcvd.code
    if code == GOING_AWAY:
        return Failure("server-stopped", "the server was stopped", "Start it again: acetate serve")
    if code == SERVICE_RESTART:
        return Failure("connection-lost", "the server starts again", "Trying to reconnect.")
    return Failure("connection-lost", "the server closed the connection", "Trying to reconnect.")


def explain(error: Exception) -> Failure:
    """What a failed connection means to the person."""
    if isinstance(error, ProtocolError):
        return error.failure
    if isinstance(error, InvalidStatus):
        return refused(error.response.status_code)
    if isinstance(error, (OSError, WebSocketException, EOFError)):
        return Failure("connection-lost", f"no connection to the server: {error}", "Is `acetate serve` running?")
    return Failure("internal", f"an error in the client: {type(error).__name__}: {error}")  # and the host works on


def refused(status: int) -> Failure:
    """What an HTTP status instead of a connection means to the person."""
    if status == 401:
        hint = "Restart the server: acetate serve. A token with a name may have been revoked."
        return Failure("unauthorized", "the server refused the token (401)", hint)
    if status == 421:
        return Failure("forbidden", "the server has another name (421)", "Start it with acetate serve --name NAME")
    return Failure("forbidden" if status == 403 else "connection-lost", f"the server answered HTTP {status}")
