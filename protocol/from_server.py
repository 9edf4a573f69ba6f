"""What the server says. Knows every field's type; knows no socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar

from acetate.vocabulary.names import Label

from .annotations import Between, Known
from .errors import Failure
from .frames import Count, Sha256
from .pixels import LAYER_FORMATS
from .values import (
    CanvasBox,
    Coordinate,
    Device,
    Encoding,
    EngineStateName,
    Extent,
    HistoryEntry,
    JobLine,
    LayerDrawn,
    LayerGroup,
    LayerSummary,
    Limits,
    RoleName,
    Seconds,
    Seed,
    Share,
    Version,
)

STAGES = ("load", "encode", "denoise", "decode", "upscale", "read", "write")
"""What a job may be at."""


@dataclass(frozen=True)
class Engine:
    """What the engine can do. Sent inside `welcome` and again whenever it changes."""

    TYPE: ClassVar[str] = "engine"
    state: EngineStateName
    """`starting`: models and tasks are those of the last run (or empty); jobs may be submitted and will wait."""
    device: str = ""
    models: tuple[Mapping[str, Any], ...] = ()
    tasks: Mapping[str, Any] = field(default_factory=dict)
    """The parameters of each task with their defaults, and the conditions that it needs."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the engine says about itself, such as the names of upscalers."""
    failure: Failure | None = None
    """Why there is no engine on any device."""
    devices: tuple[Device, ...] = ()
    """The devices, each with its own state; `state` is `failed` only when that of all is."""


@dataclass(frozen=True)
class Welcome:
    """The answer to `hello`."""

    TYPE: ClassVar[str] = "welcome"
    protocol: Version
    """The version that both speak from now on: that of `hello`."""
    server: str
    encoding: Encoding
    """How this connection's pixels are encoded at first: the first of the client's encodings that the server knows. Later each
    part says it itself, as the server goes by how fast the client takes them."""
    formats: tuple[str, ...]
    limits: Limits
    engine: Engine
    oldest: Version | None = None
    """The oldest version of the protocol that the server answers."""
    newest: Version | None = None


@dataclass(frozen=True)
class Have:
    """How much of an announced picture the server has: parts are wanted from `offset` on, unless it is `complete`."""

    TYPE: ClassVar[str] = "have"
    sha256: Sha256
    offset: Count
    complete: bool


@dataclass(frozen=True)
class Queued:
    """The job is on disk and waits; `position` 0 is next. Sent again when the position changes."""

    TYPE: ClassVar[str] = "queued"
    job: str
    position: Count


@dataclass(frozen=True)
class Started:
    """The job runs. Sent again if it has to be run a second time."""

    TYPE: ClassVar[str] = "started"
    job: str
    attempt: Annotated[int, Between(1, 1000)] = 1


@dataclass(frozen=True)
class Progress:
    """A step of the job is done."""

    TYPE: ClassVar[str] = "progress"
    job: str
    stage: Annotated[str, Known(STAGES)]
    step: Count
    steps: Count
    fraction: Share
    """The share of the whole job that is done."""
    seconds_left: Seconds | None = None
    """Absent until there is a pace."""


@dataclass(frozen=True)
class Layer:
    """A finished layer, cropped to the box of its alpha; `pixels` frames with `bytes` bytes in total follow."""

    TYPE: ClassVar[str] = "layer"
    job: str
    index: Count
    """The layer's number among those of the job, in the order of their arrival, from 0."""
    name: Label
    role: RoleName
    x: Coordinate
    y: Coordinate
    """Where on the canvas the first pixel of the crop lies."""
    width: Extent
    height: Extent
    """The size of the crop; 0 when the layer is empty, and then no `pixels` follow."""
    box: CanvasBox
    """The whole picture before the crop."""
    format: Annotated[str, Known(LAYER_FORMATS)]
    bytes: Count
    """How many bytes follow, in `format`."""
    sha256: Sha256
    """Name of the crop in `rgba8`, whatever `format` is: a later job can take it as a condition without an upload."""
    order: Count = 0
    """Position in the job's stack, 0 lowest."""
    group: tuple[LayerGroup, ...] = ()
    """The groups it lies in, outermost first."""
    visible: bool = True
    opacity: Share = 1.0
    blend_mode: str = "normal"
    reference: bool = False
    """A picture to compare with (the blended one), not part of the stack's look: hidden."""
    picture: Count = 0
    """Which candidate of `count` it belongs to."""
    seed: Seed = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Everything needed to make it again, except condition pixels."""
    quality: Mapping[str, Annotated[float, Between(-(10**12), 10**12)]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    drawn: LayerDrawn | None = None
    """How large it was drawn; absent where nothing was, as in an enlargement without a model."""


def summary_of(layer: Layer, *, starred: bool = False) -> LayerSummary:
    """The line of the history about a layer."""
    shared = {one.name for one in fields(LayerSummary)} - {"starred"}
    return LayerSummary(**{name: getattr(layer, name) for name in shared}, starred=starred)


@dataclass(frozen=True)
class File:
    """An exported file; `file` frames with `bytes` bytes in total follow."""

    TYPE: ClassVar[str] = "file"
    job: str
    name: Label
    bytes: Count
    sha256: Sha256
    notes: tuple[str, ...] = ()
    """What the format could not keep."""


@dataclass(frozen=True)
class Finished:
    """The job has succeeded; all of its layers were sent before this."""

    TYPE: ClassVar[str] = "finished"
    job: str
    layers: Count
    seconds: Seconds
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """The job has failed; layers that came before stay valid."""

    TYPE: ClassVar[str] = "failed"
    job: str
    failure: Failure


@dataclass(frozen=True)
class Cancelled:
    """The job was stopped, because a client asked for that or because of `keep: false`."""

    TYPE: ClassVar[str] = "cancelled"
    job: str


@dataclass(frozen=True)
class Jobs:
    """The answer to `jobs`: what runs, waits in its order, then what is not acknowledged, newest first; `more` says whether
    others come after these."""

    TYPE: ClassVar[str] = "jobs"
    jobs: tuple[JobLine, ...]
    more: bool = False


@dataclass(frozen=True)
class History:
    """The answer to `history`: a page of finished jobs, newest first; `more` says whether older ones exist."""

    TYPE: ClassVar[str] = "history"
    entries: tuple[HistoryEntry, ...]
    more: bool = False


@dataclass(frozen=True)
class Discarded:
    """The answer to `discard`: the job and its layers are deleted, or only those of the named `pictures`."""

    TYPE: ClassVar[str] = "discarded"
    job: str
    pictures: tuple[Count, ...] = ()


@dataclass(frozen=True)
class Starred:
    """The answer to `star`: the mark is there, or gone."""

    TYPE: ClassVar[str] = "starred"
    job: str
    picture: Count
    starred: bool


@dataclass(frozen=True)
class Error:
    """A message was refused; `about` is its type, `job` and `sha256` what it named. Or a layer or file cannot be delivered: then
    `about` is `layer` or `file`, and the job ends as `failed` for this client when everything else has been sent."""

    TYPE: ClassVar[str] = "error"
    failure: Failure
    about: str = ""
    job: str | None = None
    sha256: tuple[str, ...] = ()
    """The contents that have to be uploaded, with the code `unknown-image`."""
    oldest: Version | None = None
    """The oldest version that the server speaks, with the codes `client-too-old` and `server-too-old`."""
    newest: Version | None = None
    index: Count | None = None
    """The layer that cannot be delivered."""
