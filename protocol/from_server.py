"""What the server says. Knows every field's type; knows no socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from acetate.vocabulary.stacking import Group

from .errors import Failure
from .frames import Sha256
from .values import CanvasBox, Device, Encoding, EngineStateName, HistoryEntry, JobLine, Limits


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
    """Whatever else the engine says about itself (schedulers, upscalers, LoRAs)."""
    failure: Failure | None = None
    """Why there is no engine on any device."""
    devices: tuple[Device, ...] = ()
    """The devices, each with its own state; `state` is `failed` only when that of all is."""


@dataclass(frozen=True)
class Welcome:
    """The answer to `hello`."""

    TYPE: ClassVar[str] = "welcome"
    protocol: int
    server: str
    encoding: Encoding
    """How this connection's pixels are encoded: `raw` on loopback."""
    formats: tuple[str, ...]
    limits: Limits
    engine: Engine


@dataclass(frozen=True)
class Have:
    """How much of an announced picture the server has: parts are wanted from `offset` on, unless it is `complete`."""

    TYPE: ClassVar[str] = "have"
    sha256: Sha256
    offset: int
    complete: bool


@dataclass(frozen=True)
class Queued:
    """The job is on disk and waits; `position` 0 is next. Sent again when the position changes."""

    TYPE: ClassVar[str] = "queued"
    job: str
    position: int


@dataclass(frozen=True)
class Started:
    """The job runs. Sent again if it has to be run a second time."""

    TYPE: ClassVar[str] = "started"
    job: str
    attempt: int = 1


@dataclass(frozen=True)
class Progress:
    """A step of the job is done."""

    TYPE: ClassVar[str] = "progress"
    job: str
    stage: str
    """`load`, `encode`, `denoise`, `decode`, `upscale`, `read`, `write`."""
    step: int
    steps: int
    fraction: float
    """The share of the whole job that is done, in [0, 1]."""
    seconds_left: float | None = None


@dataclass(frozen=True)
class Layer:
    """A finished layer, cropped to the box of its alpha; `pixels` frames with `bytes` bytes in total follow."""

    TYPE: ClassVar[str] = "layer"
    job: str
    index: int
    """The layer's number among those of the job, in the order of their arrival, from 0."""
    name: str
    role: str
    x: int
    y: int
    """Where on the canvas the first pixel of the crop lies."""
    width: int
    height: int
    """The size of the crop; 0 when the layer is empty, and then no `pixels` follow."""
    box: CanvasBox
    """The whole picture before the crop."""
    format: str
    bytes: int
    sha256: str
    """Name of the crop in `rgba8`, whatever `format` is: a later job can take it as a condition without an upload."""
    order: int = 0
    """Position in the job's stack, 0 lowest."""
    group: tuple[Group, ...] = ()
    """The groups it lies in, outermost first."""
    visible: bool = True
    opacity: float = 1.0
    blend_mode: str = "normal"
    reference: bool = False
    """A picture to compare with (the blended one), not part of the stack's look: hidden."""
    picture: int = 0
    """Which candidate of `count` it belongs to."""
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Everything needed to make it again, except condition pixels."""
    quality: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """An exported file; `file` frames with `bytes` bytes in total follow."""

    TYPE: ClassVar[str] = "file"
    job: str
    name: str
    bytes: int
    sha256: str
    notes: tuple[str, ...] = ()
    """What the format could not keep."""


@dataclass(frozen=True)
class Finished:
    """The job has succeeded; all of its layers were sent before this."""

    TYPE: ClassVar[str] = "finished"
    job: str
    layers: int
    seconds: float
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
    """The answer to `jobs`: all jobs that wait, run or are not acknowledged."""

    TYPE: ClassVar[str] = "jobs"
    jobs: tuple[JobLine, ...]


@dataclass(frozen=True)
class History:
    """The answer to `history`: a page of finished jobs, newest first; `more` says whether older ones exist."""

    TYPE: ClassVar[str] = "history"
    entries: tuple[HistoryEntry, ...]
    more: bool = False


@dataclass(frozen=True)
class Discarded:
    """The answer to `discard`: the job and its layers are deleted."""

    TYPE: ClassVar[str] = "discarded"
    job: str


@dataclass(frozen=True)
class Error:
    """A message was refused; `about` is its type, `job` and `sha256` what it named."""

    TYPE: ClassVar[str] = "error"
    failure: Failure
    about: str = ""
    job: str | None = None
    sha256: tuple[str, ...] = ()
    """The contents that have to be uploaded, with the code `unknown-image`."""
