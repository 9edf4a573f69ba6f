"""Train the UNet and the text encoder together on cached latents: v-prediction, moving average."""

from __future__ import annotations

import time
from pathlib import Path
from typing import cast

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from ..pictures import dataset, tokenizer
from .autoencoder import LATENT_CHANNELS, Codec, latents_of
from .precision import Trainer

WIDTH = 128
"""Width of the text encoder and the cross-attention."""

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
    """Train up to `steps` on `(N, H, W, 4)` uint8 straight, going on from `folder/denoiser.pt` if it exists.

    A step of 32 pictures on two cores took 0.53 s with torch's fused attention, whose backward pass is slow in bfloat16 on a CPU,
    and 0.41 s with plain attention. Compiled by torch 2.13 it took 0.30 s, but gradients of convolutions were wrong (0.82 as the
    cosine with float32's, against 0.999) and the loss rose.
    """
    words = tokenizer.kept(folder / "tokenizer")
    network = Denoiser(len(words), words.bos_token_id, words.eos_token_id)
    trainer = Trainer(network, folder / "denoiser.pt", peak=6e-4, steps=steps, average=0.9995)
    latents = cached_latents(codec, pictures, folder)
    chance = dataset.weights(items)
    noise_levels = DDPMScheduler(**SCHEDULER).alphas_cumprod
    fast = cast(Denoiser, trainer.fast)
    fast.unet.set_attn_processor(AttnProcessor())
    started, first, running = time.monotonic(), trainer.done, 0.0
    while trainer.done < steps:
        rng = np.random.default_rng(trainer.done)
        chosen = rng.choice(len(items), batch_size, p=chance)
        texts = ["" if rng.random() < UNCONDITIONAL else items[i].caption(rng) for i in chosen]
        context = fast.text_encoder(tokenizer.tokens(words, texts)).last_hidden_state
        generator = torch.Generator().manual_seed(trainer.done)
        loss = loss_of(fast.unet, latents[torch.from_numpy(chosen)], context, noise_levels, generator)
        trainer.step(loss)
        running = 0.98 * running + 0.02 * loss.item()
        if trainer.done % 100 == 0:
            pace = (time.monotonic() - started) / (trainer.done - first)
            weight = 1 - 0.98 ** (trainer.done - first)
            print(f"denoiser {trainer.done}/{steps} loss {running / weight:.4f} {pace:.3f} s/step", flush=True)
        if trainer.done % 500 == 0 or trainer.done == steps:
            trainer.save()
    return cast(Denoiser, trainer.averaged).eval()


def loss_of(
    unet: UNet2DConditionModel, clean: Tensor, context: Tensor, noise_levels: Tensor, generator: torch.Generator | None = None
) -> Tensor:
    """Velocity error, for `(B, C, h, w)` or pictures of layers `(B, F, C, h, w)`.

    Weighted by 1 down to a signal-to-noise ratio of 5, and less where hardly any noise is left: 6 / (SNR + 1). Min-SNR's own
    weight for velocity, min(SNR, 5) / (SNR + 1), vanishes where only the prompt can say what is to be drawn: after 2,000 steps
    with it colours were right, but every subject had the shape of its noise. The layers of one picture are at one noise level.
    `context` is `(B * F, tokens, width)`. All of it, and the generator, is where `clean` is.
    """
    timesteps = torch.randint(1000, (len(clean),), generator=generator, device=clean.device)
    if clean.ndim == 5:
        timesteps = timesteps[:, None].expand(-1, clean.shape[1]).flatten()
        clean = clean.flatten(0, 1)
    kept = noise_levels[timesteps].view(-1, 1, 1, 1)
    noise = torch.randn(clean.shape, generator=generator, device=clean.device)
    noisy = kept.sqrt() * clean + (1 - kept).sqrt() * noise
    velocity = kept.sqrt() * noise - (1 - kept).sqrt() * clean
    half = noisy.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)
    predicted = unet(half, timesteps, context).sample.float()
    ratio = (kept / (1 - kept)).flatten()
    error = (predicted - velocity).square().mean(dim=(1, 2, 3))
    weighted: Tensor = error * (ratio + 1).clamp(max=6) / (ratio + 1)
    return weighted.mean()


def cached_latents(codec: Codec, pictures: NDArray[np.uint8], folder: Path) -> Tensor:
    """Latents of every training picture, `(N, C, h, w)`, with zero mean and unit spread per channel, kept in `folder`."""
    path = folder / "latents.pt"
    if not path.exists():
        latents = latents_of(codec, pictures)
        mean, std = latents.mean((0, 2, 3)), latents.std((0, 2, 3))
        kept = {"latents": (latents - mean[:, None, None]) / std[:, None, None], "mean": mean, "std": std}
        torch.save(kept, path)
    return cast(Tensor, torch.load(path, weights_only=True)["latents"])
