"""Train the UNet that draws after a reference: what it is shown varies from what it is to draw, a little each time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from acetate.engine.sketch import variation
from acetate.engine.sketch.networks import PatchEncoder
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from ..pictures import noto, tokenizer
from ..pictures.subjects import HUES
from ..pictures.variation import hue_turned
from .denoiser import SCHEDULER, UNCONDITIONAL, WIDTH
from .patch_codec import LATENT_CHANNELS
from .precision import Trainer

SCALE = 2.0
"""The latents that are drawn are the codec's times this, so that their spread is about a half."""
AVERAGE = 0.998
"""How slowly the averaged weights follow."""
FORGOTTEN = 0.1
"""Share of the pictures that are drawn without their reference."""
PAIRED, SAID, THIN = 0.1, 0.15, 0.1
"""Shares with two subjects, with a colour that only the caption tells, and with less than their alpha."""


def network() -> UNet2DConditionModel:
    """The UNet: noisy latents and the reference's side by side, 16 x 16 each."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=2 * LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(96, 160, 160),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=4,
    )


@dataclass(frozen=True)
class Shown:
    """The pictures of the memory and what they are called."""

    pictures: NDArray[np.uint8]
    """`(N, H, W, 4)` premultiplied."""
    names: list[str]

    def batch(self, count: int, step: int) -> tuple[Tensor, Tensor, list[str]]:
        """References and what is to be drawn, `(count, 4, H, W)` premultiplied each, and captions; the same for the same step."""
        rng, generator = np.random.default_rng(step), torch.Generator().manual_seed(step)
        chosen = rng.integers(len(self.pictures), size=count)
        pictures = _tensor(self.pictures[chosen])
        names = [self.names[one] for one in chosen]
        maps = variation.affine(count, generator, turn=10, scale=0.14, stretch=0.12, shift=0.06, mirror=0.4)
        reference = variation.warped(pictures, maps, 0.035, generator)
        paired = rng.random(count) < PAIRED
        if paired.any():
            others = rng.integers(len(self.pictures), size=count)
            reference[paired] = _beside(reference, _tensor(self.pictures[others]))[paired]
            names = [
                f"{name} and {self.names[other]}" if two else name for name, other, two in zip(names, others, paired, strict=True)
            ]
        turned = torch.from_numpy(rng.random(count) < 0.4)
        reference[turned] = hue_turned(reference[turned], generator)
        thin = torch.from_numpy(np.where(rng.random(count) < THIN, rng.uniform(0.3, 0.9, count), 1.0)).float()
        reference = reference * thin.view(-1, 1, 1, 1)
        drawn = self._drawn(reference, generator)
        for index in np.flatnonzero(rng.random(count) < SAID):
            colour = str(rng.choice(list(HUES)))
            drawn[index] = _in_colour(drawn[index], colour)
            names[index] = f"{colour} {names[index]}"
        captions = ["" if rng.random() < UNCONDITIONAL else name for name in names]
        return reference, drawn, captions

    def _drawn(self, reference: Tensor, generator: torch.Generator) -> Tensor:
        maps = variation.affine(len(reference), generator, turn=1.5, scale=0.02, stretch=0.02, shift=0.012, mirror=0.0)
        bent = variation.warped(reference, maps, 0.010, generator)
        light = 1 + (torch.rand(len(bent), 1, 1, 1, generator=generator) * 2 - 1) * 0.06
        return torch.cat([torch.minimum(bent[:, :3] * light, bent[:, 3:]), bent[:, 3:]], dim=1)


def _tensor(pictures: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def _beside(left: Tensor, right: Tensor) -> Tensor:
    """Two pictures at half their size, side by side."""
    made = torch.zeros_like(left)
    side = left.shape[-1]
    for picture, start in ((left, 0), (right, side // 2)):
        made[:, :, side // 4 : side - side // 4, start : start + side // 2] = torch.nn.functional.avg_pool2d(picture, 2)
    return made


def _in_colour(premultiplied: Tensor, colour: str) -> Tensor:
    alpha = premultiplied[3:].clamp(min=1e-3)
    straight = torch.cat([premultiplied[:3] / alpha, premultiplied[3:]]).clamp(0, 1)
    rgba = noto.recoloured((straight.permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8), colour)
    made = torch.from_numpy(rgba).permute(2, 0, 1).float() / 255
    return torch.cat([made[:3] * made[3:], made[3:]])


def loss_of(
    unet: Any, clean: Tensor, reference: Tensor, context: Tensor, noise_levels: Tensor, generator: torch.Generator
) -> Tensor:
    """Error of the clean latents `(B, C, h, w)` that the network sees in the noisy ones, as `denoiser.loss_of` weighs it.

    Not of a velocity, which is mostly noise: 48 channels of it do not go through so narrow a network, and after 500 steps as much
    as did not was left in every picture.
    """
    timesteps = torch.randint(1000, (len(clean),), generator=generator)
    kept = noise_levels[timesteps].view(-1, 1, 1, 1)
    noise = torch.randn(clean.shape, generator=generator)
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
    given = torch.cat([noisy, reference], dim=1).contiguous(memory_format=torch.channels_last)
    predicted = unet(given, timesteps, context).sample
    error = (predicted - clean).square().mean(dim=(1, 2, 3))
    weighted: Tensor = error / (1 - kept.flatten()).clamp(min=1 / 6)
    return weighted.mean()


def train(
    shown: Shown, encoder: PatchEncoder, words: CLIPTokenizer, texts: CLIPTextModel, folder: Path, steps: int, batch: int = 16
) -> UNet2DConditionModel:
    """Train up to `steps`, going on from `folder/recalling.pt` if it exists; the text encoder stays as it is."""
    trainer = Trainer(network(), folder / "recalling.pt", peak=8e-4, steps=steps, average=AVERAGE, arithmetic=torch.float32)
    fast = cast(Any, trainer.fast)
    fast.set_attn_processor(AttnProcessor())
    noise_levels = DDPMScheduler(**SCHEDULER).alphas_cumprod
    started, first, running = time.monotonic(), trainer.done, 0.0
    while trainer.done < steps:
        generator = torch.Generator().manual_seed(trainer.done)
        reference, drawn, captions = shown.batch(batch, trainer.done)
        with torch.no_grad():
            context = texts(tokenizer.tokens(words, captions)).last_hidden_state
            latents = encoder(torch.cat([reference, drawn])) * SCALE
            given, clean = latents.chunk(2)
            given = given * (torch.rand(batch, 1, 1, 1, generator=generator) > FORGOTTEN)
        loss = loss_of(fast, clean, given, context, noise_levels, generator)
        trainer.step(loss)
        running = 0.99 * running + 0.01 * loss.item()
        if trainer.done % 25 == 0:
            pace = (time.monotonic() - started) / (trainer.done - first)
            weight = 1 - 0.99 ** (trainer.done - first)
            print(f"recalling {trainer.done}/{steps} loss {running / weight:.4f} {pace:.3f} s/step", flush=True)
        if trainer.done % 250 == 0 or trainer.done == steps:
            trainer.save()
    return cast(UNet2DConditionModel, trainer.averaged).eval()
