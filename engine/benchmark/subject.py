"""What every contestant is given: the same prompt, noise, sizes, settings and networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ..models.codec import LatentOffsetCodec
from ..models.model import Model, Text
from ..sampling.denoising_loop import noise_like

PROMPT = "a red apple"
SCHEDULER = "dpmpp-2m-karras"
"""The scheduler of all contestants; it draws no noise of its own."""


@dataclass(frozen=True)
class Subject:
    """One foreground picture of `model`."""

    model: Model
    width: int
    height: int
    """Both in pixels, on the networks' working canvas."""
    steps: int
    guidance_scale: float
    passes: int

    @property
    def codec(self) -> LatentOffsetCodec:
        assert isinstance(self.model.codec, LatentOffsetCodec)
        return self.model.codec

    @cached_property
    def noise(self) -> Tensor:
        """`(1, C, h, w)`, standard normal."""
        shape = (1, self.codec.latent_channels, self.height // 8, self.width // 8)
        return noise_like(shape, seed=0).to(self.model.device)

    @cached_property
    def text(self) -> Text:
        """Unconditional and conditional embeddings, on the device."""
        text = self.model.text.encode(["", PROMPT])
        place = (self.model.device, self.model.dtype)
        return Text(text.embeds.to(*place), None if text.pooled is None else text.pooled.to(*place))

    @cached_property
    def latents(self) -> Tensor:
        """`(1, C, h, w)` in sampling space, like those of a finished picture."""
        return self.noise * self.codec.scaling_factor

    @cached_property
    @torch.no_grad()
    def pixels(self) -> Tensor:
        """`(1, 3, H, W)` in [0, 1], decoded from `latents`."""
        return self.codec.pixels(self.latents / self.codec.scaling_factor)

    @cached_property
    def estimate(self) -> Tensor:
        """`(1, 4, H, W)` in [0, 1], alpha first, as the transparent decoder gives it."""
        return torch.rand(1, 4, self.height, self.width).to(self.model.device, self.codec.decoder.conv_in.weight.dtype)
