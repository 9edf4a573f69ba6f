"""Values inside messages: boxes, pictures by name, parameters, groups; and the limits of their fields.

Knows names and ranges; knows no direction. Coordinates are canvas pixels, boxes may lie partly outside the canvas. Colour is
straight sRGB unless a pixel format says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args

from acetate.vocabulary.box import Box

from .frames import Sha256
from .schema import AtMost, Between, Fields, Matching

TASKS = (
    "foreground", "scene", "background", "object", "blend", "extract-background", "extract-foreground",
    "refine", "repaint", "upscale",
)  # fmt: skip
ROLES = ("foreground", "background", "blended")

Size = Annotated[int, Between(1, 8192)]
_PLACE, _SIDE = Between(-(10**6), 10**6), Between(1, 32768)
Place = Annotated[int, _PLACE]
CanvasBox = Annotated[Box, Fields((("x", _PLACE), ("y", _PLACE), ("width", _SIDE), ("height", _SIDE)))]
"""A rectangle of the canvas, of at least one pixel."""
LONGEST_TEXT = 8000
"""Characters of a prompt."""
Text = Annotated[str, AtMost(LONGEST_TEXT)]
_WORD = r"(?!\.)[^/\\\x00-\x1f\x7f]+"
Name = Annotated[
    str, AtMost(200), Matching(rf"(?![A-Za-z]:){_WORD}(/{_WORD}){{0,3}}", "a name from the server's lists, not a path")
]
"""Two models of one name are told apart by their folder's: `portraits/soft`."""
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
    """The layer that `refine`, `repaint` and `upscale` work on; for tasks of several layers what they begin from, if given."""
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
    layer_prompts: Literal["replace", "add"] = "replace"
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
    box: CanvasBox | None = None
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
