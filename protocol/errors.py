"""What can go wrong on the wire: one code per thing a person or a program can do something different about.

Knows the codes, not who raises them: the server turns its own and the engine's exceptions into these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from .annotations import Known

CODES = {
    # about a message
    "bad-message": "a message is not JSON, of an unknown type, or has a missing, unknown or wrong field",
    "bad-request": "a job cannot be run as it was asked for",
    "too-large": "a message, picture or file is over a limit that `welcome` states",
    "too-many": "a count (jobs waiting, connections, uploads) is over a limit that `welcome` states",
    "client-too-old": "the client speaks an older protocol than the server still understands",
    "server-too-old": "the client speaks a newer protocol than the server knows",
    "unauthorized": "the token is missing or wrong (HTTP 401)",
    "forbidden": "the request comes from a web page (`Origin`, HTTP 403) or names a foreign host (HTTP 421)",
    "not-the-server": "what answers at the server's address does not know the token; it was told nothing",
    # about a job
    "unknown-job": "no job has this id (it was discarded, or evicted from the history)",
    "unknown-image": "a picture that a job refers to was not uploaded (or was evicted meanwhile): upload and submit again",
    "content-broken": "a stored layer, file or picture is missing, damaged or unreadable on the server's disk",
    "model-missing": "a model or weight file is not installed",
    "model-broken": "a model's file is truncated, corrupt or of a kind that cannot be used",
    "out-of-memory": "the device's memory does not hold the job",
    "numeric-failure": "the networks returned NaN or infinity",
    "worker-crashed": "the engine's process died, twice",
    "worker-stuck": "the engine's process stopped answering, twice",
    "engine-unavailable": "the engine cannot be started",
    "disk-full": "the server's disk does not take the result",
    "database-damaged": "the server's database cannot be read any more; the server's next start recovers what it holds",
    "internal": "a mistake in the server itself; its log has the traceback",
    # raised by the client
    "no-server": "no server runs, and none may be started from here",
    "cannot-start": "a server was started and did not come up",
    "server-stopped": "the server was stopped in an orderly way; the client connects again when one is there",
    "connection-lost": "the connection broke; the client is trying again",
}
"""Every code with its meaning; `docs/protocol.md` shows this table."""


@dataclass(frozen=True)
class Failure:
    """What went wrong: `code` for programs, `message` for the log, `hint` for the person (may be empty)."""

    code: Annotated[str, Known(tuple(CODES))]
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"


class ProtocolError(Exception):
    """A failure on its way up; `.failure` is what crosses the wire."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.failure = Failure(code, message, hint)
