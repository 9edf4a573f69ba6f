"""What a client's host finds in its queue: most messages as they are, and the few below that the client puts together.

Knows no socket and no host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import Failure
from ..messages import (
    Cancelled,
    Discarded,
    Engine,
    Error,
    Failed,
    File,
    Finished,
    HistoryEntry,
    Jobs,
    Layer,
    Progress,
    Queued,
    Starred,
    Started,
    Welcome,
)
from ..pixels import Image


@dataclass(frozen=True)
class Starting:
    """No server was found; one is being started with this command."""

    command: tuple[str, ...]


@dataclass(frozen=True)
class Connected:
    """The server has answered. Unfinished jobs are attached again by themselves."""

    welcome: Welcome


@dataclass(frozen=True)
class Disconnected:
    """No connection; the next attempt comes in `retry_in` seconds, or never (`None`) until `connect` is called."""

    failure: Failure
    retry_in: float | None
    settled: bool = False
    """Whether it is time to tell the person why: trying again has not helped, or would not. Without it a connection that is back
    in a moment would look like a failure."""


@dataclass(frozen=True)
class Preview:
    """The running job so far, small, RGBA straight."""

    job: str
    image: Image


@dataclass(frozen=True)
class Receiving:
    """A large layer or file is on its way: `received` of `total` bytes are here. `index` is `None` for a file."""

    job: str
    index: int | None
    received: int
    total: int


@dataclass(frozen=True)
class LayerReady:
    """A whole layer. `data` holds `layer.width * layer.height` pixels in `layer.format`; empty for an empty layer."""

    layer: Layer
    data: bytes

    @property
    def job(self) -> str:
        return self.layer.job


@dataclass(frozen=True)
class NotDelivered:
    """A layer (or with `index` `None` the file) cannot be delivered, as it is damaged at the server. The job's other layers come
    all the same; then it has `Failed`."""

    job: str
    index: int | None
    failure: Failure


@dataclass(frozen=True)
class FileReady:
    """A whole exported file."""

    file: File
    data: bytes

    @property
    def job(self) -> str:
        return self.file.job


@dataclass(frozen=True)
class HistoryPage:
    """Finished jobs, newest first, with a small picture of each layer by job id and the layer's index."""

    entries: tuple[HistoryEntry, ...]
    thumbnails: Mapping[tuple[str, int], Image]
    more: bool


Event = (
    Starting | Connected | Disconnected | Engine | Queued | Started | Progress | Preview | Receiving | LayerReady | FileReady
    | NotDelivered | Finished | Failed | Cancelled | Jobs | HistoryPage | Discarded | Starred
    | Error
)  # fmt: skip

HOPELESS = ("no-server", "cannot-start", "unauthorized", "forbidden", "client-too-old", "server-too-old")
"""Failures to connect that waiting does not cure."""

TERMINAL = (Finished, Failed, Cancelled)
"""Exactly one of these ends every job."""
