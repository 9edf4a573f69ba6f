"""Every HTTP request is answered, whatever it asks for; only what the library reads is handed on."""

from __future__ import annotations

import asyncio

import pytest
from acetate.server.http import requests
from acetate.server.http.listening import listen
from acetate.server.http.requests import HEAD_BYTES, RequestConnection, read_head, refuse, respond
from acetate.server.settings import Settings
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

HOST = "Host: 127.0.0.1\r\n"


class Server:
    """Answers pages at `/page`, and is a websocket at `/` that sends back what it gets."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.bytes = {"received": 0, "sent": 0}

    def check(self, connection: RequestConnection, request: Request) -> Response | None:
        self.seen.append((connection.method, request.path))
        return None if request.path == "/" else respond(requests.http.HTTPStatus.OK, "here", "text/plain")

    async def handle(self, socket: ServerConnection) -> None:
        async for message in socket:
            await socket.send(message)

    def moved(self, direction: str, count: int) -> None:
        self.bytes[direction] += count


def answers(*pieces: bytes, server: Server | None = None) -> bytes:
    """What comes back before the server hangs up."""
    server = server or Server()

    async def scene() -> bytes:
        async with await listen(Settings(port=0), server.handle, server.check, server.moved) as listening:
            port = listening.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            answer = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            return answer

    return asyncio.run(scene())


def asked(text: str) -> bytes:
    return text.encode()


def test_a_page_is_answered_to_get_and_to_head_without_its_body() -> None:
    server = Server()
    get = answers(asked(f"GET /page HTTP/1.1\r\n{HOST}\r\n"), server=server)
    head = answers(asked(f"HEAD /page HTTP/1.1\r\n{HOST}\r\n"), server=server)

    assert get.startswith(b"HTTP/1.1 200 ") and get.endswith(b"\r\n\r\nhere")
    assert head == get.removesuffix(b"here") and b"Content-Length: 4" in head
    assert server.seen == [("GET", "/page"), ("HEAD", "/page")]


def test_load_balancers_of_http_1_0_are_answered() -> None:
    assert answers(asked(f"GET /page HTTP/1.0\r\n{HOST}\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "BREW", "get"])
def test_another_method_is_told_which_there_are(method: str) -> None:
    answer = answers(asked(f"{method} /page HTTP/1.1\r\n{HOST}\r\n"))
    assert answer.startswith(b"HTTP/1.1 405 ") and b"\r\nAllow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("hello\r\n\r\n", 400),
        ("GET /page\r\n\r\n", 400),
        ("GET  /page HTTP/1.1\r\n\r\n", 400),
        ("GET /page HTTP/1.1\n\n", 400),
        ("\r\n\r\n", 400),
        (f"GET /page HTTP/1.1\r\n{HOST}no colon\r\n\r\n", 400),
        (f"GET /page HTTP/1.1\r\n{HOST}Content-Length: 3\r\n\r\nabc", 400),
        (f"POST /page HTTP/1.1\r\n{HOST}Content-Length: x\r\n\r\n", 400),
        (f"POST /page HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (f"GET /{'a' * 9000} HTTP/1.1\r\n{HOST}\r\n", 400),
        ("GET / HTTP/2.0\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (f"GET / HTTP/1.1\r\nA: {'a' * (HEAD_BYTES + 9)}", 431),
    ],
)
def test_what_cannot_be_read_is_answered_too(text: str, status: int) -> None:
    server = Server()
    assert answers(asked(text), server=server).startswith(f"HTTP/1.1 {status} ".encode())
    assert server.seen == [], "and reaches nobody"


def test_a_request_may_come_byte_by_byte() -> None:
    pieces = [bytes([byte]) for byte in asked(f"HEAD /page HTTP/1.1\r\n{HOST}\r\n")]
    assert answers(*pieces).startswith(b"HTTP/1.1 200 ")


def test_what_follows_an_answer_is_not_read() -> None:
    """A second request in the same packet, or a body that was never to be."""
    server = Server()
    answer = answers(asked(f"PUT / HTTP/1.1\r\n{HOST}\r\nGET /page HTTP/1.1\r\n{HOST}\r\n"), b"x" * 100_000, server=server)
    assert answer.count(b"HTTP/1.1 ") == 1 and server.seen == []


def test_a_websocket_is_one_as_ever_and_its_bytes_are_counted() -> None:
    server = Server()

    async def scene() -> list[str | bytes]:
        async with await listen(Settings(port=0), server.handle, server.check, server.moved) as listening:
            port = listening.sockets[0].getsockname()[1]
            async with connect(f"ws://127.0.0.1:{port}/", proxy=None) as socket:
                found = []
                for message in ("kite", b"\0" * 5000):
                    await socket.send(message)
                    found.append(await socket.recv())
                return found

    assert asyncio.run(scene()) == ["kite", b"\0" * 5000]
    assert server.bytes["sent"] == 5004 and server.bytes["received"] > 5004, "received with the request and frames' headers"


def test_sockets_beyond_their_number_are_hung_up_on_unread() -> None:
    server = Server()

    async def scene() -> bytes:
        async with await listen(Settings(port=0, sockets=1), server.handle, server.check, server.moved) as listening:
            port = listening.sockets[0].getsockname()[1]
            _, first = await asyncio.open_connection("127.0.0.1", port)
            first.write(b"GET")
            await first.drain()
            reader, second = await asyncio.open_connection("127.0.0.1", port)
            try:
                return await asyncio.wait_for(reader.read(), 30)
            except ConnectionError:
                return b""
            finally:
                first.close()
                second.close()

    assert asyncio.run(scene()) == b"" and server.seen == []


def test_a_refusal_is_a_line_of_text() -> None:
    response = refuse(requests.http.HTTPStatus.FORBIDDEN, "not you")
    assert (response.status_code, response.body, response.headers["X-Content-Type-Options"]) == (403, b"not you\n", "nosniff")


def test_the_head_is_handed_on_as_get_with_every_header() -> None:
    assert read_head(b"HEAD /x?y HTTP/1.0\r\nHost: a\r\nB: c\r\n\r\n") == (
        "HEAD",
        b"GET /x?y HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n",
    )
