"""Asks whoever listens at an address to prove that it is the server, before it is told anything. Knows one HTTP request."""

from __future__ import annotations

import http.client
import json
from urllib.parse import SplitResult, urlsplit

from .. import proof
from ..errors import ProtocolError
from ..home import Address
from .connection import refused, tls_context

ASK_SECONDS = 5.0
ANSWER_BYTES = 1 << 16


def prove(address: Address) -> None:
    """Return if the server that knows the token answers there. Raises `OSError` if nothing does, and `ProtocolError` with
    `not-the-server` if something else does."""
    asked = proof.challenge(address.token)
    status, body = _health(address, asked)
    if status == http.HTTPStatus.MISDIRECTED_REQUEST:
        failure = refused(status)
        raise ProtocolError(failure.code, failure.message, failure.hint)
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not proof.is_proof(said.get("proof"), address.token, asked):
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


def _health(address: Address, challenge: str) -> tuple[int, bytes]:
    """The status and the text with which `/healthz` is answered; nothing of an answer that is no HTTP."""
    url, port = _parts(address.url)
    host = url.hostname or ""
    if (context := tls_context(address)) is not None:
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=ASK_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", f"{url.path.rstrip('/')}/healthz", headers={proof.HEADER: challenge})
        answer = connection.getresponse()
        return answer.status, answer.read(ANSWER_BYTES)
    except http.client.HTTPException:
        return 0, b""
    finally:
        connection.close()


def _parts(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("ws", "wss") and parts.hostname:
            return parts, parts.port
    except ValueError:
        pass
    raise ProtocolError("no-server", f"{url!r} is not a server's address; it must be such as ws://127.0.0.1:22380/")
