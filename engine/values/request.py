"""All that decides a picture, and all that comes back: plain values, no tensors, no torch.

A request is the same whether it comes from the command line, a test or the server's worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from acetate.raster import RGBA, Deep, Mask
from acetate.vocabulary.parameters import Parameters
from acetate.vocabulary.roles import Role
from acetate.vocabulary.tasks import DEFAULT
from acetate.vocabulary.working_sizes import Drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class Request(Parameters):
    """One job: a task, its prompt and conditions, and the numbers that fix the result."""

    __eq__ = object.__eq__  # by identity: comparing pictures takes long
    __hash__ = object.__hash__

    task: str = DEFAULT
    model: str = "sketchpad"
    source: RGBA | None = None
    """The layer that `refine`, `repaint` and `upscale` work on; for tasks of several layers a rough version to begin from."""
    deep_source: Deep | None = None
    """The source in more than 8 bits, for an `upscale` that only interpolates; `source` shows it in the same size."""
    mask: Mask | None = None
    """What may change, or is cut out; soft edges blend. Same size as `source`."""
    foreground: RGBA | None = None
    background: RGBA | None = None
    blended: RGBA | None = None
    references: tuple[RGBA, ...] = ()
    """Pictures that the prompt of an `edit` calls `<image2>` and so on; the source is `<image1>`."""

    def pictures(self) -> tuple[Request, ...]:
        """A request for each picture of `count`, with its own seed."""
        return tuple(replace(self, seed=self.seed + index, count=1) for index in range(self.count))

    def prompt_of(self, role: Role) -> str:
        """What the layer's text is made from (layerdiffuse.md 4.4)."""
        own = self.prompts.get(role, "")
        if self.layer_prompts == "add":
            return ", ".join(part for part in (own, self.prompt) if part.strip())
        return own or self.prompt


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A step was done. To cancel the job between two steps, stop iterating."""

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
    """The measures of `quality.measure`."""
    warnings: tuple[str, ...] = ()
    deep: Deep | None = None
    """The layer in more than 8 bits, where its source was; `rgba` is what is seen of it then."""
    hidden: bool = False
    """A reference picture (the blended one), to be inserted invisible."""
    drawn: Drawn | None = None
    """How large the networks drew it; `None` where they drew nothing."""
