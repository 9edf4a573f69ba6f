"""One socket's HTTP request before it is a websocket: read whole, checked, and always answered. Knows HTTP; knows no page.

The websockets library reads GET requests of HTTP/1.1 and hangs up on all others without a word, which a load balancer takes for a
dead server. So the request's head is collected here; what the library would not read is answered, the rest is handed on.
"""

from __future__ import annotations

import asyncio
import http
import re
from collections.abc import Callable
from typing import Any

from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.streams import StreamReader

from .client_socket import ClientSocket

HEAD_BYTES = 1 << 16
"""The most bytes of a request line and headers."""
METHODS = ("GET", "HEAD", "POST")
_END = re.compile(rb"\r?\n\r?\n")
_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/(\d)\.(\d)\r\n")


class RequestConnection(ClientSocket):
    """The library's connection behind a reader of HTTP that answers every request."""

    method = "GET"
    """The request's method; the library is given GET."""
    sockets = 256
    """The most sockets that may be open; those beyond are hung up on before a byte is read."""
    moved: Callable[[str, int], None] = staticmethod(lambda direction, count: None)
    """Called with `received` or `sent` and a count of bytes."""
    _head: bytearray | None
    """What has arrived of the request's head; `None` once the library reads."""
    _answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._head = bytearray()
        super().connection_made(transport)
        if len(self.server.handlers) > self.sockets:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self.moved("received", len(data))
        if self._answered:
            return
        if self._head is None:
            super().data_received(data)
            return
        self._head += data
        if (end := _END.search(self._head)) is None:
            if len(self._head) > HEAD_BYTES:
                self._answer(refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"a request has {HEAD_BYTES} bytes at most"))
            return
        head, rest = bytes(self._head[: end.end()]), bytes(self._head[end.end() :])
        self._head = None
        found = read_head(head)
        if isinstance(found, Response):
            self._answer(found)
        else:
            self.method, readable = found
            super().data_received(readable + rest)

    async def send(self, message: Any, text: bool | None = None) -> None:
        await super().send(message, text)
        if isinstance(message, (str, bytes, bytearray, memoryview)):
            self.moved("sent", len(message))

    def _answer(self, response: Response) -> None:
        """Answer and let the peer hang up first, as what it is still sending would otherwise destroy the answer."""
        self._answered, self._head = True, None
        self.transport.write(response.serialize())
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()


def read_head(head: bytes) -> tuple[str, bytes] | Response:
    """The method, and the request as a GET of HTTP/1.1 that the library reads; or the answer to one that it would not read."""
    line = _LINE.match(head)
    if line is None:
        return refuse(http.HTTPStatus.BAD_REQUEST, "that is no HTTP request")
    method, path, major, minor = line[1].decode(), line[2], line[3], line[4]
    if major != b"1":
        return refuse(http.HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, f"HTTP/{major.decode()}.{minor.decode()} is not spoken here")
    if method not in METHODS:
        return not_allowed(method, "GET, HEAD")
    readable = b"GET " + path + b" HTTP/1.1\r\n" + head[line.end() :]
    request = _parsed(readable)
    if request is None:
        return refuse(http.HTTPStatus.BAD_REQUEST, "the request's headers cannot be read, or it has a body")
    return method, readable


def _parsed(head: bytes) -> Request | None:
    """The request as the library reads it; `None` where it would hang up."""
    reader = StreamReader()
    reader.feed_data(head)
    reader.feed_eof()
    reading = Request.parse(reader.read_line)
    try:
        next(reading)
    except StopIteration as done:
        found: Request = done.value
        return found
    except Exception:
        return None
    return None


def refuse(status: http.HTTPStatus, reason: str) -> Response:
    """The response that refuses a request, with its reason as plain text."""
    return respond(status, reason + "\n", "text/plain; charset=utf-8")


def not_allowed(method: str, allowed: str) -> Response:
    """The response to a method that a page does not have, naming those that it has."""
    response = refuse(http.HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not answered here; {allowed} is")
    response.headers["Allow"] = allowed
    return response


def respond(status: http.HTTPStatus, body: str | bytes, kind: str) -> Response:
    """A whole response, after which the connection ends."""
    content = body.encode() if isinstance(body, str) else body
    headers = Headers(
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Connection", "close"),
            ("X-Content-Type-Options", "nosniff"),
        ]
    )
    return Response(status.value, status.phrase, headers, content)


Check = Callable[[RequestConnection, Request], Response | None]


def without_body(check: Check) -> Check:
    """The same check, whose responses to HEAD say how long their body is and leave it out."""

    def answer(connection: RequestConnection, request: Request) -> Response | None:
        response = check(connection, request)
        if response is not None and connection.method == "HEAD":
            response.body = b""
        return response

    return answer
