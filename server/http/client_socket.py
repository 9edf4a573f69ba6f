"""A client's websocket, which also says how much has not reached the client yet and when it was heard last.

Knows the library, asyncio's transports and the kernel's queue; knows no message.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from typing import Any

from websockets.asyncio.server import ServerConnection

UNSENT_IN_KERNEL = 128 * 1024
"""How many bytes the kernel may hold for a client beyond those that are on their way: answers need not queue behind more."""


class ClientSocket(ServerConnection):
    """The library's connection, with what it takes to tell a slow client from a dead one."""

    last_byte = float("-inf")
    """When the last byte came, on the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.last_byte = self.loop.time()
        if (option := getattr(socket, "TCP_NOTSENT_LOWAT", None)) is not None:  # Linux and macOS
            with contextlib.suppress(OSError):
                transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, UNSENT_IN_KERNEL)

    def data_received(self, data: bytes) -> None:
        self.last_byte = self.loop.time()
        super().data_received(data)

    @property
    def unsent(self) -> int:
        """How many bytes have been handed over for this client and have not arrived, as far as can be told."""
        return _in_program(self.transport) + _in_kernel(self.transport)


def _in_program(transport: asyncio.Transport) -> int:
    """What the transport holds, and with TLS the one below it, of which asyncio says nothing in public."""
    inner: Any = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    held = transport.get_write_buffer_size()
    return held if inner is None else held + int(inner.get_write_buffer_size())


def _in_kernel(transport: asyncio.Transport) -> int:
    """What the kernel holds until the other end has confirmed it; 0 where it does not say."""
    if sys.platform == "win32":
        return 0
    import fcntl
    import termios

    with contextlib.suppress(OSError, ValueError, AttributeError):
        found = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        return int(struct.unpack("i", found)[0])
    return 0
