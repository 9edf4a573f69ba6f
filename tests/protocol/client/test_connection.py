"""What the end of a connection, or none at all, means to the person."""

from __future__ import annotations

import pytest
from acetate.protocol import ProtocolError
from acetate.protocol.client.connection import explain, farewell
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response


def answered(status: int) -> InvalidStatus:
    return InvalidStatus(Response(status, "", Headers()))


@pytest.mark.parametrize(
    ("error", "code", "named"),
    [
        (ProtocolError("server-too-old", "the server speaks protocol 1"), "server-too-old", "protocol 1"),
        (answered(401), "unauthorized", "401"),
        (answered(421), "forbidden", "421"),
        (answered(403), "forbidden", "403"),
        (answered(503), "connection-lost", "503"),
        (ConnectionRefusedError("nobody is there"), "connection-lost", "nobody is there"),
        (TimeoutError("timed out"), "connection-lost", "timed out"),
        (EOFError("half a line"), "connection-lost", "half a line"),
        (InvalidHandshake("not HTTP"), "connection-lost", "not HTTP"),
        (KeyError("kite"), "internal", "KeyError: 'kite'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_every_failure_to_connect_has_a_code_and_says_what_happened(error: Exception, code: str, named: str) -> None:
    """`forbidden` is not tried again; a busy server (503) is."""
    failure = explain(error)
    assert failure.code == code and named in failure.message


@pytest.mark.parametrize("status", [401, 421])
def test_a_refusal_that_the_person_can_cure_says_how(status: int) -> None:
    assert "acetate serve" in explain(answered(status)).hint


@pytest.mark.parametrize(
    ("said", "code"), [(1001, "server-stopped"), (1011, "connection-lost"), (1012, "connection-lost"), (None, "connection-lost")]
)
def test_only_a_server_that_says_so_was_stopped(said: int | None, code: str) -> None:
    """What the client itself sends when it closes (1001 here) says nothing about the server."""
    ours = Close(1001, "")
    closed = ConnectionClosed(None, ours) if said is None else ConnectionClosed(Close(said, ""), ours, rcvd_then_sent=True)
    assert farewell(closed).code == code
