"""A contestant that works the way LayerDiffuse's reference implementation does, written from its description.

Two UNet calls of one sample each per step; the timestep computed on the CPU at every call; eight decoder passes one after
another, stacked, `torch.median`; conversion to bytes on the host; on an accelerator only the network that is needed stays there,
the others are moved to the host before every stage (performance.md 9). The networks keep torch's default memory layout.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import count, islice, product
from typing import Any

import numpy as np
import torch
from acetate.raster import RGBA
from torch import Tensor, nn

from ..device import glibc_malloc
from ..layerdiffuse import upsample_conv
from ..sampling.samplers import Sampler
from .subject import PROMPT, SCHEDULER, Subject
from .timing import Contestant


class Reference:
    """Every stage, each of which begins by making room for its networks."""

    name = "reference"

    def __init__(self, subject: Subject) -> None:
        self._subject, self._model = subject, subject.model
        self._number = count()
        scheduler = Sampler(SCHEDULER, self._model.scheduler_config).scheduler
        scheduler.set_timesteps(subject.steps)
        self._sigmas: Tensor = scheduler.sigmas
        kept = scheduler.alphas_cumprod
        self._log_sigmas = ((1 - kept) / kept).sqrt().log()

    def contestant(self) -> Contestant:
        """The stages by name, as `timing.alternate` takes them."""
        stages = {
            "text": self.text,
            "denoise": self.denoise,
            "transparent": self.transparent,
            "bytes": self.bytes,
            "whole": self.whole,
        }
        return Contestant(self.name, stages, self.prepare, self.finish)

    def prepare(self) -> None:
        """Everything in host memory, in the layout that loading gives, computed as it is written."""
        glibc_malloc.as_usual()
        self._model.memory.placement.leave()
        for network in self._networks():
            network.to(memory_format=torch.contiguous_format)
            upsample_conv.sum_weights(network, False)

    def finish(self) -> None:
        """Move everything back to host memory, where the model expects it."""
        for network in self._networks():
            network.to("cpu")
        self._model.memory.placement.leave()

    def text(self) -> None:
        """Encode a prompt that was not seen before."""
        with self._alone(*self._encoders()):
            self._model.text.encode(["", f"{PROMPT} once more, number {next(self._number)}"])

    @torch.no_grad()
    def denoise(self) -> Tensor:
        """`(1, C, h, w)` latents by DPM-Solver++(2M) over Karras' sigmas, in the variance-exploding form."""
        subject = self._subject
        with self._alone(self._model.unet):
            sample = subject.noise * float(self._sigmas[0])
            previous: Tensor | None = None
            for index in range(len(self._sigmas) - 1):
                sigma, following = self._sigmas[index], self._sigmas[index + 1]
                clean = self._clean(sample, sigma)
                if previous is None or following == 0:
                    direction = clean
                else:
                    ratio = (self._sigmas[index - 1].log() - sigma.log()) / (sigma.log() - following.log())
                    direction = clean + (clean - previous) / (2 * ratio)
                share = (following / sigma).to(sample.device)
                sample = share * sample + (1 - share) * direction
                previous = clean
        return sample

    @torch.no_grad()
    def transparent(self) -> RGBA:
        """All passes of the transparent decoder and their median: `(H, W, 4)` uint8, straight."""
        subject = self._subject
        with self._alone(subject.codec.decoder):
            return self._decode(subject.pixels, subject.latents / subject.codec.scaling_factor)

    def bytes(self) -> None:
        """Convert the decoder's estimate to bytes on the host."""
        _to_host(self._subject.estimate)

    @torch.no_grad()
    def whole(self) -> RGBA:
        """Prompt to picture: `(H, W, 4)` uint8, straight."""
        subject = self._subject
        self.text()
        unscaled = self.denoise() / subject.codec.scaling_factor
        with self._alone(subject.codec.vae, subject.codec.decoder):
            return self._decode(self._pixels(unscaled), unscaled)

    def _pixels(self, unscaled: Tensor) -> Tensor:
        vae = self._subject.codec.vae
        decoded: Tensor = vae.decode(unscaled.to(vae.dtype)).sample
        return (decoded.float() * 0.5 + 0.5).clamp(0, 1)

    def _clean(self, sample: Tensor, sigma: Tensor) -> Tensor:
        """The noise-free latents that the two predictions imply."""
        scaled = (sample / float((sigma**2 + 1) ** 0.5)).to(self._model.dtype)
        timestep = self._timestep(sigma.to(sample.device))
        unconditional, conditional = self._predict(scaled, timestep, 0), self._predict(scaled, timestep, 1)
        noise = unconditional + self._subject.guidance_scale * (conditional - unconditional)
        clean: Tensor = sample - noise.float() * float(sigma)
        return clean

    def _timestep(self, sigma: Tensor) -> Tensor:
        """Between the two nearest training sigmas, by their logarithm; to the CPU and back."""
        log_sigma = sigma.cpu().log()
        low = int(((log_sigma - self._log_sigmas) >= 0).sum().clamp(1, len(self._log_sigmas) - 1)) - 1
        below, above = self._log_sigmas[low], self._log_sigmas[low + 1]
        share = ((log_sigma - below) / (above - below)).clamp(0, 1)
        timestep: Tensor = (low + share).to(sigma.device)
        return timestep

    def _predict(self, scaled: Tensor, timestep: Tensor, half: int) -> Tensor:
        text = self._subject.text
        extra = {}
        if text.pooled is not None:
            height, width = self._subject.height, self._subject.width
            sizes = torch.tensor([[height, width, 0, 0, height, width]]).to(scaled)
            extra["added_cond_kwargs"] = {"text_embeds": text.pooled[half : half + 1], "time_ids": sizes}
        embeds = text.embeds[half : half + 1]
        output: Tensor = self._model.unet(scaled, timestep, encoder_hidden_states=embeds, **extra).sample
        return output

    def _decode(self, pixels: Tensor, unscaled: Tensor) -> RGBA:
        decoder = self._subject.codec.decoder
        weight = decoder.conv_in.weight
        estimates = []
        for mirrored, turns in islice(product((False, True), range(4)), self._subject.passes):
            picture, latents = (part.to(weight) for part in (pixels, unscaled))
            if mirrored:
                picture, latents = picture.flip(3), latents.flip(3)
            turned = decoder(torch.rot90(picture, turns, (2, 3)), torch.rot90(latents, turns, (2, 3))).clip(0, 1)
            turned = torch.rot90(turned, -turns, (2, 3))
            estimates.append(turned.flip(3) if mirrored else turned)
        return _to_host(torch.median(torch.stack(estimates), dim=0).values)

    def _encoders(self) -> list[nn.Module]:
        return list(self._model.text.text_encoders)

    def _networks(self) -> list[Any]:
        codec = self._subject.codec
        return [*self._encoders(), self._model.unet, codec.vae, codec.decoder]

    @contextlib.contextmanager
    def _alone(self, *wanted: nn.Module) -> Iterator[None]:
        """Only `wanted` on the accelerator."""
        device = self._model.device
        if device.type != "cpu":
            for network in self._networks():
                if all(network is not one for one in wanted):
                    network.to("cpu")
            torch.accelerator.empty_cache()
            for network in wanted:
                network.to(device)
        yield


def _to_host(alpha_rgb: Tensor) -> RGBA:
    """`(1, 4, H, W)` -> `(H, W, 4)` uint8 by way of float32 on the host, truncated."""
    picture = alpha_rgb[0, [1, 2, 3, 0]].permute(1, 2, 0).cpu().float().numpy()
    rgba: RGBA = (picture * 255).clip(0, 255).astype(np.uint8)
    return rgba
