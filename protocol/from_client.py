"""What a client says. Knows every field's type and limits; knows no socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from acetate.vocabulary.layered_files import WireFile
from acetate.vocabulary.names import Clean
from acetate.vocabulary.parameters import Parameters
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.value_types import LONGEST_NAME

from .annotations import AtMost, Between, Known
from .frames import Count, JobId, Sha256
from .pixels import LAYER_FORMATS
from .values import ENCODINGS, CanvasBox, CanvasSide, Conditions, LayerFormat, Place, Version


@dataclass(frozen=True)
class Hello:
    """The first message: who speaks, which protocol, which pixels it can take (best first)."""

    TYPE: ClassVar[str] = "hello"
    protocol: Version
    client: Annotated[str, Clean(), AtMost(100)]
    """What the server's log calls it."""
    session: JobId
    """Random, chosen by the client and kept over reconnections: the queue is fair between sessions."""
    formats: Annotated[tuple[Annotated[str, Known(LAYER_FORMATS)], ...], AtMost(16)] = ("rgba8",)
    """Pixel formats of layers; where a message names none, the first that the server knows is meant."""
    encodings: Annotated[tuple[Annotated[str, Known(ENCODINGS)], ...], AtMost(16)] = ("raw", "zlib")
    """Encodings of pixels; the server picks the one to use."""


@dataclass(frozen=True)
class Upload:
    """Announces a picture, or a file when `format` is `file`. The answer is `have`."""

    TYPE: ClassVar[str] = "upload"
    sha256: Sha256
    format: Literal["rgba8", "bgra8", "rgba16", "rgbaf32", "gray8", "file"]
    bytes: Annotated[int, Between(1, 2**40)]
    width: Annotated[int, Between(1, 32768)] | None = None
    height: Annotated[int, Between(1, 32768)] | None = None


@dataclass(frozen=True)
class Submit:
    """Asks for layers. The job id is the client's choice; sending the same one again changes nothing."""

    TYPE: ClassVar[str] = "submit"
    job: JobId
    task: Annotated[str, AtMost(40), Known(tuple(TASKS))]
    parameters: Parameters = field(default_factory=Parameters)
    conditions: Conditions = field(default_factory=Conditions)
    box: CanvasBox | None = None
    """Where the result goes on the canvas; `None` means the source's or condition's place, else (0, 0)."""
    name: Annotated[str, Clean(), AtMost(LONGEST_NAME)] = ""
    """What the result is called: as the layer that it is a larger version of; after its prompt when empty."""
    format: LayerFormat | None = None
    previews: bool = True
    crop: bool = True
    """Whether layers are cut to the box of their alpha; otherwise they come whole."""
    priority: Literal["normal", "front", "replace"] = "normal"
    """The place among the session's own waiting jobs: behind them, before them, or instead of them (they are cancelled)."""
    keep: bool = True
    """Whether the job goes on without the connection that submitted it; otherwise it is cancelled when that is gone."""


@dataclass(frozen=True)
class Insert:
    """Asks for the layers of an uploaded file (PSD, OpenRaster, PNG): they come as `layer` messages."""

    TYPE: ClassVar[str] = "insert"
    job: JobId
    sha256: Sha256
    file: WireFile
    format: LayerFormat | None = None
    x: Place = 0
    y: Place = 0
    """Where the file's top left corner goes on the canvas."""
    keep: bool = True


@dataclass(frozen=True)
class Export:
    """Asks for finished jobs as one layered file: it comes as a `file` message."""

    TYPE: ClassVar[str] = "export"
    job: JobId
    jobs: Annotated[tuple[JobId, ...], AtMost(64)]
    """The jobs whose layers go into the file, lowest first."""
    file: WireFile
    width: CanvasSide | None = None
    """The canvas's size; `None` means the smallest that holds everything."""
    height: CanvasSide | None = None
    pictures: Annotated[tuple[Annotated[int, Between(0, 10**6)], ...], AtMost(1000)] = ()
    """Only these of their candidates; none means all."""


@dataclass(frozen=True)
class Cancel:
    """Stops a job, waiting or running, between two steps."""

    TYPE: ClassVar[str] = "cancel"
    job: JobId


@dataclass(frozen=True)
class Advance:
    """Puts a waiting job before all others of its person, of whichever session; other persons' turns stay as they are."""

    TYPE: ClassVar[str] = "advance"
    job: JobId


@dataclass(frozen=True)
class Attach:
    """Asks for a job's state, layers and further events; `have` lists layers that the client holds whole."""

    TYPE: ClassVar[str] = "attach"
    job: JobId
    have: Annotated[tuple[Annotated[int, Between(0, 10**6)], ...], AtMost(10000)] = ()
    format: LayerFormat | None = None
    offsets: Annotated[Mapping[str, Count], AtMost(64)] = field(default_factory=dict)
    """How many bytes of a layer that is not whole have come, in this format, by its index, and of a file as `file`: the parts go
    on from there."""


@dataclass(frozen=True)
class Acknowledge:
    """The result is in the artist's document: from now on it is history, which a size limit may evict. Never answered."""

    TYPE: ClassVar[str] = "acknowledge"
    job: JobId


@dataclass(frozen=True)
class Discard:
    """Deletes a finished job and its layers, or only some of its pictures; with the last of them goes the job."""

    TYPE: ClassVar[str] = "discard"
    job: JobId
    pictures: Annotated[tuple[Annotated[int, Between(0, 10**6)], ...], AtMost(1000)] = ()
    """The candidates to delete, by `layer.picture`; none means the whole job."""


@dataclass(frozen=True)
class Star:
    """Marks a picture of a finished job, or takes the mark away. A job with a mark is not evicted before all others."""

    TYPE: ClassVar[str] = "star"
    job: JobId
    picture: Annotated[int, Between(0, 10**6)]
    starred: bool = True


@dataclass(frozen=True)
class ListJobs:
    """Asks for a page of jobs that run, wait or are not acknowledged; `before` is the last job of the page before."""

    TYPE: ClassVar[str] = "jobs"
    before: JobId | None = None
    limit: Annotated[int, Between(1, 2000)] = 2000


@dataclass(frozen=True)
class ListHistory:
    """Asks for a page of finished jobs, newest first, older than `before` (an entry's job id)."""

    TYPE: ClassVar[str] = "history"
    before: JobId | None = None
    limit: Annotated[int, Between(1, 100)] = 30
    thumbnails: bool = True
