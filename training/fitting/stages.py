"""The recipe's stages for a model that is trained already, each for some seconds; none changes what it is given.

Pictures, latents and captions lie on the device that computes. The learning rates are lower than from nothing, as the first steps
undo something: with batches of 4 on a CPU, 42 steps at 5e-4 took the codec from 25.6 dB to 16.4, 27 at 1e-4 to 24.5.
"""

from __future__ import annotations

import copy
from typing import cast

import torch
from acetate.engine.layerdiffuse.attention_sharing import AttentionSharing
from acetate.engine.values.recipes import Recipe
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from ..pictures.pools import Captions
from . import autoencoder, denoiser, timed
from .autoencoder import Codec
from .denoiser import Denoiser
from .precision import Trainer
from .sharing import AVERAGE, Scenes, Units


def codec(start: Codec, data: Tensor, seconds: float, batch: int) -> Codec:
    """Train all three networks on `data`, `(N, 4, H, W)` uint8, and fold latents to zero mean and unit spread again."""
    trained = copy.deepcopy(start)
    autoencoder.unfold_statistics(trained, autoencoder.encoded(trained, data), data)
    trainer = Trainer(trained, None, peak=3e-4)
    fast = cast(Codec, trainer.fast)

    def loss() -> Tensor:
        chosen = torch.randint(len(data), (batch,), device=data.device)
        return autoencoder.loss_of(fast, data[chosen].float() / 255, autoencoder.NOISE)[0]

    timed.train(trainer, "codec", loss, seconds)
    latents = autoencoder.encoded(trained, data)
    autoencoder.fold_statistics(trained, latents.mean((0, 2, 3)), latents.std((0, 2, 3)))
    return trained


def network(start: Denoiser, latents: Tensor, captions: Captions, seconds: float, batch: int) -> Denoiser:
    """Train UNet and text encoder on latents, `(N, C, h, w)`, of unit spread; returns the moving average."""
    trainer = Trainer(copy.deepcopy(start), None, peak=5e-4, average=0.9995)
    fast, levels = cast(Denoiser, trainer.fast), noise_levels(latents.device)
    if latents.device.type == "cpu":
        fast.unet.set_attn_processor(AttnProcessor())  # faster there, as `denoiser.train` says

    def loss() -> Tensor:
        chosen, tokens = captions.draw(batch)
        context = fast.text_encoder(tokens).last_hidden_state
        return denoiser.loss_of(fast.unet, latents[chosen], context, levels)

    timed.train(trainer, "denoiser", loss, seconds)
    return cast(Denoiser, trainer.averaged)


def decoders(start: Codec, data: Tensor, latents: Tensor, seconds: float, batch: int) -> Codec:
    """Train both decoders on `data`, `(N, 4, H, W)`, and its `latents`, `(N, C, h, w)` of unit spread, made a little wrong."""
    trained = copy.deepcopy(start)
    autoencoder.freeze_encoders(trained)
    trainer = Trainer(trained, None, peak=2e-4)
    fast = cast(Codec, trainer.fast)

    def loss() -> Tensor:
        chosen = torch.randint(len(data), (batch,), device=data.device)
        noisy = autoencoder.mistaken(latents[chosen], 1.0)
        return autoencoder.reconstruction(fast, data[chosen].float() / 255, noisy)[0]

    timed.train(trainer, "decoders", loss, seconds)
    return trained


class Shared:
    """One weight file's training: its units in a UNet that stays, scenes and their prompts."""

    def __init__(self, start: Units, above: Denoiser, scenes: Scenes, tokens: Tensor, recipe: Recipe) -> None:
        """`tokens` is `(scenes, variants, frames, tokens)`."""
        self.trainer = Trainer(copy.deepcopy(start), None, peak=4e-4, average=AVERAGE)
        self.text_encoder = copy.deepcopy(above.text_encoder).requires_grad_(False)
        self.unet = _bfloat16(above.unet)
        AttentionSharing(self.unet, cast(Units, self.trainer.fast).published())
        self.clean = torch.stack([scenes.latents[layer] for layer in recipe.frames], 1)
        self.grey = scenes.over_grey[recipe.conditions[0]] if recipe.conditions else None
        self.tokens, self.levels = tokens, noise_levels(tokens.device)

    def train(self, name: str, seconds: float, batch: int) -> Units:
        """Train for `seconds`; returns the moving average."""
        fast, (scenes, variants) = cast(Units, self.trainer.fast), self.tokens.shape[:2]

        def loss() -> Tensor:
            chosen, variant = (torch.randint(n, (batch,), device=self.tokens.device) for n in (scenes, variants))
            return self._loss(fast, chosen, variant)

        timed.train(self.trainer, name, loss, seconds)
        return cast(Units, self.trainer.averaged)

    @torch.no_grad()
    def error(self, units: Units, count: int) -> float:
        """The loss on the same scenes with the same noise each time."""
        device = self.tokens.device
        chosen = evenly(len(self.tokens), count, device)
        half = copy.deepcopy(units).to(torch.bfloat16)
        generator = torch.Generator(device).manual_seed(0)
        return self._loss(half, chosen, torch.zeros_like(chosen), generator).item()

    def _loss(self, units: Units, chosen: Tensor, variant: Tensor, generator: torch.Generator | None = None) -> Tensor:
        with torch.no_grad():
            tokens = self.tokens[chosen, variant].flatten(0, 1)
            context = self.text_encoder(tokens).last_hidden_state.to(torch.bfloat16)
        units.bind(self.unet, None if self.grey is None else self.grey[chosen].to(torch.bfloat16) / 127.5 - 1)
        return denoiser.loss_of(self.unet, self.clean[chosen], context, self.levels, generator)


@torch.no_grad()
def error(trained: Denoiser, latents: Tensor, captions: Captions, count: int) -> float:
    """The denoiser's loss on the same latents, `(N, C, h, w)`, with the same noise each time."""
    device = latents.device
    chosen = evenly(len(latents), count, device)
    half = copy.deepcopy(trained).to(torch.bfloat16)
    context = half.text_encoder(captions.tokens[captions.thing[chosen], 0]).last_hidden_state
    generator = torch.Generator(device).manual_seed(0)
    return denoiser.loss_of(half.unet, latents[chosen], context, noise_levels(device), generator).item()


@torch.no_grad()
def fidelity(trained: Codec, data: Tensor, wrong: float = 0.0) -> float:
    """PSNR in dB of what comes back of `data`, `(N, 4, H, W)`, over grey; latents get `wrong` of their unit spread as noise."""
    generator = torch.Generator(data.device).manual_seed(0)
    squares = torch.zeros((), device=data.device)
    for part in data.split(32):
        batch = part.float() / 255
        latents, _ = trained.encode(batch)
        latents = latents + wrong * torch.randn(latents.shape, generator=generator, device=data.device)
        pixels = (trained.vae.decode(latents).sample * 0.5 + 0.5).clamp(0, 1)
        drawn = trained.decoder(pixels, latents).clamp(0, 1)
        squares += (_over_grey(drawn) - _over_grey(batch)).square().mean() * len(part)
    return -10 * (squares / len(data)).log10().item()


def evenly(size: int, count: int, device: torch.device) -> Tensor:
    """At most `count` evenly spaced indices into `size` items, `(n,)`."""
    return torch.arange(0, size, max(1, -(-size // count)), device=device)


def noise_levels(device: torch.device) -> Tensor:
    """The training schedule's product of alphas at each timestep, `(timesteps,)`."""
    levels: Tensor = DDPMScheduler(**denoiser.SCHEDULER).alphas_cumprod
    return levels.to(device)


def _over_grey(alpha_rgb: Tensor) -> Tensor:
    return 0.5 + (alpha_rgb[:, 1:] - 0.5) * alpha_rgb[:, :1]


def _bfloat16(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    half: UNet2DConditionModel = copy.deepcopy(unet).eval().requires_grad_(False)
    return half.to(torch.bfloat16, memory_format=torch.channels_last)
