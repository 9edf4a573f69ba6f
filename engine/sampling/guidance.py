"""The UNet with its prompt, guidance and conditions, as the one function that a sampler calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from acetate.vocabulary.roles import Role
from torch import Tensor

from ..checkpoints.prediction import guidance_rescale
from ..models.model import Model
from ..prompt_language.schedules import Composed, at_step, is_scheduled, split_composed
from ..values.recipes import Recipe
from ..values.request import Request
from .denoising_loop import DenoisingLoop


def pictures_at_once(request: Request, recipe: Recipe, guidance_scale: float) -> int:
    """The most pictures that the UNet is given at once: each frame for the negative prompt and for every prompt of an `AND`."""
    composed = [split_composed(request.prompt_of(role)) for role in recipe.frames]
    return len(recipe.frames) * (max(map(len, composed)) + _needs_negative(composed, guidance_scale))


def _needs_negative(composed: Sequence[Sequence[Composed]], guidance_scale: float) -> bool:
    """Whether the negative prompt changes anything: not where guidance leads exactly to the prompts."""
    return guidance_scale != 1 or any(sum(one.weight for one in parts) != 1 for parts in composed)


class GuidedUNet:
    """Classifier-free guidance: `[negative, prompt, more prompts of an AND]` with their frames, in one UNet call or several."""

    def __init__(
        self,
        model: Model,
        recipe: Recipe,
        request: Request,
        guidance_scale: float,
        latents: dict[Role, Tensor],
        switch: Any,
        denoiser: DenoisingLoop,
        reference: Tensor | None = None,
    ) -> None:
        self.model, self.guidance_scale, self.switch, self.denoiser = model, guidance_scale, switch, denoiser
        self.frames = len(recipe.frames)
        composed = [split_composed(request.prompt_of(role)) for role in recipe.frames]
        self.prompts = max(map(len, composed))
        """How many prompts `AND` joins; 1 without one."""
        for parts in composed:
            parts += [Composed("", 0.0)] * (self.prompts - len(parts))
        weights = [[parts[index].weight for parts in composed] for index in range(self.prompts)]
        self._weights = torch.tensor(weights).reshape(self.prompts, -1, 1, 1, 1).to(model.device)
        negative = [request.negative_prompt] * self.frames if _needs_negative(composed, guidance_scale) else []
        self.halves = bool(negative) + self.prompts
        """The parts of the UNet's batch, each of all frames."""
        self._lay_out([*negative, *(parts[index].text for index in range(self.prompts) for parts in composed)], request)
        self.sharing = recipe.sharing
        stacked = [] if recipe.sharing else [latents[role] for role in recipe.conditions]
        stacked += [] if reference is None else [reference]
        self._shown = reference is not None
        """Whether it draws after a reference: then it predicts the clean latents."""
        self.on_base = False
        """Whether the base model has taken over; its `conv_in` knows no conditions."""
        self.conditions = torch.cat(stacked, dim=1).to(model.device, model.dtype) if stacked else None

    def _lay_out(self, prompts: list[str], request: Request) -> None:
        """Encode the words of all steps at once, so that they have one number of tokens; and which of them belong to a step."""
        steps = self.denoiser.steps if any(map(is_scheduled, prompts)) else 1
        worded = [[at_step(prompt, step, steps) for prompt in prompts] for step in range(max(steps, 1))]
        words = list(dict.fromkeys(text for each in worded for text in each))
        model = self.model
        text = model.memory.attempt("text", lambda: model.text.encode(words, request.clip_skip))
        self._rows = [tuple(words.index(one) for one in each) for each in worded]
        self.embeds = text.embeds.to(model.device, model.dtype)
        self.pooled = None if text.pooled is None else text.pooled.to(model.device, model.dtype)
        self._sizes: Tensor | None = None
        self._chosen: dict[tuple[int, ...], tuple[tuple[str, ...], list[Tensor]]] = {}

    def predict(self, scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        """The guided prediction for `(frames, C, h, w)`. Conditions are appended after scaling, equal in all parts."""
        sample = scaled.to(self.model.dtype)
        if not self.on_base and self.switch.reached(index, self.denoiser):
            self.switch.strip(self.denoiser)
            self.on_base, self.conditions = True, None
        if self.conditions is not None:
            sample = torch.cat([sample, self.conditions.expand(len(sample), -1, -1, -1)], dim=1)
        if self.pooled is not None and self._sizes is None:
            self._sizes = _micro_conditioning(scaled).to(self.pooled)
        rows = self._rows[0] if len(self._rows) == 1 else self._rows[self.denoiser.step_of(index)]
        output = self.model.memory.attempt("denoise", lambda: self._guide(sample, timestep, rows))
        return _velocity(output, scaled, self.denoiser.sigma(index)) if self._shown else output

    def _guide(self, sample: Tensor, timestep: Tensor, rows: tuple[int, ...]) -> Tensor:
        if self.model.memory.plan.guidance_together:
            found = self._call(sample.repeat(self.halves, 1, 1, 1), timestep, rows).chunk(self.halves)
        else:
            every = range(0, len(rows), self.frames)
            found = tuple(self._call(sample, timestep, rows[start : start + self.frames]) for start in every)
        if self.halves == 1:
            return found[0]
        if self.halves == self.prompts:
            return (self._weights * torch.stack(found)).sum(0)
        unconditional, *conditionals = found
        guided = unconditional
        for weight, conditional in zip(self._weights, conditionals, strict=True):
            guided = guided + self.guidance_scale * weight * (conditional - unconditional)
        share = guidance_rescale(self.model.scheduler_config)
        return _rescaled(guided, conditionals[0], share) if share and self.guidance_scale > 1 else guided

    def _call(self, sample: Tensor, timestep: Tensor, rows: tuple[int, ...]) -> Tensor:
        """One UNet call in float32; `rows` are the encoded words that belong to the elements of `sample`."""
        names, words = self._words_of(rows)

        def unet(sample: Tensor, timestep: Tensor, embeds: Tensor, *parts: Tensor) -> Tensor:
            added = dict(zip(names, parts, strict=True))
            output: Tensor = self.model.unet(sample, timestep, embeds, added_cond_kwargs=added, return_dict=False)[0]
            return output

        model, memory = self.model, self.model.memory
        inputs = [sample.contiguous(memory_format=torch.channels_last), timestep, *words]
        pure = memory.plan.whole and not model.narrow and not self.sharing  # units of attention sharing read what is not an input
        call = model.accelerator.call
        return call(model.unet, unet, inputs, constant=len(words), pure=pure, plentiful=memory.plentiful).float()

    def _words_of(self, rows: tuple[int, ...]) -> tuple[tuple[str, ...], list[Tensor]]:
        """Names of what SDXL takes besides the embeddings, and all of it: the same tensors wherever the words are the same."""
        if rows not in self._chosen:
            chosen = list(rows)
            added = {} if self.pooled is None else {"text_embeds": self.pooled[chosen], "time_ids": self._time_ids(len(chosen))}
            self._chosen[rows] = tuple(added), [self.embeds[chosen], *added.values()]
        return self._chosen[rows]

    def _time_ids(self, count: int) -> Tensor:
        assert self._sizes is not None
        return self._sizes.repeat(count, 1)


def _velocity(clean: Tensor, scaled: Tensor, sigma: float) -> Tensor:
    """What samplers take instead of the clean latents that a model with a memory predicts, from the sample at `sigma`."""
    signal, noise = 1 / math.hypot(sigma, 1), sigma / math.hypot(sigma, 1)
    return (signal * scaled - clean) / noise


def _rescaled(guided: Tensor, conditional: Tensor, share: float) -> Tensor:
    """`guided`, `(B, C, h, w)`, brought back by `share` to the spread of the prompt's own prediction."""
    spreads = (one.std(dim=(1, 2, 3), keepdim=True) for one in (conditional, guided))
    wanted, found = spreads
    return guided * (share * wanted / found.clamp_min(1e-8) + (1 - share))


def _micro_conditioning(latents: Tensor) -> Tensor:
    """SDXL's original and target size are the canvas, nothing is cropped (layerdiffuse.md 6.3): `(1, 6)`."""
    height, width = latents.shape[2] * 8, latents.shape[3] * 8
    return torch.tensor([[height, width, 0, 0, height, width]])
