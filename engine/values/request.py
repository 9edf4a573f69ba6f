"""All that decides a picture, and all that comes back: plain values, no tensors, no torch.

A request is the same whether it comes from the command line, a test or the server's worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from acetate.raster import RGBA, Mask

Task = Literal[
    "foreground",
    "scene",
    "background",
    "object",
    "blend",
    "extract-background",
    "extract-foreground",
    "refine",
    "repaint",
    "upscale",
]
TASKS: tuple[Task, ...] = get_args(Task)

Role = Literal["foreground", "background", "blended"]
ROLES: tuple[Role, ...] = get_args(Role)

Injection = Literal["attention", "convolution"]
ResizeMode = Literal["crop", "stretch", "fill"]
LayerPrompts = Literal["replace", "add"]

Passes = Literal[1, 2, 4, 8]
"""Of the transparent decoder over flips and turns of the picture; eight are the reference."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """One job: a task, its prompt and conditions, and the numbers that fix the result."""

    task: Task = "foreground"
    prompt: str = ""
    negative_prompt: str = ""
    prompts: Mapping[Role, str] = field(default_factory=dict)
    """A prompt for one layer of a `scene`, `background` or `object`; the main prompt serves the others."""
    layer_prompts: LayerPrompts = "replace"
    """What a layer's own prompt does to the main one: it takes its place, as in ComfyUI, or comes before it, as in Forge."""
    model: str = "sketchpad"
    width: int | None = None
    """Pixels; `None` means the source's or condition's width, else the model's native one. Any size works."""
    height: int | None = None
    steps: int | None = None
    """Denoising steps; `None` means the model's default."""
    guidance_scale: float | None = None
    scheduler: str | None = None
    """A name of `sampling.SCHEDULERS`; `None` means the model's default."""
    seed: int = 0
    """Picture i of `count` uses `seed + i`."""
    count: int = 1
    strength: float | None = None
    """How far the result may go from the source, in [0, 1]; `None` means 1 for `repaint`, 0.2 for `upscale`, 0.6 for others."""
    lock_alpha: bool = False
    """`refine`, `repaint`: keep the source's alpha and only change its colour."""
    alpha_passes: Passes | None = None
    """Passes of the transparent decoder; `None` means the model's default."""
    source: RGBA | None = None
    """The layer that `refine`, `repaint` and `upscale` work on; for tasks of several layers a rough version to begin from."""
    mask: Mask | None = None
    """`repaint`: what may change; soft edges blend. Same size as `source`."""
    foreground: RGBA | None = None
    background: RGBA | None = None
    blended: RGBA | None = None
    injection: Injection = "attention"
    """Which of the two SDXL `foreground` weight files is used."""
    layer_weight: float = 1.0
    """Strength of the LayerDiffuse weights; 1 is the trained point."""
    stop_at: float = 1.0
    """Share of the noise levels, in [0, 1], that the LayerDiffuse weights see; the base model finishes.

    In a task of several runs it holds for the last.
    """
    resize_mode: ResizeMode = "crop"
    """How conditions of another size are brought to the target's."""
    loras: tuple[tuple[str, float], ...] = ()
    scale: float = 2.0
    """`upscale`: the factor; `width` and `height`, when given, are the target instead."""
    upscaler: str | None = None
    """`upscale`: a network by name, or the absolute path of its file; `None` means Lanczos."""
    upscaling: Mapping[str, Any] = field(default_factory=dict)
    """`upscale`: `mode`, `alpha` and fields of `tiles.Tiling`, where they differ from the defaults (`upscale_options.py`)."""

    def prompt_of(self, role: Role) -> str:
        """What the layer's text is made from (layerdiffuse.md 4.4)."""
        own = self.prompts.get(role, "")
        if self.layer_prompts == "add":
            return ", ".join(part for part in (own, self.prompt) if part.strip())
        return own or self.prompt


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A step was done. Raised between steps: whoever stops iterating cancels the job there."""

    stage: str
    """`load`, `encode`, `denoise`, `decode`, `upscale`."""
    step: int
    """1-based, at most `steps`."""
    steps: int
    fraction: float
    """Share of the whole job that is done, in [0, 1]."""
    preview: Callable[[], RGBA] | None = None
    """Makes a small cheap RGBA of the state so far (1/8 size or better); costs nothing until called."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """One finished layer."""

    rgba: RGBA
    role: Role
    index: int
    """Which picture of `count`, from 0. Layers of one picture share it."""
    seed: int
    parameters: Mapping[str, Any]
    """JSON-ready: everything needed to generate it again except the condition pixels."""
    quality: Mapping[str, float] = field(default_factory=dict)
    """Measures of `quality.measure`."""
    warnings: tuple[str, ...] = ()
    hidden: bool = False
    """A reference picture (the blended one), to be inserted invisible."""
