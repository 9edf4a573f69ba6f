"""Train the enlarger on pairs: what the codec gives back, and the vector artwork drawn at four times the size."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from acetate.engine.sketch.networks import ENLARGEMENT, Enlarger, PatchDecoder, PatchEncoder, within_alpha
from numpy.typing import NDArray
from torch import Tensor, nn

from .patch_codec import difference

MISTAKES = (0.0, 0.25)
"""Least and most noise in the latents of the small pictures, in units of each channel's spread: a denoiser's errors."""


@torch.no_grad()
def small_ones(encoder: PatchEncoder, decoder: PatchDecoder, pictures: NDArray[np.uint8], seed: int = 0) -> Tensor:
    """What comes back of `(N, H, W, 4)` premultiplied, each with its own share of mistakes: `(N, 4, H, W)` uint8."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for part in torch.from_numpy(pictures).split(16):
        latents = encoder(part.permute(0, 3, 1, 2).float() / 255)
        least, most = MISTAKES
        size = least + (most - least) * torch.rand(len(part), 1, 1, 1, generator=generator) ** 2
        noise = torch.randn(latents.shape, generator=generator) * latents.std((0, 2, 3), keepdim=True)
        made = within_alpha(decoder(latents + size * noise))
        found.append((made * 255 + 0.5).to(torch.uint8))
    return torch.cat(found)


def train(
    small: Tensor, large: NDArray[np.uint8], seen: NDArray[np.int64], folder: Path, steps: int, batch: int = 16, side: int = 32
) -> Enlarger:
    """Train up to `steps` on crops of `small`, `(N, 4, H, W)` uint8, and of those of `large`, `(M, 4 H, 4 W, 4)`, that `seen`,
    `(N,)`, names; goes on from `folder/enlarging.pt`."""
    path = folder / "enlarging.pt"
    network = Enlarger()
    last = network.detail[-2]
    assert isinstance(last, nn.Conv2d)
    nn.init.zeros_(last.weight)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1.0, betas=(0.9, 0.99), weight_decay=1e-4)
    done = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        network.load_state_dict(state["network"])
        if "optimizer" in state:  # not from a packed model
            optimizer.load_state_dict(state["optimizer"])
        done = state["done"]
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    started, first, running = time.monotonic(), done, 0.0
    while done < steps:
        given, target = _crops(small, large, seen, batch, side, np.random.default_rng(done))
        made = network(given)
        inner = slice(2 * ENLARGEMENT, -2 * ENLARGEMENT)  # beyond it the network lacks what a whole picture would show it
        loss = difference(made[..., inner, inner], target[..., inner, inner])
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min(1.0, (done + 1) / 100) * (0.03 + 0.97 * (1 - done / steps))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        done += 1
        running = 0.98 * running + 0.02 * loss.item()
        if done % 50 == 0:
            pace = (time.monotonic() - started) / (done - first)
            print(f"enlarging {done}/{steps} loss {running / (1 - 0.98 ** (done - first)):.5f} {pace:.3f} s/step", flush=True)
        if done % 200 == 0 or done == steps:
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "done": done}
            torch.save(state, path.with_suffix(".tmp"))
            path.with_suffix(".tmp").replace(path)
    return network.eval()


def _crops(
    small: Tensor, large: NDArray[np.uint8], seen: NDArray[np.int64], count: int, side: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Matching squares that show something, `(count, 4, side, side)` and four times that, turned and mirrored together."""
    given: list[Tensor] = []
    target: list[Tensor] = []
    while len(given) < count:
        picture = int(rng.integers(len(small)))
        top, left = (int(rng.integers(length - side + 1)) for length in small.shape[2:])
        one = small[picture, :, top : top + side, left : left + side]
        alpha = one[3]
        if int(alpha.max()) == 0 or (rng.random() < 0.5 and int(alpha.min()) == 255):
            continue
        rows, columns = (slice(start * ENLARGEMENT, (start + side) * ENLARGEMENT) for start in (top, left))
        other = torch.from_numpy(np.ascontiguousarray(large[seen[picture], rows, columns])).permute(2, 0, 1)
        turns, flipped = int(rng.integers(4)), bool(rng.integers(2))
        for each, kept in ((one, given), (other, target)):
            turned = torch.rot90(each, turns, (1, 2))
            kept.append(turned.flip(2) if flipped else turned)
    return tuple(  # type: ignore[return-value]
        (torch.stack(each).float() / 255).contiguous(memory_format=torch.channels_last) for each in (given, target)
    )
