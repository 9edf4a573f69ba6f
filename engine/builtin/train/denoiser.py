"""Train the UNet and the text encoder together on cached latents: v-prediction, min-SNR weights, moving average."""

from __future__ import annotations

import time
from pathlib import Path
from typing import cast

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from . import dataset, tokenizer
from .autoencoder import LATENT_CHANNELS, Codec, latents_of
from .precision import Trainer

WIDTH = 128
"""Of the text encoder and the cross-attention."""

SCHEDULER = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "prediction_type": "v_prediction",
    "clip_sample": False,
    "steps_offset": 1,  # what stock pipelines expect; our own sampling does not use it
}

UNCONDITIONAL = 0.1
"""Share of empty captions, for guidance."""


class Denoiser(nn.Module):
    """The two networks that learn from captions and latents."""

    def __init__(self, vocabulary: int, start: int, end: int) -> None:
        super().__init__()
        self.unet = UNet2DConditionModel(
            sample_size=16,
            in_channels=LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            block_out_channels=(64, 128, 128),
            layers_per_block=1,
            cross_attention_dim=WIDTH,
            attention_head_dim=4,
        )
        self.text_encoder = CLIPTextModel(
            CLIPTextConfig(
                vocab_size=vocabulary,
                hidden_size=WIDTH,
                intermediate_size=4 * WIDTH,
                num_hidden_layers=3,
                num_attention_heads=4,
                max_position_embeddings=tokenizer.CONTEXT,
                projection_dim=WIDTH,
                bos_token_id=start,
                eos_token_id=end,
                pad_token_id=end,
            )
        )


def train(
    items: list[dataset.Item], pictures: NDArray[np.uint8], codec: Codec, folder: Path, steps: int, batch_size: int = 32
) -> Denoiser:
    """Train up to `steps`, going on from `folder/denoiser.pt` when it is there."""
    words = tokenizer.write(folder / "tokenizer")
    network = Denoiser(len(words), words.bos_token_id, words.eos_token_id)
    trainer = Trainer(network, folder / "denoiser.pt", peak=6e-4, steps=steps, average=0.9995)
    path = folder / "latents.pt"
    if not path.exists():
        torch.save(latents_of(codec, pictures), path)
    latents = cached_latents(folder)
    scale = scaling_factor(latents)
    chance = dataset.weights(items)
    noise_levels = DDPMScheduler(**SCHEDULER).alphas_cumprod
    fast = cast(Denoiser, trainer.fast)
    started, first, running = time.monotonic(), trainer.done, 0.0
    while trainer.done < steps:
        rng = np.random.default_rng(trainer.done)
        chosen = rng.choice(len(items), batch_size, p=chance)
        texts = ["" if rng.random() < UNCONDITIONAL else items[i].caption(rng) for i in chosen]
        tokens = words(texts, padding="max_length", max_length=tokenizer.CONTEXT, truncation=True, return_tensors="pt").input_ids
        context = fast.text_encoder(tokens).last_hidden_state
        loss = loss_of(fast.unet, latents[torch.from_numpy(chosen)] * scale, context, noise_levels, trainer.done)
        trainer.step(loss)
        running = 0.98 * running + 0.02 * loss.item()
        if trainer.done % 100 == 0:
            pace = (time.monotonic() - started) / (trainer.done - first)
            weight = 1 - 0.98 ** (trainer.done - first)
            print(f"denoiser {trainer.done}/{steps} loss {running / weight:.4f} {pace:.3f} s/step", flush=True)
        if trainer.done % 500 == 0 or trainer.done == steps:
            trainer.save()
    return cast(Denoiser, trainer.averaged).eval()


def scaling_factor(latents: Tensor) -> float:
    """What brings the latents to unit variance."""
    return float(1 / latents.std())


def loss_of(unet: UNet2DConditionModel, clean: Tensor, context: Tensor, noise_levels: Tensor, step: int) -> Tensor:
    """Velocity error weighted by min(SNR, 5) / (SNR + 1), for `(B, C, h, w)` or pictures of layers `(B, F, C, h, w)`.

    The layers of one picture are at one noise level. `context` is `(B * F, tokens, width)`.
    """
    generator = torch.Generator().manual_seed(step)
    timesteps = torch.randint(1000, (len(clean),), generator=generator)
    if clean.ndim == 5:
        timesteps = timesteps.repeat_interleave(clean.shape[1])
        clean = clean.flatten(0, 1)
    kept = noise_levels[timesteps].view(-1, 1, 1, 1)
    noise = torch.randn(clean.shape, generator=generator)
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
    velocity = kept.sqrt() * noise - (1 - kept).sqrt() * clean
    half = noisy.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
    predicted = unet(half, timesteps, context).sample.float()
    ratio = (kept / (1 - kept)).flatten()
    error = (predicted - velocity).square().mean(dim=(1, 2, 3))
    weighted: Tensor = error * ratio.clamp(max=5) / (ratio + 1)
    return weighted.mean()


def cached_latents(folder: Path) -> Tensor:
    """Of every training picture, unscaled."""
    return cast(Tensor, torch.load(folder / "latents.pt", weights_only=True))


def open_tokenizer(folder: Path) -> CLIPTokenizer:
    """The tokenizer that `train` wrote."""
    return CLIPTokenizer.from_pretrained(folder / "tokenizer")
