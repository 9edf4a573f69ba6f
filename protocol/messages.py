"""The text frames: every message of both directions by its type, and to and from text.

Knows the two vocabularies (`from_client.py`, `from_server.py`) and the version; knows no socket.
"""

from __future__ import annotations

from typing import Any

from acetate.vocabulary.box import Box
from acetate.vocabulary.parameters import Parameters
from acetate.vocabulary.stacking import Group
from acetate.vocabulary.value_types import shown
from acetate.vocabulary.verdict import of_parameters
from acetate.vocabulary.working_sizes import Drawn

from .errors import ProtocolError
from .from_client import (
    Acknowledge,
    Advance,
    Attach,
    Cancel,
    Discard,
    Export,
    Hello,
    Insert,
    ListHistory,
    ListJobs,
    Star,
    Submit,
    Upload,
)
from .from_server import (
    Cancelled,
    Discarded,
    Engine,
    Error,
    Failed,
    File,
    Finished,
    Have,
    History,
    Jobs,
    Layer,
    Progress,
    Queued,
    Starred,
    Started,
    Welcome,
    summary_of,
)
from .schema import decode, dump, encode, parse
from .values import (
    Conditions,
    Device,
    Encoding,
    EngineStateName,
    HistoryEntry,
    JobLine,
    LayerFormat,
    LayerSummary,
    Limits,
    Placed,
    State,
)

__all__ = [
    "Acknowledge",
    "Advance",
    "Attach",
    "Box",
    "Cancel",
    "Cancelled",
    "ClientMessage",
    "Conditions",
    "Device",
    "Discard",
    "Discarded",
    "Drawn",
    "Encoding",
    "Engine",
    "EngineStateName",
    "Error",
    "Export",
    "FROM_CLIENT",
    "FROM_SERVER",
    "Failed",
    "File",
    "Finished",
    "Group",
    "Have",
    "Hello",
    "History",
    "HistoryEntry",
    "Insert",
    "JobLine",
    "Jobs",
    "Layer",
    "LayerFormat",
    "LayerSummary",
    "Limits",
    "ListHistory",
    "ListJobs",
    "MAX_REPLY_BYTES",
    "MAX_TEXT_BYTES",
    "OLDEST_VERSION",
    "Parameters",
    "Placed",
    "Progress",
    "Queued",
    "ServerMessage",
    "Star",
    "Starred",
    "Started",
    "State",
    "Submit",
    "Upload",
    "VERSION",
    "Welcome",
    "from_client",
    "from_server",
    "refuse",
    "summary_of",
    "to_text",
]

VERSION = 1
OLDEST_VERSION = 1
"""The server answers clients from `OLDEST_VERSION` to `VERSION`."""

MAX_TEXT_BYTES = 64 * 1024
"""The longest text frame of a client. The server's may be longer (a page of history), up to `MAX_REPLY_BYTES`."""
MAX_REPLY_BYTES = 4 * 1024 * 1024

ClientMessage = (
    Hello | Upload | Submit | Insert | Export | Cancel | Advance | Attach | Acknowledge | Discard | Star | ListJobs | ListHistory
)  # fmt: skip
ServerMessage = (
    Welcome | Engine | Have | Queued | Started | Progress | Layer | File | Finished | Failed | Cancelled | Jobs | History
    | Discarded | Starred | Error
)  # fmt: skip
FROM_CLIENT: dict[str, type[ClientMessage]] = {
    cls.TYPE: cls
    for cls in (
        Hello, Upload, Submit, Insert, Export, Cancel, Advance, Attach, Acknowledge, Discard, Star, ListJobs, ListHistory,
    )
}  # fmt: skip
FROM_SERVER: dict[str, type[ServerMessage]] = {
    cls.TYPE: cls
    for cls in (
        Welcome, Engine, Have, Queued, Started, Progress, Layer, File,
        Finished, Failed, Cancelled, Jobs, History, Discarded, Starred, Error,
    )
}  # fmt: skip


def to_text(message: ClientMessage | ServerMessage) -> str:
    """A message as a text frame."""
    return dump({"type": message.TYPE, **encode(message)})


def from_client(text: str) -> ClientMessage:
    """A client's message from its text frame. Raises `ProtocolError`, which names even unknown types and fields.

    `hello` alone may have fields from the future: a client says there what it can do before it knows whom it speaks to.
    """
    if len(text) > MAX_TEXT_BYTES or len(text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES:
        raise ProtocolError("too-large", f"the message has {len(text)} characters; at most {MAX_TEXT_BYTES} bytes are allowed")
    body = parse(text)
    kind = body.pop("type", None)
    cls = FROM_CLIENT.get(kind) if isinstance(kind, str) else None
    if cls is None:
        said = "the message has no type" if kind is None else f"the message's type is {shown(kind)}"
        raise ProtocolError("bad-message", f"{said}; known are {', '.join(FROM_CLIENT)}")
    if cls is Submit:
        refuse(body.get("parameters"))
    message: ClientMessage = decode(cls, body, cls.TYPE, strict=cls is not Hello)
    return message


def refuse(parameters: Any) -> None:
    """Raise `ProtocolError` for the first wrong parameter, in the engine's words. `decode` refuses what is not an object."""
    if isinstance(parameters, dict) and (wrong := of_parameters(parameters)):
        raise ProtocolError("too-large" if wrong.too_large else "bad-message", wrong.message, wrong.hint)


def from_server(text: str) -> ServerMessage | None:
    """A server's message; unknown fields are ignored, an unknown type is `None`: a newer server may say more."""
    body = parse(text)
    cls = FROM_SERVER.get(str(body.pop("type", None)))
    if cls is None:
        return None
    message: ServerMessage = decode(cls, body, cls.TYPE, strict=False)
    return message
