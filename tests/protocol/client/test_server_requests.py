"""One question over HTTP, asked of a server that the test stands in for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from acetate.protocol import Address, ProtocolError
from acetate.protocol.client.server_requests import ask

Answering = Callable[[int, bytes], Address]


@pytest.fixture
def heard() -> list[tuple[str, str, str | None]]:
    """Method, path and authorization of each request."""
    return []


@pytest.fixture
def answering(heard: list[tuple[str, str, str | None]]) -> Iterator[Answering]:
    """Start a server that gives this answer to everything; its address."""
    servers: list[tuple[HTTPServer, threading.Thread]] = []

    def start(status: int, body: bytes) -> Address:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                heard.append((self.command, self.path, self.headers["Authorization"]))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return Address(f"ws://127.0.0.1:{server.server_port}/", "secret")

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_answer_comes_as_an_object_and_the_token_goes_along(answering: Answering, heard: list[object]) -> None:
    address = answering(202, b'{"pid": 5}\n')
    assert ask(address, "/stop?now", method="POST") == {"pid": 5}
    assert ask(Address(address.url + "behind/a/proxy/", "secret"), "/status") == {"pid": 5}
    assert heard == [("POST", "/stop?now", "Bearer secret"), ("GET", "/behind/a/proxy/status", "Bearer secret")]


def test_no_proxy_is_asked(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(answering(200, b"{}"), "/healthz") == {}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, b"a token is needed\n", "unauthorized"),
        (405, b"GET is not answered here\n", "forbidden"),
        (421, b"another computer\n", "forbidden"),
        (503, b'{"ready": false}', "forbidden"),
        (200, b"<html>hello</html>", "forbidden"),
        (200, b"[]", "forbidden"),
        (200, b"\xff", "forbidden"),
    ],
)
def test_any_other_answer_is_a_failure_that_says_where(answering: Answering, status: int, body: bytes, code: str) -> None:
    address = answering(status, body)
    with pytest.raises(ProtocolError, match=address.url) as error:
        ask(address, "/healthz")
    assert error.value.failure.code == code


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9/", "wss://127.0.0.1:9/", "ws://[::1]:9/", "ws://no.such.name.invalid:9/"])
def test_nothing_that_answers_is_a_lost_connection(url: str) -> None:
    with pytest.raises(ProtocolError, check=lambda error: error.failure.code == "connection-lost"):
        ask(Address(url, "secret"), "/healthz", timeout=5)
