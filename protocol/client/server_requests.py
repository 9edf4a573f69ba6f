"""One question to a server over plain HTTP: is it there, and really it; how is it; would it stop. Knows HTTP and the token."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import proof
from ..errors import ProtocolError
from ..home import Address
from ..messages import VERSION
from .connection import refused, tls_context

ANSWER_SECONDS = 10.0
PROOF_SECONDS = 5.0
SILENT = "It may hang, or be something else. End it, then start the server: acetate serve"
ANSWER_BYTES = 1 << 20
"""What is longer is not read to its end."""


def ask(address: Address, page: str, *, method: str = "GET", timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
    """What the server answers at a page such as `/status`, below the path of its URL. The token goes along, once whoever answers
    there has proved to know it; no proxy is asked.

    Raises `ProtocolError`: `connection-lost` when nothing answers, `not-the-server` when something else does, `unauthorized` or
    `forbidden` when it refuses.
    """
    try:
        prove(address)
        status, _, text = _request(address, page, method, {"Authorization": f"Bearer {address.token}"}, timeout)
    except (OSError, http.client.HTTPException) as error:
        said = str(error) or type(error).__name__
        raise ProtocolError("connection-lost", f"no answer from {address.url}: {said}", "Is `acetate serve` running?") from None
    if status == http.HTTPStatus.UNAUTHORIZED:
        failure = refused(status)
        raise ProtocolError(failure.code, failure.message, failure.hint)
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if status >= 400 or not isinstance(answer, dict):
        said = text.decode(errors="replace").strip()[:200]
        raise ProtocolError("forbidden", f"{address.url} answered HTTP {status} to {page}: {said}")
    return answer


class Seen(NamedTuple):
    """What a server says of itself to those who know its token."""

    version: str
    protocol: int
    engine: str
    """`starting`, `ready` or `failed`."""


def look(address: Address) -> Seen:
    """Whether the server of this address answers there and can be talked to. Raises what `ask` does, `unauthorized` where it is a
    server that does not know the token, `server-too-old` for one that speaks an older protocol, and `no-server` for what is no
    address."""
    try:
        said = ask(address, "/healthz", timeout=PROOF_SECONDS)
    except ProtocolError as error:
        if error.failure.code != "not-the-server" or not _is_a_server(address):
            raise
        hint = "Take the token that acetate token add prints on that computer; one with a name may have been revoked."
        raise ProtocolError("unauthorized", f"the server at {address.url} does not know this token", hint) from None
    version, protocol, engine = said.get("version"), said.get("protocol"), said.get("engine")
    if not isinstance(protocol, int) or protocol < VERSION:
        hint = f"Update Acetate on the computer of {address.url}."
        raise ProtocolError("server-too-old", f"the server {version} speaks protocol {protocol}, this plug-in {VERSION}", hint)
    return Seen(str(version), protocol, str(engine))


def _is_a_server(address: Address) -> bool:
    """Whether what answers speaks as our servers do to everyone; it is told nothing."""
    try:
        said = json.loads(_request(address, "/healthz", "GET", {}, PROOF_SECONDS)[2])
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return isinstance(said, dict) and {"version", "protocol", "engine"} <= said.keys()


def prove(address: Address) -> None:
    """Return if the server that knows the token answers there; nothing is told to whoever does. Raises `OSError` if nothing
    answers, and `ProtocolError` if something else does: `not-the-server`."""
    asked = proof.challenge(address.token)
    try:
        status, headers, _ = _request(address, "/healthz", "GET", {proof.CHALLENGE: asked}, PROOF_SECONDS)
    except http.client.HTTPException:
        status, headers = 0, http.client.HTTPMessage()
    if status == http.HTTPStatus.MISDIRECTED_REQUEST:
        failure = refused(status)
        raise ProtocolError(failure.code, failure.message, failure.hint)
    if not proof.is_proof(headers.get(proof.ANSWER), address.token, asked):
        raise ProtocolError(
            "not-the-server",
            f"what answers at {address.url} does not know the token, so it was told nothing",
            "Start the server (again): acetate serve. A token with a name may have been revoked.",
        )


def answers(address: Address) -> bool:
    """Whether the server of this address answers there: a state file may be left over from a killed one."""
    try:
        prove(address)
    except (OSError, ProtocolError):
        return False
    return True


def _request(
    address: Address, page: str, method: str, headers: Mapping[str, str], timeout: float
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Status, headers and text of the answer. Raises `OSError`, `HTTPException` for what is no HTTP, and `ProtocolError` for what
    takes the connection and says nothing."""
    url, port = _parts(address.url)
    host, context = url.hostname or "", tls_context(address)
    if context is not None:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.connect()
        try:
            connection.request(method, url.path.rstrip("/") + page, headers=dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read(ANSWER_BYTES)
        except TimeoutError:
            said = f"{address.url} takes connections, but has said nothing for {timeout:g} s"
            raise ProtocolError("connection-lost", said, SILENT) from None
    finally:
        connection.close()


def _parts(url: str) -> tuple[urllib.parse.SplitResult, int | None]:
    try:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme in ("ws", "wss") and parts.hostname:
            return parts, parts.port
    except ValueError:
        pass
    raise ProtocolError("no-server", f"{url!r} is not a server's address; it must be such as ws://127.0.0.1:22380/")
