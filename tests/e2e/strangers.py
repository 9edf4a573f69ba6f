"""How somebody who is no client of ours speaks to the server: over a bare websocket, or by plain HTTP."""

from __future__ import annotations

import json
import socket
from typing import Any

from acetate.protocol import Client, Finished, Parameters
from websockets.sync.client import ClientConnection, connect

UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def open_raw(server: Any, *, token: str | None = None, **headers: str) -> ClientConnection:
    authorization = {} if token == "" else {"Authorization": f"Bearer {token or server.address.token}"}
    return connect(
        server.address.url,
        additional_headers={**authorization, **headers},
        compression=None,
        proxy=None,
        max_size=2**23,
    )


def hello(connection: ClientConnection, **changes: Any) -> dict[str, Any]:
    connection.send(json.dumps({"type": "hello", "protocol": 1, "client": "raw", "session": "raw-session", **changes}))
    return receive(connection)


def receive(connection: ClientConnection) -> dict[str, Any]:
    """The next text message that is no news about the engine."""
    while True:
        frame = connection.recv(timeout=60)
        if isinstance(frame, str) and (message := json.loads(frame))["type"] != "engine":
            return dict(message)


def refusal(connection: ClientConnection, text: str | bytes) -> tuple[str, str]:
    connection.send(text)
    answer = receive(connection)
    assert answer["type"] == "error", answer
    return answer["failure"]["code"], answer["failure"]["message"]


def is_alive(server: Any) -> bool:
    with Client("honest", address=server.address) as client:
        return isinstance(list(client.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1], Finished)


def request(server: Any, path: str, *, host: str = "127.0.0.1", token: str | None = None, extra: str = "") -> str:
    """A plain HTTP request, as a browser's script or curl makes one."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain:
        plain.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}{extra}{UPGRADE}\r\n".encode())
        answer = b""
        while piece := plain.recv(65536):
            answer += piece
    return answer.decode()
