"""The text frames: one frozen dataclass per message, and the two directions' tables.

Knows names, types and limits of every field; knows no socket. Coordinates are canvas pixels, boxes may lie partly outside
the canvas. Colour is straight sRGB unless a pixel format says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from .errors import Failure, ProtocolError
from .frames import JobId, Sha256
from .schema import AtMost, Between, Matching, decode, dump, encode, parse

VERSION = 1
OLDEST_VERSION = 1
"""The server answers clients from `OLDEST_VERSION` to `VERSION`."""

MAX_TEXT_BYTES = 64 * 1024
"""A client's text frame at most. The server's may be longer (a page of history), at most `MAX_REPLY_BYTES`."""
MAX_REPLY_BYTES = 4 * 1024 * 1024

TASKS = (
    "foreground", "scene", "background", "object", "blend", "extract-background", "extract-foreground",
    "refine", "repaint", "upscale",
)  # fmt: skip
ROLES = ("foreground", "background", "blended")

Size = Annotated[int, Between(1, 8192)]
Place = Annotated[int, Between(-(10**6), 10**6)]
Text = Annotated[str, AtMost(8000)]
_WORD = r"(?!\.)[^/\\\x00-\x1f\x7f]+"
Name = Annotated[
    str, AtMost(200), Matching(rf"(?![A-Za-z]:){_WORD}(/{_WORD}){{0,3}}", "a name from the server's lists, not a path")
]
"""Two models of one name are told apart by their folder's: `portraits/soft`."""
Encoding = Literal["raw", "zlib"]
LayerFormat = Literal["rgba8", "bgra8", "rgba16", "rgbaf32"]
State = Literal["waiting", "running", "finished", "failed", "cancelled"]
EngineStateName = Literal["starting", "ready", "failed"]


# --- values inside messages ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """A rectangle of the canvas."""

    x: Place
    y: Place
    width: Annotated[int, Between(1, 32768)]
    height: Annotated[int, Between(1, 32768)]


@dataclass(frozen=True)
class Placed:
    """An uploaded picture and where its top left pixel lies on the canvas."""

    sha256: Sha256
    x: Place = 0
    y: Place = 0


@dataclass(frozen=True)
class Conditions:
    """The pictures that a task works on; which ones it needs is in `welcome.engine.tasks`."""

    source: Placed | None = None
    """The layer that `refine`, `repaint` and `upscale` work on."""
    mask: Placed | None = None
    """`repaint`: a `gray8` picture, 255 = may change."""
    foreground: Placed | None = None
    background: Placed | None = None
    blended: Placed | None = None


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The numbers and words that fix a result; `None` means the model's default. Meanings as in the engine's `Request`."""

    prompt: Text = ""
    negative_prompt: Text = ""
    prompts: Mapping[str, Text] = field(default_factory=dict)
    """A prompt for one layer: keys `foreground`, `background`, `blended`."""
    model: Name | None = None
    width: Size | None = None
    """Pixels to generate; `None` means the target box's. The result is brought to the target box, alpha-correctly."""
    height: Size | None = None
    steps: Annotated[int, Between(1, 1000)] | None = None
    guidance_scale: Annotated[float, Between(0, 100)] | None = None
    scheduler: Name | None = None
    seed: Annotated[int, Between(0, 2**63 - 1)] = 0
    count: Annotated[int, Between(1, 64)] = 1
    strength: Annotated[float, Between(0, 1)] | None = None
    lock_alpha: bool = False
    alpha_passes: Literal[1, 2, 4, 8] | None = None
    injection: Literal["attention", "convolution"] = "attention"
    layer_weight: Annotated[float, Between(0, 2)] = 1.0
    stop_at: Annotated[float, Between(0, 1)] = 1.0
    resize_mode: Literal["crop", "stretch", "fill"] = "crop"
    loras: Annotated[tuple[tuple[Name, Annotated[float, Between(-10, 10)]], ...], AtMost(16)] = ()
    scale: Annotated[float, Between(1, 16)] = 2.0
    upscaler: Name | None = None
    upscaling: Annotated[Mapping[str, Annotated[str, AtMost(40)] | bool | int | float], AtMost(32)] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """A group that a layer lies in. Layers with the same `id` in one job share it."""

    id: str
    name: str
    visible: bool = True
    opacity: float = 1.0
    blend_mode: str = "normal"


@dataclass(frozen=True)
class Limits:
    """What the server refuses beyond."""

    text_bytes: int
    part_bytes: int
    pixels: int
    side: int
    file_bytes: int
    prompt_characters: int
    count: int
    jobs_per_session: int


@dataclass(frozen=True)
class LayerSummary:
    """One line of the history about a layer."""

    index: int
    name: str
    role: str
    x: int
    y: int
    width: int
    height: int
    seed: int = 0
    visible: bool = True


@dataclass(frozen=True)
class HistoryEntry:
    """A finished job, newest first. `attach` brings its layers."""

    job: str
    task: str
    finished: float
    """Seconds since 1970, UTC."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    box: Box | None = None
    layers: tuple[LayerSummary, ...] = ()
    thumbnail: bool = False
    """Whether a `thumbnail` frame came before the page."""


@dataclass(frozen=True)
class JobLine:
    """A job that waits, runs, or whose result nobody has acknowledged yet."""

    job: str
    task: str
    state: State
    session: str
    position: int = 0
    prompt: str = ""


# --- client to server ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """The first message: who speaks, which protocol, which pixels it can take (best first)."""

    TYPE: ClassVar[str] = "hello"
    protocol: int
    client: Annotated[str, AtMost(100)]
    session: JobId
    """Random, chosen by the client and kept over reconnections: the queue is fair between sessions."""
    formats: Annotated[tuple[str, ...], AtMost(16)] = ("rgba8",)
    encodings: Annotated[tuple[str, ...], AtMost(16)] = ("raw", "zlib")


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
    task: Annotated[str, AtMost(40)]
    parameters: Parameters = field(default_factory=Parameters)
    conditions: Conditions = field(default_factory=Conditions)
    box: Box | None = None
    """Where the result goes on the canvas; `None` means the source's or condition's place, else (0, 0)."""
    format: LayerFormat = "rgba8"
    previews: bool = True
    crop: bool = True
    """False: layers come whole instead of cut to the box of their alpha."""
    priority: Literal["normal", "front", "replace"] = "normal"
    """Among the session's own waiting jobs: behind them, before them, or instead of them (those are cancelled)."""
    keep: bool = True
    """False: the job is cancelled as soon as the connection that submitted it is gone."""


@dataclass(frozen=True)
class Insert:
    """Asks for the layers of an uploaded file (PSD, OpenRaster, PNG): they come as `layer` messages."""

    TYPE: ClassVar[str] = "insert"
    job: JobId
    sha256: Sha256
    file: Literal["psd", "ora", "png"]
    format: LayerFormat = "rgba8"
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
    """Whose layers, lowest first."""
    file: Literal["psd", "ora", "png"]
    width: Size | None = None
    """Of the canvas; `None` means the smallest that holds everything."""
    height: Size | None = None


@dataclass(frozen=True)
class Cancel:
    """Stops a job, waiting or running, between two steps."""

    TYPE: ClassVar[str] = "cancel"
    job: JobId


@dataclass(frozen=True)
class Attach:
    """Asks for a job's state, layers and further events; `have` lists layers that the client holds already."""

    TYPE: ClassVar[str] = "attach"
    job: JobId
    have: Annotated[tuple[Annotated[int, Between(0, 10**6)], ...], AtMost(10000)] = ()
    format: LayerFormat = "rgba8"


@dataclass(frozen=True)
class Acknowledge:
    """The result is in the artist's document: from now on it is history, which a size limit may evict."""

    TYPE: ClassVar[str] = "acknowledge"
    job: JobId


@dataclass(frozen=True)
class Discard:
    """Deletes a finished job and its layers."""

    TYPE: ClassVar[str] = "discard"
    job: JobId


@dataclass(frozen=True)
class ListJobs:
    """Asks for all jobs that wait, run or are not acknowledged."""

    TYPE: ClassVar[str] = "jobs"


@dataclass(frozen=True)
class ListHistory:
    """Asks for a page of finished jobs, newest first, older than `before` (an entry's job id)."""

    TYPE: ClassVar[str] = "history"
    before: JobId | None = None
    limit: Annotated[int, Between(1, 100)] = 30
    thumbnails: bool = True


# --- server to client ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Engine:
    """What the engine can do. Sent inside `welcome` and again whenever it changes."""

    TYPE: ClassVar[str] = "engine"
    state: EngineStateName
    """`starting`: models and tasks are those of the last run (or empty); jobs may be submitted and will wait."""
    device: str = ""
    models: tuple[Mapping[str, Any], ...] = ()
    tasks: Mapping[str, Any] = field(default_factory=dict)
    """Per task: the parameters that it takes with their defaults, and the conditions that it needs."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else the engine says about itself (schedulers, upscalers, LoRAs)."""
    failure: Failure | None = None


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
    """How much of an announced picture is here: parts are wanted from `offset` on; equal to its size: complete."""

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
    """A step is done."""

    TYPE: ClassVar[str] = "progress"
    job: str
    stage: str
    """`load`, `encode`, `denoise`, `decode`, `upscale`, `read`, `write`."""
    step: int
    steps: int
    fraction: float
    """Of the whole job, in [0, 1]."""
    seconds_left: float | None = None


@dataclass(frozen=True)
class Layer:
    """A finished layer, cropped to the box of its alpha; `pixels` frames with `bytes` bytes in total follow."""

    TYPE: ClassVar[str] = "layer"
    job: str
    index: int
    """Counts the job's layers in the order of their arrival, from 0."""
    name: str
    role: str
    x: int
    y: int
    """Canvas place of the first pixel of the crop."""
    width: int
    height: int
    """Of the crop; 0 when the layer is empty, and then no `pixels` follow."""
    box: Box
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
    """All layers have been sent before this."""

    TYPE: ClassVar[str] = "finished"
    job: str
    layers: int
    seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failed:
    """The job is over; layers that came before stay valid."""

    TYPE: ClassVar[str] = "failed"
    job: str
    failure: Failure


@dataclass(frozen=True)
class Cancelled:
    """The job is over because somebody asked for it, or because of `keep: false`."""

    TYPE: ClassVar[str] = "cancelled"
    job: str


@dataclass(frozen=True)
class Jobs:
    TYPE: ClassVar[str] = "jobs"
    jobs: tuple[JobLine, ...]


@dataclass(frozen=True)
class History:
    TYPE: ClassVar[str] = "history"
    entries: tuple[HistoryEntry, ...]
    more: bool = False


@dataclass(frozen=True)
class Discarded:
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
    """With `unknown-image`: what has to be uploaded."""


ClientMessage = Hello | Upload | Submit | Insert | Export | Cancel | Attach | Acknowledge | Discard | ListJobs | ListHistory
ServerMessage = (
    Welcome | Engine | Have | Queued | Started | Progress | Layer | File | Finished | Failed | Cancelled | Jobs | History
    | Discarded | Error
)  # fmt: skip
FROM_CLIENT: dict[str, type[ClientMessage]] = {
    cls.TYPE: cls for cls in (Hello, Upload, Submit, Insert, Export, Cancel, Attach, Acknowledge, Discard, ListJobs, ListHistory)
}
FROM_SERVER: dict[str, type[ServerMessage]] = {
    cls.TYPE: cls
    for cls in (
        Welcome, Engine, Have, Queued, Started, Progress, Layer, File,
        Finished, Failed, Cancelled, Jobs, History, Discarded, Error,
    )
}  # fmt: skip


def to_text(message: ClientMessage | ServerMessage) -> str:
    """A message as a text frame."""
    return dump({"type": message.TYPE, **encode(message)})


def from_client(text: str) -> ClientMessage:
    """A client's text frame, checked strictly: unknown types and fields are refused by name."""
    if len(text) > MAX_TEXT_BYTES or len(text.encode(errors="surrogatepass")) > MAX_TEXT_BYTES:
        raise ProtocolError("too-large", f"the message has {len(text)} characters; at most {MAX_TEXT_BYTES} bytes are allowed")
    body = parse(text)
    kind = body.pop("type", None)
    cls = FROM_CLIENT.get(kind) if isinstance(kind, str) else None
    if cls is None:
        raise ProtocolError("bad-message", f"the message's type is {str(kind)[:80]!r}; known are {', '.join(FROM_CLIENT)}")
    message: ClientMessage = decode(cls, body, cls.TYPE)
    return message


def from_server(text: str) -> ServerMessage | None:
    """A server's text frame; unknown fields are ignored, an unknown type is `None`: a newer server may say more."""
    body = parse(text)
    cls = FROM_SERVER.get(str(body.pop("type", None)))
    if cls is None:
        return None
    message: ServerMessage = decode(cls, body, cls.TYPE, strict=False)
    return message
