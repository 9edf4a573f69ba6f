"""Who may connect: only clients with the token, no web page, no foreign host name. Knows HTTP headers; knows no message.

Each check answers an attack that comparable servers have suffered from (SECURITY.md): a page's script may open a
websocket to 127.0.0.1 (`Origin`), a rebound DNS name may pose as the same origin (`Host`), and being local
does not prove who asks (token).
"""

from __future__ import annotations

import http
import ipaddress
import socket
from collections.abc import Iterable

from acetate.protocol import proof
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from ..people.presence import People
from .pages import Pages
from .requests import RequestConnection, not_allowed, refuse


class Handshake:
    """Checks requests. `names` are this computer's."""

    def __init__(self, people: People, names: Iterable[str], pages: Pages) -> None:
        self._people = people
        self._names = {"localhost", socket.gethostname().lower(), *map(str.lower, names)}
        self._pages = pages

    def check(self, connection: RequestConnection, request: Request) -> Response | None:
        """The response that refuses a request; `None` lets the handshake go on."""
        if not self._is_known_host(_only(request.headers, "Host")):
            reason = "the Host header names another computer; if this one has that name: acetate serve --name NAME"
            return refuse(http.HTTPStatus.MISDIRECTED_REQUEST, reason)
        if request.headers.get_all("Origin"):  # also `null`: no browser should come here
            return refuse(http.HTTPStatus.FORBIDDEN, "requests from web pages are refused")
        if (page := self._pages.public(connection.method, request.path)) is not None:
            return self._proved(page, _only(request.headers, proof.CHALLENGE))
        kind, _, token = (_only(request.headers, "Authorization") or "").partition(" ")
        person = self._people.who(token) if kind == "Bearer" else None
        if person is None:
            return refuse(http.HTTPStatus.UNAUTHORIZED, "a token is needed: Authorization: Bearer ...")
        if not person.admin and self._pages.is_for_admins(request.path):
            return refuse(http.HTTPStatus.FORBIDDEN, "this is for admins: acetate token add NAME --admin")
        if (page := self._pages.private(connection.method, request.path)) is not None:
            return page
        if request.path != "/":
            return refuse(http.HTTPStatus.NOT_FOUND, f"there is only / and {self._pages.names}")
        if connection.method == "POST":
            return not_allowed("POST", "GET, HEAD")
        if connection.method == "HEAD":
            return refuse(http.HTTPStatus.UPGRADE_REQUIRED, "here is a websocket")
        if not self._people.has_room(person):
            return refuse(http.HTTPStatus.SERVICE_UNAVAILABLE, "too many clients are connected")
        self._people.let_in(connection, person)
        return None

    def _proved(self, page: Response, challenge: str | None) -> Response:
        """The page with what tells a client, if it asks for that, that this server knows its token."""
        if challenge is not None and (answer := self._people.proof(challenge)) is not None:
            page.headers[proof.ANSWER] = answer
        return page

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


def _only(headers: Headers, name: str) -> str | None:
    """The header's value, if it is there exactly once."""
    values = headers.get_all(name)
    return values[0] if len(values) == 1 else None
