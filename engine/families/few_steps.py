"""How models and LoRAs that were distilled to few steps are sampled, by the words for it in names and titles. Knows no file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from ..values.lora_tag import LoraTag
from ..values.request import Request
from .base import Defaults, Family

ROLE = "fast-lora"
"""The catalogue's role of a LoRA that draws in few steps."""


@dataclass(frozen=True)
class FewSteps:
    """A way to be sampled; all of these are trained for guidance 1, at which the UNet has half of its work."""

    kind: str
    """The method's name."""
    steps: int
    """As many as its name says, or else as its authors recommend."""
    scheduler: str
    spacing: str | None = None


_KINDS: Sequence[tuple[str, FewSteps]] = (
    (r"lightning", FewSteps("Lightning", 4, "euler", "sgm-uniform")),
    (r"hyper[-_ ]?(?:sd|\d)\w*", FewSteps("Hyper-SD", 8, "ddim", "sgm-uniform")),
    (r"dmd2?", FewSteps("DMD2", 4, "lcm", "sgm-uniform")),
    (r"lcm", FewSteps("LCM", 6, "lcm")),
    (r"tcd", FewSteps("TCD", 4, "tcd")),
    (r"turbo", FewSteps("Turbo", 4, "euler-a", "sgm-uniform")),
    (r"flash[-_ ]?(?:sd|diffusion)\w*", FewSteps("Flash Diffusion", 4, "lcm", "sgm-uniform")),
    (r"pcm", FewSteps("PCM", 4, "lcm")),
    (r"distilled|(?<!\d)(?:[12468]|16)[-_ ]?steps?", FewSteps("an unknown method", 8, "euler", "sgm-uniform")),
)
"""Words of names. DMD2 and Flash Diffusion were trained at 999, 749, 499, 249, between which LCM's own way lies."""
DISTILLED = "distilled"
"""The word for a model of which no more is known."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins without a space: `v21TurboDPM`."""
_STEPS = re.compile(r"(?<!\d)(\d{1,2})[-_ ]?steps?(?![a-z])", re.IGNORECASE)
_NOT = re.compile(r"\b(?:non|not|no|un)[-_ ]?distilled|\bcfg(?![a-z])", re.IGNORECASE)
"""Hyper-SD's files with CFG in their name are made for guidance as usual."""


def few_steps_of(name: str) -> FewSteps | None:
    """How the model or LoRA of this name is sampled in few steps; `None` for an ordinary one."""
    plain = _CAMEL.sub(" ", name).replace("_", " ")
    if _NOT.search(plain):
        return None
    for pattern, found in _KINDS:
        if re.search(rf"(?<![a-z])(?:sd)?(?:xl)?{pattern}(?![a-z])", plain, re.IGNORECASE):
            told = _STEPS.search(plain)
            return replace(found, steps=int(told[1])) if told else found
    return None


Distilled = Callable[[str], str]
"""The name of a model or LoRA -> a word for how it was distilled, empty for an ordinary one."""


def settled_fast(
    request: Request, family: Family, installed: Sequence[str], distilled: Distilled = lambda name: name
) -> Request | None:
    """`request` with what `fast` stands for, wherever the person chose nothing; `None` where no LoRA for it is installed.

    That is the way of a distilled model or of a LoRA that the request names already; else the first LoRA of `installed` that is
    one joins. The built-in model, whose family takes none, only makes fewer steps.
    """
    if family.bundled:
        return replace(request, fast=False, steps=request.steps or family.defaults.steps // 2)
    known = (request.model, *(LoraTag.of(entry).name for entry in request.loras))
    way = next(filter(None, (few_steps_of(distilled(name)) for name in known)), None)
    if way is None:
        found = ((name, few_steps_of(distilled(name))) for name in installed)
        name, way = next((pair for pair in found if pair[1]), ("", None))
        if way is None:
            return None
        request = replace(request, loras=(*request.loras, LoraTag(name).entry))
    chosen = request.scheduler is not None
    return replace(
        request,
        fast=False,
        steps=request.steps or way.steps,
        guidance_scale=1.0 if request.guidance_scale is None else request.guidance_scale,
        scheduler=request.scheduler or way.scheduler,
        spacing=request.spacing or (None if chosen else way.spacing),
    )


def cautions(request: Request, defaults: Defaults, distilled: Distilled = lambda name: name) -> Iterator[str]:
    """What a person should know who uses a distilled model or LoRA like an ordinary one."""
    steps = request.steps or defaults.steps
    guidance = defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale
    for name in (request.model, *(LoraTag.of(entry).name for entry in request.loras)):
        way = few_steps_of(distilled(name))
        if way is not None and (guidance > 2 or steps > 4 * way.steps):
            spacing = f", spacing {way.spacing}" if way.spacing else ""
            yield (
                f"{name} is made for {way.steps} steps at guidance 1 with scheduler {way.scheduler}{spacing}; "
                f"{steps} steps at guidance {guidance:g} burn the picture: take fast, or set these yourself"
            )
