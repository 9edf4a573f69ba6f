"""The UNet with its prompt, guidance and conditions, as the one function that a sampler calls."""

from __future__ import annotations

from typing import Any

import torch
from acetate.vocabulary.roles import Role
from torch import Tensor

from ..models.model import Model
from ..values.recipes import Recipe
from ..values.request import Request
from .denoising_loop import DenoisingLoop


class GuidedUNet:
    """Classifier-free guidance: the halves `[unconditional, conditional]` with their frames, in one UNet call or in two."""

    def __init__(
        self,
        model: Model,
        recipe: Recipe,
        request: Request,
        guidance_scale: float,
        latents: dict[Role, Tensor],
        switch: Any,
        denoiser: DenoisingLoop,
    ) -> None:
        self.model, self.guidance_scale, self.switch, self.denoiser = model, guidance_scale, switch, denoiser
        self.frames = len(recipe.frames)
        self.halves = 2 if guidance_scale > 1 else 1
        positive = [request.prompt_of(role) for role in recipe.frames]
        negative = [request.negative_prompt] * self.frames if self.halves == 2 else []
        text = model.memory.attempt("text", lambda: model.text.encode([*negative, *positive]))
        self.sharing = recipe.sharing
        self.embeds = text.embeds.to(model.device, model.dtype)
        self.pooled = None if text.pooled is None else text.pooled.to(model.device, model.dtype)
        self.added: dict[str, Tensor] | None = None
        self._chosen: dict[tuple[int | None, int | None], list[Tensor]] = {}
        stacked = [] if recipe.sharing else [latents[role] for role in recipe.conditions]
        self.on_base = False
        """Whether the base model has taken over; its `conv_in` knows no conditions."""
        self.conditions = torch.cat(stacked, dim=1).to(model.device, model.dtype) if stacked else None

    def predict(self, scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        """The guided prediction for `(frames, C, h, w)`. Conditions are appended after scaling, equal in both halves."""
        sample = scaled.to(self.model.dtype)
        if not self.on_base and self.switch.reached(index, self.denoiser):
            self.switch.strip(self.denoiser)
            self.on_base, self.conditions = True, None
        if self.conditions is not None:
            sample = torch.cat([sample, self.conditions.expand(len(sample), -1, -1, -1)], dim=1)
        if self.pooled is not None and self.added is None:
            self.added = _micro_conditioning(self.pooled, scaled)
        return self.model.memory.attempt("denoise", lambda: self._guide(sample, timestep))

    def _guide(self, sample: Tensor, timestep: Tensor) -> Tensor:
        if self.halves == 1:
            return self._call(sample, timestep, slice(None))
        if self.model.memory.plan.guidance_together:
            unconditional, conditional = self._call(sample.repeat(2, 1, 1, 1), timestep, slice(None)).chunk(2)
        else:
            unconditional = self._call(sample, timestep, slice(None, self.frames))
            conditional = self._call(sample, timestep, slice(self.frames, None))
        return unconditional + self.guidance_scale * (conditional - unconditional)

    def _call(self, sample: Tensor, timestep: Tensor, part: slice) -> Tensor:
        """One UNet call in float32; `part` is which of the prompts belong to `sample`."""
        names, words = self._words_of(part)

        def unet(sample: Tensor, timestep: Tensor, embeds: Tensor, *parts: Tensor) -> Tensor:
            added = dict(zip(names, parts, strict=True))
            output: Tensor = self.model.unet(sample, timestep, embeds, added_cond_kwargs=added, return_dict=False)[0]
            return output

        model, memory = self.model, self.model.memory
        inputs = [sample.contiguous(memory_format=torch.channels_last), timestep, *words]
        pure = memory.plan.whole and not self.sharing  # units of attention sharing read what is not an input
        call = model.accelerator.call
        return call(model.unet, unet, inputs, constant=len(words), pure=pure, plentiful=memory.plentiful).float()

    def _words_of(self, part: slice) -> tuple[tuple[str, ...], list[Tensor]]:
        """Names of what SDXL takes besides the embeddings, and all of it: the very same tensors in every step."""
        added = self.added or {}
        chosen = (part.start, part.stop)
        if chosen not in self._chosen:
            self._chosen[chosen] = [tensor[part] for tensor in (self.embeds, *added.values())]
        return tuple(added), self._chosen[chosen]


def _micro_conditioning(pooled: Tensor, latents: Tensor) -> dict[str, Tensor]:
    """SDXL's original and target size are the canvas, nothing is cropped (layerdiffuse.md 6.3)."""
    height, width = latents.shape[2] * 8, latents.shape[3] * 8
    sizes = torch.tensor([[height, width, 0, 0, height, width]]).to(pooled)
    return {"text_embeds": pooled, "time_ids": sizes.repeat(len(pooled), 1)}
