"""What a trained denoiser makes of drawings: what comes after it, decoder and enlarger, learns its mistakes from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from acetate.engine.sketch import variation
from acetate.engine.sketch.networks import PatchDecoder, PatchEncoder, within_alpha
from diffusers import DDPMScheduler
from numpy.typing import NDArray
from torch import Tensor

from .denoiser import SCHEDULER
from .recalling import SCALE

NOISED = (50, 450)
"""The noise levels through which drawings are seen: beyond them the guess is another drawing."""


@torch.no_grad()
def guessed(unet: Any, encoder: PatchEncoder, pictures: NDArray[np.uint8], context: Tensor, seed: int = 1) -> Tensor:
    """Codec latents `(N, C, h, w)` of `(N, H, W, 4)` premultiplied, as seen through noise and with a bent reference.

    `context`, `(1, tokens, width)`, is what the text encoder makes of no words.
    """
    generator, levels, found = torch.Generator().manual_seed(seed), DDPMScheduler(**SCHEDULER).alphas_cumprod, []
    for part in torch.from_numpy(pictures).split(16):
        target = part.permute(0, 3, 1, 2).float() / 255
        maps = variation.affine(len(part), generator, turn=1.5, scale=0.02, stretch=0.02, shift=0.012, mirror=0.0)
        clean, reference = (encoder(one) * SCALE for one in (target, variation.warped(target, maps, 0.01, generator)))
        times = torch.randint(*NOISED, (len(part),), generator=generator)
        kept = levels[times].view(-1, 1, 1, 1)
        noisy = kept.sqrt() * clean + (1 - kept).sqrt() * torch.randn(clean.shape, generator=generator)
        guess = unet(torch.cat([noisy, reference], dim=1), times, context.expand(len(part), -1, -1)).sample
        found.append(guess / SCALE)
    return torch.cat(found)


@torch.no_grad()
def decoded(decoder: PatchDecoder, latents: Tensor) -> Tensor:
    """`(N, C, h, w)` -> `(N, 4, 8 h, 8 w)` uint8 premultiplied: what an enlarger is given, as `enlarging.small_ones`."""
    return torch.cat([(within_alpha(decoder(part)) * 255 + 0.5).to(torch.uint8) for part in latents.split(16)])
