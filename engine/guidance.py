"""The UNet with its prompt, guidance and conditions, as the one function that a sampler calls."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from .model import Model
from .recipes import Recipe
from .request import Request, Role
from .sampling import Denoiser


class Guided:
    """Classifier-free guidance in one batch `[unconditional, conditional]`, frames kept together in each half."""

    def __init__(
        self,
        model: Model,
        recipe: Recipe,
        request: Request,
        guidance_scale: float,
        latents: dict[Role, Tensor],
        switch: Any,
        denoiser: Denoiser,
    ) -> None:
        self.model, self.guidance_scale, self.switch, self.denoiser = model, guidance_scale, switch, denoiser
        self.frames = len(recipe.frames)
        self.halves = 2 if guidance_scale > 1 else 1
        positive = [request.prompts.get(role) or request.prompt for role in recipe.frames]
        negative = [request.negative_prompt] * self.frames if self.halves == 2 else []
        text = model.text.encode([*negative, *positive])
        self.arguments: dict[str, Any] = {"encoder_hidden_states": text.embeds.to(model.device, model.dtype)}
        self.pooled = text.pooled
        stacked = [] if recipe.sharing else [latents[role] for role in recipe.conditions]
        self.conditions = torch.cat(stacked, dim=1).to(model.device, model.dtype) if stacked else None

    def predict(self, scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        """The guided prediction for `(frames, C, h, w)`. Conditions are appended after scaling, equal in both halves."""
        sample = scaled.to(self.model.dtype)
        if self.switch.due(index, self.denoiser):
            self.conditions = None
        if self.conditions is not None:
            sample = torch.cat([sample, self.conditions.expand(len(sample), -1, -1, -1)], dim=1)
        if self.pooled is not None and "added_cond_kwargs" not in self.arguments:
            self.arguments["added_cond_kwargs"] = self._micro_conditioning(scaled)
        batch = sample.repeat(self.halves, 1, 1, 1).contiguous(memory_format=torch.channels_last)
        output: Tensor = self.model.unet(batch, timestep, **self.arguments, return_dict=False)[0]
        output = output.float()
        if self.halves == 1:
            return output
        unconditional, conditional = output.chunk(2)
        return unconditional + self.guidance_scale * (conditional - unconditional)

    def _micro_conditioning(self, scaled: Tensor) -> dict[str, Tensor]:
        """SDXL's original and target size are the canvas, nothing is cropped (layerdiffuse.md 6.3)."""
        assert self.pooled is not None
        height, width = scaled.shape[2] * 8, scaled.shape[3] * 8
        sizes = torch.tensor([[height, width, 0, 0, height, width]], dtype=self.model.dtype, device=self.model.device)
        pooled = self.pooled.to(self.model.device, self.model.dtype)
        return {"text_embeds": pooled, "time_ids": sizes.repeat(len(pooled), 1)}
