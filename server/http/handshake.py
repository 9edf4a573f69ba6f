"""Who may connect: only clients with the token, no web page, no foreign host name. Knows HTTP headers; knows no message.

Each check answers an attack that comparable servers have suffered from (SECURITY.md): a page's script may open a
websocket to 127.0.0.1 (`Origin`), a rebound DNS name may pose as the same origin (`Host`), and being local
does not prove who asks (token).
"""

from __future__ import annotations

import http
import ipaddress
import json
import socket
from collections.abc import Callable, Iterable

from acetate.protocol.proof import HEADER as CHALLENGE
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from .people import People

HealthReport = Callable[[], dict[str, object]]


class Handshake:
    """Checks requests. `names` are this computer's; `health` answers `/healthz`."""

    def __init__(self, people: People, names: Iterable[str], health: HealthReport) -> None:
        self._people = people
        self._names = {"localhost", socket.gethostname().lower(), *map(str.lower, names)}
        self._health = health

    def check(self, connection: ServerConnection, request: Request) -> Response | None:
        """The response that refuses a request; `None` lets the handshake go on."""
        if not self._is_known_host(_only(request.headers, "Host")):
            reason = "the Host header names another computer; if this one has that name: acetate serve --name NAME"
            return refuse(http.HTTPStatus.MISDIRECTED_REQUEST, reason)
        if request.headers.get_all("Origin"):  # also `null`: no browser should come here
            return refuse(http.HTTPStatus.FORBIDDEN, "requests from web pages are refused")
        if request.path == "/healthz":
            said = self._health() | self._proof(_only(request.headers, CHALLENGE))
            return respond(http.HTTPStatus.OK, json.dumps(said) + "\n", "application/json")
        kind, _, token = (_only(request.headers, "Authorization") or "").partition(" ")
        person = self._people.who(token) if kind == "Bearer" else None
        if person is None:
            return refuse(http.HTTPStatus.UNAUTHORIZED, "a token is needed: Authorization: Bearer ...")
        if request.path != "/":
            return refuse(http.HTTPStatus.NOT_FOUND, "there is only / and /healthz")
        if not self._people.has_room(person):
            return refuse(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many clients are connected")
        self._people.let_in(connection, person)
        return None

    def _proof(self, challenge: str | None) -> dict[str, object]:
        """What tells a client that this server knows its token."""
        answer = self._people.proof(challenge) if challenge else None
        return {"proof": answer} if answer else {}

    def _is_known_host(self, host: str | None) -> bool:
        """A name of this computer, or any IP address: a rebinding page can only come with a name of its own."""
        if host is None:
            return False
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if name.lower() in self._names:
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


def refuse(status: http.HTTPStatus, reason: str) -> Response:
    """The response that refuses a request, with its reason as plain text."""
    return respond(status, reason + "\n", "text/plain; charset=utf-8")


def respond(status: http.HTTPStatus, body: str, kind: str) -> Response:
    content = body.encode()
    headers = Headers(
        [
            ("Content-Type", kind),
            ("Content-Length", str(len(content))),
            ("Connection", "close"),
            ("X-Content-Type-Options", "nosniff"),
        ]
    )
    return Response(status.value, status.phrase, headers, content)


def _only(headers: Headers, name: str) -> str | None:
    """The header's value, if it is there exactly once."""
    values = headers.get_all(name)
    return values[0] if len(values) == 1 else None
