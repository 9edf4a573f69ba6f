"""The codec: latents by a closed form, and a decoder that learns what the linear way back lacks."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from acetate.engine.sketch.networks import PATCH, PatchDecoder, PatchEncoder
from numpy.typing import NDArray
from torch import Tensor, nn

from ..pictures import variation

LATENT_CHANNELS = 48
ALPHA_WEIGHT = 1.5
"""How much more than a colour alpha counts in the choice of the latents."""
ERROR = 0.2
"""Most noise in the latents that the decoder is trained with, in units of each channel's spread."""


def encoder_of(pictures: NDArray[np.uint8]) -> tuple[PatchEncoder, nn.ConvTranspose2d]:
    """The linear codec of `(N, H, W, 4)` premultiplied: principal components of their patches, and the way back.

    The k-th latent's spread is the root of its component's: what counts more is larger, so noise hides detail before outlines,
    and an error counts by what it does to the picture.
    """
    height, width = (side // PATCH for side in pictures.shape[1:3])
    patches = pictures.reshape(-1, height, PATCH, width, PATCH, 4).transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4 * PATCH**2)
    known = torch.from_numpy(patches[patches.any(axis=1)]).float() / 255
    weight = torch.tensor([1.0, 1.0, 1.0, ALPHA_WEIGHT]).repeat_interleave(PATCH**2)
    mean = known.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(((known - mean) * weight).T))
    spread = values.flip(0)[:LATENT_CHANNELS].sqrt()
    basis = vectors.flip(1)[:, :LATENT_CHANNELS]
    scale = (spread / spread[0]).sqrt() / spread  # to spreads from 1 downwards
    forth = (basis * weight[:, None] * scale).T
    back = (basis / weight[:, None] / scale).T
    encoder, inverse = PatchEncoder(LATENT_CHANNELS), nn.ConvTranspose2d(LATENT_CHANNELS, 4, PATCH, stride=PATCH)
    with torch.no_grad():
        encoder.patches.weight.copy_(forth.reshape(-1, 4, PATCH, PATCH))
        encoder.patches.bias.copy_(-(forth @ mean))  # type: ignore[union-attr]
        inverse.weight.copy_(back.reshape(-1, 4, PATCH, PATCH))
        _spread_bias(inverse, mean)
    return encoder, inverse


def _spread_bias(inverse: nn.ConvTranspose2d, mean: Tensor) -> None:
    """The layer has one bias a channel: the mean patch's own; what it varies by within a patch is next to nothing."""
    assert inverse.bias is not None
    inverse.bias.copy_(mean.reshape(4, -1).mean(1))


def loss_of(decoder: PatchDecoder, encoder: PatchEncoder, target: Tensor, generator: torch.Generator) -> Tensor:
    """What the decoder makes of the latents of `target`, `(B, 4, H, W)` premultiplied, with an error, against it."""
    with torch.no_grad():
        latents = encoder(target)
        spread = latents.std((0, 2, 3), keepdim=True)
        size = torch.rand(len(target), 1, 1, 1, generator=generator) ** 3 * ERROR * spread
        latents = latents + size * torch.randn(latents.shape, generator=generator)
    return difference(decoder(latents), target)


def difference(made: Tensor, target: Tensor) -> Tensor:
    """Of premultiplied pictures `(B, 4, H, W)`: alpha counts double, and so do edges."""
    weight = torch.tensor([1.0, 1.0, 1.0, 2.0]).view(1, 4, 1, 1)
    error = (made - target) * weight
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    return error.abs().mean() + 6 * error.square().mean() + edges


def train(
    pictures: NDArray[np.uint8], folder: Path, steps: int, batch: int = 6, side: int = 128, guesses: Tensor | None = None
) -> tuple[PatchEncoder, PatchDecoder]:
    """Train up to `steps` on crops of `(N, H, W, 4)` premultiplied, going on from `folder/patch_codec.pt`.

    Half the steps learn from `guesses`, `(N, C, h, w)`, a denoiser's of whole pictures (`guesses.guessed`), where there are any.
    """
    path = folder / "patch_codec.pt"
    encoder, inverse = encoder_of(pictures)
    decoder = PatchDecoder(LATENT_CHANNELS)
    decoder.linear.load_state_dict(inverse.state_dict())
    last = decoder.detail[-2]
    assert isinstance(last, nn.Conv2d)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    decoder.linear.requires_grad_(False)  # exact as it is; a step of training would add noise to it
    optimizer = torch.optim.AdamW(decoder.detail.parameters(), lr=1.0, betas=(0.9, 0.99), weight_decay=1e-4)
    done = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        encoder.load_state_dict(state["encoder"])
        decoder.load_state_dict(state["decoder"])
        if "optimizer" in state:  # not from a packed model
            optimizer.load_state_dict(state["optimizer"])
        done = state["done"]
    data = torch.from_numpy(pictures)
    decoder.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    started, first, running = time.monotonic(), done, 0.0
    while done < steps:
        generator = torch.Generator().manual_seed(done)
        if guesses is not None and done % 2:
            chosen = torch.randint(len(guesses), (batch,), generator=generator)
            loss = difference(decoder(guesses[chosen]), data[chosen].permute(0, 3, 1, 2).float() / 255)
        else:
            loss = loss_of(decoder, encoder, variation.crops(data, batch, side, generator), generator)
        for group in optimizer.param_groups:
            group["lr"] = 6e-4 * min(1.0, (done + 1) / 100) * (0.03 + 0.97 * (1 - done / steps))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(decoder.detail.parameters(), 1.0)
        optimizer.step()
        done += 1
        running = 0.98 * running + 0.02 * loss.item()
        if done % 25 == 0 or done == steps:
            pace = (time.monotonic() - started) / (done - first)
            print(f"codec {done}/{steps} loss {running / (1 - 0.98 ** (done - first)):.5f} {pace:.3f} s/step", flush=True)
        if done % 250 == 0 or done == steps:
            state = {
                "encoder": encoder.state_dict(),
                "decoder": decoder.state_dict(),
                "optimizer": optimizer.state_dict(),
                "done": done,
            }
            torch.save(state, path.with_suffix(".tmp"))
            path.with_suffix(".tmp").replace(path)
    return encoder.eval(), decoder.eval()


@torch.no_grad()
def fidelity(encoder: PatchEncoder, decoder: PatchDecoder, pictures: NDArray[np.uint8]) -> list[float]:
    """How well each of `(N, H, W, 4)` premultiplied comes back: PSNR in dB of its colour where alpha is above a half."""
    found = []
    for part in torch.from_numpy(pictures).split(16):
        target = part.permute(0, 3, 1, 2).float() / 255
        made = decoder(encoder(target)).clamp(0, 1)
        inside = (target[:, 3:] > 0.5).float()
        error = ((made - target)[:, :3].square() * inside).sum((1, 2, 3)) / (3 * inside.sum((1, 2, 3))).clamp(min=1)
        found += (-10 * error.clamp(min=1e-9).log10()).tolist()
    return found
