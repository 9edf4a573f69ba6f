"""Who is let in: strangers and web pages are not, other versions are told so, and many at once leave room for an honest one."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .peaks import Peak
from .strangers import hello, is_alive, open_raw, receive, request


@pytest.fixture
def server(shared_server: Any) -> Any:
    return shared_server


# --- at the door -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        ("", {}, 401),
        ("0" * 64, {}, 401),
        ("é" * 64, {}, 401),
        (None, {"Origin": "http://127.0.0.1"}, 403),
        (None, {"Origin": "https://evil.example"}, 403),
        (None, {"Origin": "null"}, 403),
    ],
)
def test_the_door_stays_shut(server: Any, token: str | None, headers: dict[str, str], status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        open_raw(server, token=token, **headers)
    assert refused.value.response.status_code == status


@pytest.mark.parametrize("host", ["evil.example", "evil.example:22380", "localhost.evil.example", "127.0.0.1.evil.example", ""])
def test_a_rebound_name_is_refused_even_with_the_token(server: Any, host: str) -> None:
    assert request(server, "/", host=host, token=server.address.token).startswith("HTTP/1.1 421")
    assert request(server, "/healthz", host=host).startswith("HTTP/1.1 421")


def test_a_name_that_was_given_is_let_in_and_its_refusal_says_how(start_server: Any) -> None:
    server = start_server(names=["studio.example"])

    assert request(server, "/healthz", host="studio.example:22380").startswith("HTTP/1.1 200")
    refused = request(server, "/healthz", host="evil.example")
    assert refused.startswith("HTTP/1.1 421") and "acetate serve --name" in refused


def test_two_hosts_are_refused(server: Any) -> None:
    assert request(server, "/healthz", extra="Host: evil.example\r\n").startswith("HTTP/1.1 421")


def test_a_web_page_cannot_even_ask_for_health(server: Any) -> None:
    assert request(server, "/healthz", extra="Origin: https://evil.example\r\n").startswith("HTTP/1.1 403")


@pytest.mark.parametrize("path", ["/..%2f..%2fetc/passwd", "/history", "/blobs/aa", "//", "/?token=x"])
def test_there_are_no_files_behind_the_door(server: Any, path: str) -> None:
    assert request(server, path, token=server.address.token).startswith("HTTP/1.1 404")


def test_health_is_answered_without_a_token_and_says_nothing_private(server: Any) -> None:
    answer = request(server, "/healthz")
    body = json.loads(answer.split("\r\n\r\n", 1)[1])

    assert answer.startswith("HTTP/1.1 200")
    assert set(body) == {"version", "protocol", "queue", "engine"}


def test_an_endless_request_line_is_dropped(server: Any) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as stranger, contextlib.suppress(OSError):
        stranger.sendall(b"GET /" + b"a" * 1_000_000)
        assert b"101" not in stranger.recv(4096)
    assert is_alive(server)


@pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_thousands_of_connections_leave_room_for_an_honest_one(server: Any, count: int) -> None:
    memory = Peak(server.pid)
    strangers: list[socket.socket] = []
    for _ in range(count):
        stranger = socket.create_connection(("127.0.0.1", server.port), timeout=60)  # each of them does connect
        strangers.append(stranger)
        with contextlib.suppress(OSError):  # it may be hung up on already
            stranger.sendall(b"GET / HTTP/1.1\r\n")
        if len(strangers) >= 500:  # the test's own file descriptors are limited, too
            for stranger in strangers:
                stranger.close()
            strangers.clear()
    for stranger in strangers:
        stranger.close()

    assert memory.growth < 100 << 20
    assert is_alive(server)


@pytest.mark.parametrize("limits", [{"connections": 6}, {"connections_per_person": 3}], ids=["half of all", "one's own"])
def test_clients_beyond_the_limit_are_told(start_server: Any, limits: dict[str, int]) -> None:
    server = start_server(**limits)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            hello(stack.enter_context(open_raw(server)))
        with pytest.raises(InvalidStatus) as refused:
            open_raw(server)
    assert refused.value.response.status_code == 503


# --- the greeting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "code", "side"), [(0, "client-too-old", "plug-in"), (99, "server-too-old", "server")])
def test_another_version_is_told_which_side_to_update(server: Any, version: int, code: str, side: str) -> None:
    with open_raw(server) as connection:
        answer = hello(connection, protocol=version, from_the_future=True)
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=60)

    assert answer["failure"]["code"] == code and side in answer["failure"]["hint"]
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4010


@pytest.mark.parametrize("first", ['{"type":"jobs"}', "[]", b"\0\0\0\2{}", "hello", '{"type":"hello"}'])
def test_whoever_does_not_say_hello_is_hung_up_on(server: Any, first: str | bytes) -> None:
    with open_raw(server) as connection:
        connection.send(first)
        assert receive(connection)["failure"]["code"] == "bad-message"
        with pytest.raises(ConnectionClosed):
            connection.recv(timeout=60)


def test_whoever_says_nothing_is_hung_up_on(start_server: Any) -> None:
    server = start_server(hello_seconds=0.1)
    with open_raw(server) as connection:
        assert "no hello" in receive(connection)["failure"]["message"]


@pytest.mark.parametrize(
    ("offered", "expected"), [(["bgra8", "rgba8"], "bgra8"), (["avif", "rgba16"], "rgba16"), (["rgba8"], "rgba8")]
)
def test_layers_come_in_the_first_format_of_hello_that_is_known(server: Any, offered: list[str], expected: str) -> None:
    with open_raw(server) as connection:
        hello(connection, formats=offered)
        job = f"format-{expected}"
        connection.send(json.dumps({"type": "submit", "job": job, "task": "foreground", "parameters": {"prompt": "a kite"}}))
        while (said := receive(connection))["type"] != "layer":
            pass
    assert said["format"] == expected


@pytest.mark.parametrize("field", ["formats", "encodings"])
@pytest.mark.parametrize("offered", [[], ["jpeg"]])
def test_who_takes_nothing_that_the_server_has_is_told_what_there_is(server: Any, field: str, offered: list[str]) -> None:
    with open_raw(server) as connection:
        said = hello(connection, **{field: offered})
    assert (said["type"], said["failure"]["code"]) == ("error", "bad-message")
    assert f"hello.{field}" in said["failure"]["message"] and "is needed" in said["failure"]["message"]
