"""The loop and the prediction of a model's kind: a scheduler's steps with a UNet, or the straight way with a transformer.

Everything above, pipeline and tiles, asks here and knows neither kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from acetate.vocabulary.roles import Role
from torch import Tensor

from ..families import NativeFamily
from ..models.model import Model
from ..native_rgba.references import References
from ..values.recipes import Recipe
from ..values.request import Request
from .denoising_loop import DenoisingLoop, DenoisingStep, generator_of
from .flow_guidance import NONE, GuidedFlow
from .flow_matching import FlowLoop, FlowSchedule, FlowStep
from .guidance import GuidedUNet
from .samplers import Sampler

Loop = DenoisingLoop | FlowLoop


def guidance_of(request: Request, model: Model) -> float:
    """The guidance scale of a request, which may leave it to the model."""
    return model.defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale


def loop_for(model: Model, request: Request, strength: float, tokens: int) -> Loop:
    """The loop of a request's steps and sampler, where it leaves them to the model its own; `tokens` is how many latents there
    are, on which a flow's noise levels depend."""
    defaults = model.defaults
    steps, name = request.steps or defaults.steps, request.scheduler or defaults.scheduler
    if isinstance(model.family, NativeFamily):
        return FlowLoop(FlowSchedule.of(model.scheduler_config), steps, strength, tokens, model.device)
    sampler = Sampler(name, model.scheduler_config, request.spacing, model.family.steps_table)
    return DenoisingLoop(sampler, steps, strength, model.device)


def denoised(
    loop: Loop,
    sample: Tensor,
    model: Model,
    recipe: Recipe,
    request: Request,
    *,
    latents: dict[Role, Tensor],
    switch: Any,
    keep: Callable[[Tensor, int], Tensor] | None = None,
    references: References = NONE,
    reference: Tensor | None = None,
) -> Iterator[DenoisingStep | FlowStep]:
    """The steps from `sample`, `(frames, C, h, w)`, after which `loop.latents` holds the result.

    `latents` are the recipe's conditions, `keep` mixes back in what may not change, `references` are what the model is shown;
    after `reference`, `(1, C, h, w)`, a model with a memory draws.
    """
    guidance_scale = guidance_of(request, model)
    if isinstance(loop, FlowLoop):
        yield from loop.run(sample, GuidedFlow(model, recipe, request, guidance_scale, references).predict, keep)
        return
    guided = GuidedUNet(model, recipe, request, guidance_scale, latents, switch, loop, reference)
    yield from loop.run(sample, guided.predict, generator_of(request.seed), keep)
