"""Values inside messages: boxes, pictures by name, groups; and the limits of their fields.

Knows names and ranges; knows no direction. Coordinates are canvas pixels, boxes may lie partly outside the canvas. Colour is
straight sRGB unless a pixel format says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from acetate.vocabulary.box import Box
from acetate.vocabulary.names import Clean, Label
from acetate.vocabulary.parameters import LARGEST_SIDE, range_of
from acetate.vocabulary.roles import MOST_REFERENCES, PICTURES, ROLES
from acetate.vocabulary.stacking import Group
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.working_sizes import Drawn

from .annotations import AtMost, Between, Fields, Known
from .errors import Failure
from .frames import Count, Sha256

CanvasSide = Annotated[int, Between(1, LARGEST_SIDE)]
_PLACE, _SIDE = Between(-(10**6), 10**6), Between(1, 32768)
Place = Annotated[int, _PLACE]
CanvasBox = Annotated[Box, Fields((("x", _PLACE), ("y", _PLACE), ("width", _SIDE), ("height", _SIDE)))]
"""A rectangle of the canvas, of at least one pixel."""
LayerGroup = Annotated[Group, Fields((("opacity", Between(0, 1)),))]
Coordinate = Annotated[int, Between(-(2**31), 2**31 - 1)]
"""A place on the canvas that a file may have named."""
Extent = Annotated[int, Between(0, 32768)]
LayerDrawn = Annotated[Drawn, Fields((("width", _SIDE), ("height", _SIDE), ("enlarged", Between(0, 10**6))))]
Share = Annotated[float, Between(0, 1)]
Seconds = Annotated[float, Between(0, 10**12)]
Seed = Annotated[int, Between(*range_of("seed"))]
Version = Annotated[int, Between(0, 2**31 - 1)]
RoleName = Annotated[str, Clean(), Known(ROLES)]
TaskName = Annotated[str, Known((*TASKS, "insert", "export"))]
Encoding = Literal["raw", "zlib"]
ENCODINGS = get_args(Encoding)
LayerFormat = Literal["rgba8", "bgra8", "rgba16", "rgbaf32"]
State = Literal["waiting", "running", "finished", "failed", "cancelled"]
EngineStateName = Literal["starting", "ready", "failed"]


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
    """The layer that the task works on; for tasks of several layers what they begin from, if given."""
    mask: Placed | None = None
    """A `gray8` picture, 255 = may change."""
    foreground: Placed | None = None
    background: Placed | None = None
    blended: Placed | None = None
    references: Annotated[tuple[Placed, ...], AtMost(MOST_REFERENCES)] = ()
    """Pictures that the prompt calls `<image2>` and so on, beside the source; their places mean nothing."""

    def placed(self) -> Iterator[tuple[str, Placed]]:
        """Every picture, with what it is given for."""
        for name in (*PICTURES, "mask"):
            if (one := getattr(self, name)) is not None:
                yield name, one
        yield from (("reference", one) for one in self.references)


@dataclass(frozen=True)
class Limits:
    """The limits beyond which the server refuses."""

    text_bytes: Count
    part_bytes: Count
    pixels: Count
    side: Count
    file_bytes: Count
    prompt_characters: Count
    count: Count
    jobs_per_session: Count


@dataclass(frozen=True)
class Device:
    """One of the devices on which jobs run."""

    name: str
    state: EngineStateName = "ready"
    """`failed`: it takes no jobs until it is there again, which the server tries by itself."""
    model: str = ""
    """The model that was used on it last and still lies there."""
    failure: Failure | None = None


@dataclass(frozen=True)
class LayerSummary:
    """One line of the history about a layer."""

    index: Count
    name: Label
    role: RoleName
    x: Coordinate
    y: Coordinate
    width: Extent
    height: Extent
    seed: Seed = 0
    visible: bool = True
    picture: Count = 0
    """Which candidate of `count` it belongs to."""
    reference: bool = False
    drawn: LayerDrawn | None = None
    starred: bool = False
    """Whether its picture was marked with `star`."""


@dataclass(frozen=True)
class HistoryEntry:
    """A finished job; a page lists them newest first. `attach` brings its layers."""

    job: str
    task: TaskName
    finished: Annotated[float, Between(0, 10**12)]
    """When the job was over, in seconds since 1970, UTC."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    box: CanvasBox | None = None
    layers: tuple[LayerSummary, ...] = ()
    thumbnail: bool = False
    """Whether `thumbnail` frames came before the page: one for each layer that is not empty."""


@dataclass(frozen=True)
class JobLine:
    """A job that waits, runs, or whose result has not been acknowledged yet."""

    job: str
    task: TaskName
    state: State
    session: str
    position: Count = 0
    prompt: str = ""
    client: str = ""
    """Who asked for it, as that client calls itself; empty when the server was started again since."""
    fraction: Share = 0.0
    """The share of a running job that is done."""
    seconds_left: Seconds | None = None
    """Of a running job; absent until that can be told."""
