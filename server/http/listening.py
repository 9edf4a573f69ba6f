"""Where the server listens, and how local programs reach it there. Knows addresses, ports and TLS; knows no message."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from acetate.protocol.frames import MAX_FRAME_BYTES
from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as listen_for_websockets

from ..settings import DEFAULT_PORT, Settings
from .requests import Check, RequestConnection, without_body

OPEN_SECONDS = 5
EVERYWHERE = ("", "0.0.0.0", "::")
"""The hosts that stand for all addresses of this computer; the first and the last for both families."""
TAKEN = (errno.EADDRINUSE, errno.EACCES)
"""What the default port may fail with and another may not: it is taken, or lies in a range that Windows has reserved."""


class ListenError(Exception):
    """The server cannot listen where it was told to; the text says why, and what would be right."""


async def listen(
    settings: Settings,
    handle: Callable[[ServerConnection], Awaitable[None]],
    check: Check,
    moved: Callable[[str, int], None],
) -> Server:
    """Listen on the given port, else on the default one, or on any when that cannot be had. Raises `ListenError`."""
    for port in [DEFAULT_PORT, 0] if settings.port is None else [settings.port]:
        try:
            return await listen_for_websockets(
                handle,
                **_place(settings.host, port),
                process_request=without_body(check),  # type: ignore[arg-type]
                create_connection=_connection(settings.sockets, moved),
                ssl=tls_context(settings),
                logger=_silent(),
                compression=None,  # 10 times slower than raw (performance.md 8)
                server_header=None,
                max_size=MAX_FRAME_BYTES,
                max_queue=4,
                open_timeout=OPEN_SECONDS,
                ping_interval=settings.ping_seconds,
                ping_timeout=None,  # whether a client is alive, the sender judges
                close_timeout=2,
            )
        except OSError as error:
            failure = ListenError(_explanation(settings.host, port, error))
            if error.errno not in TAKEN:
                break
    raise failure


def _place(host: str, port: int) -> dict[str, Any]:
    """Where to listen, as `create_server` takes it: host and port, or one socket for all addresses of both families."""
    if host in ("", "::") and socket.has_dualstack_ipv6():
        try:
            return {"sock": socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)}
        except OSError as error:
            if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):  # those: IPv6 is switched off
                raise
        host = "0.0.0.0"
    return {"host": host or "0.0.0.0", "port": port}


def _explanation(host: str, port: int, error: OSError) -> str:
    where = f"port {port} of {host or 'all addresses'}"
    if isinstance(error, socket.gaierror):
        return f"--host {host}: no address of that name is known; give an address of this computer, such as 127.0.0.1"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"--host {host} is not an address of this computer"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is taken by another program; choose another --port, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return f"{where} may not be listened on ({error.strerror}); choose a --port from 1024 up, or 0 for any that is free"
    return f"cannot listen on {where}: {error.strerror or error}"


def _connection(most: int, moving: Callable[[str, int], None]) -> type[RequestConnection]:
    class Connection(RequestConnection):
        """A connection of this server."""

        sockets = most
        moved = staticmethod(moving)

    return Connection


def _silent() -> logging.Logger:
    """A logger without output: the library logs every failed handshake with a traceback, which strangers could provoke."""
    quiet = logging.getLogger("acetate.server.websockets")
    quiet.setLevel(logging.CRITICAL)
    return quiet


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """What TLS is spoken with; `None` without a certificate. Raises `OSError` for files that cannot be used."""
    if settings.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_certificate, settings.tls_key, password=_no_password)
    return context


def _no_password() -> str:
    raise ssl.SSLError("it is encrypted with a password")  # rather than asking on a terminal that may not be there


# --- where it is ------------------------------------------------------------------------------------------------------


def url_of(settings: Settings, server: Server) -> str:
    """How local programs reach the server; one that listens everywhere is reached on loopback, or at the name of its
    certificate."""
    port = server.sockets[0].getsockname()[1]
    host = settings.host
    if host in EVERYWHERE:
        host = (settings.names or (socket.gethostname(),))[0] if settings.tls_certificate else "127.0.0.1"
    return f"{'wss' if settings.tls_certificate else 'ws'}://{f'[{host}]' if ':' in host else host}:{port}/"


def greeting(url: str, settings: Settings) -> str:
    """What the person reads when the server listens."""
    lines = [f"Acetate listens on {url}"]
    if not is_loopback(settings.host):
        own = settings.folder / "server.json"
        lines.append(f"Other computers can reach it. Anyone with the token in {own}, or with one of acetate token, can use it.")
        if settings.tls_certificate is None:
            lines.append("Nothing is encrypted (--insecure): the token and all pictures can be read on the network.")
    return "\n".join(lines)


def is_loopback(host: str) -> bool:
    """Whether only programs on this computer can reach that host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def reaches(url: str) -> bool:
    """Whether the server can be reached at its own URL from this computer."""
    host, _, port = url.split("://", 1)[1].rstrip("/").rpartition(":")
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
