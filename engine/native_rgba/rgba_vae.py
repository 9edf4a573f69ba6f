"""Alpha as the fourth channel of an autoencoder: straight RGBA in, straight RGBA out (qwen-image.md 1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from acetate.raster import RGBA, Float, to_float
from acetate.vocabulary.parameters import Passes
from torch import Tensor

from ..device.accelerator import EAGER, Accelerator
from ..device.memory_budget import Memory
from ..device.memory_plans import GIB, PixelWork
from ..models.codec import to_picture
from ..pixels.alpha import pad_rgb
from .strips import decoded, encoded

NEARLY_OPAQUE, NEARLY_CLEAR = 250, 4
"""Of 255: what these autoencoders make of solid and of empty areas differs from 255 and 0 by as much."""


class RGBAVAECodec:
    """A four-channel VAE behind the methods of `AlphaCodec`.

    `mean` and `std`, `(C,)`, normalise its latents; a latent stands for `spatial` pixels a side.
    """

    notes: tuple[str, ...] = ()
    pixel_work = PixelWork(encode=1.51 * GIB, decode=3.66 * GIB, decoder_pass=0, strips=(0.61 * GIB, 0.94 * GIB))
    """Without the video caches (qwen-image.md 1.3). Strips of a square of 2048 take a fifth less than is said here."""

    def __init__(
        self,
        vae: Any,
        *,
        spatial: int = 16,
        multiple_of: int = 32,
        memory: Memory | None = None,
        accelerator: Accelerator = EAGER,
    ) -> None:
        """`vae` is of diffusers' `AutoencoderKLQwenImage21`, whose configuration holds the latents' mean and spread."""
        self.vae, self.spatial, self.multiple_of = vae, spatial, multiple_of
        self.latent_channels: int = vae.config.z_dim
        self.networks = (vae,)
        self.memory, self._accelerator = memory or Memory(), accelerator
        shape = (1, self.latent_channels, 1, 1)
        self._mean, self._std = (torch.tensor(vae.config[name]).reshape(shape) for name in ("latents_mean", "latents_std"))

    def within(self, memory: Memory, accelerator: Accelerator) -> RGBAVAECodec:
        """The same codec for a model: its network within `memory`."""
        return RGBAVAECodec(self.vae, spatial=self.spatial, multiple_of=self.multiple_of, memory=memory, accelerator=accelerator)

    @torch.no_grad()
    def encode(self, rgba: RGBA) -> Tensor:
        """`(H, W, 4)` uint8 straight -> `(1, C, H/16, W/16)`. Hidden colour is replaced by what lies around it."""
        return self._latents(np.concatenate([pad_rgb(rgba), to_float(rgba[..., 3:])], axis=2))

    @torch.no_grad()
    def encode_opaque(self, rgba: RGBA) -> Tensor:
        """The colours of `(H, W, 4)` uint8 straight as an opaque layer, `(1, C, H/16, W/16)`; what is transparent gets the colour
        around it."""
        colour = pad_rgb(rgba)
        return self._latents(np.concatenate([colour, np.ones_like(colour[..., :1])], axis=2))

    def decode(self, latents: Tensor, passes: Passes) -> OnePass:
        """`(1, C, h, w)` -> `(16 h, 16 w, 4)` uint8 straight, in one pass whatever `passes` says."""
        return OnePass(self, latents)

    @torch.no_grad()
    def decode_opaque(self, latents: Tensor) -> RGBA:
        """`(1, C, h, w)` -> `(16 h, 16 w, 4)` uint8, alpha 255: the colours alone."""
        rgba = self.pixels(latents)
        rgba[..., 3] = 255
        return rgba

    def enlarged(self, rgba: RGBA) -> RGBA:
        """`(H, W, 4)` as it is: it is drawn large."""
        return rgba

    @torch.no_grad()
    def pixels(self, latents: Tensor) -> RGBA:
        """What the network makes of `(1, C, h, w)` latents: `(H, W, 4)` uint8. Raises `NumericFailure` for NaN or infinity."""
        unscaled = latents.float().cpu() * self._std + self._mean

        def run() -> Tensor:
            made = decoded(self.vae, unscaled.to(self._device, self.vae.dtype), in_strips=self.memory.plan.tiled_vae)
            return made.float() * 0.5 + 0.5

        rgba = self.memory.attempt("decode", run)
        return to_picture(rgba[:, [3, 0, 1, 2]])

    def _latents(self, straight: Float) -> Tensor:
        pixels = torch.from_numpy(straight * 2 - 1).permute(2, 0, 1)[None]

        def run() -> Tensor:
            return encoded(self.vae, pixels.to(self._device, self.vae.dtype), in_strips=self.memory.plan.tiled_vae)

        unscaled = self.memory.attempt("encode", run).float().cpu()
        return ((unscaled - self._mean) / self._std).to(self._device)

    @property
    def _device(self) -> torch.device:
        device: torch.device = next(self.vae.parameters()).device
        return device


class OnePass:
    """A decode of one pass, with what is nearly opaque or nearly clear made wholly so."""

    passes = 1

    def __init__(self, codec: RGBAVAECodec, latents: Tensor) -> None:
        self._codec, self._latents = codec, latents
        self.rgba: RGBA = np.zeros((0, 0, 4), np.uint8)

    @torch.no_grad()
    def __iter__(self) -> Iterator[int]:
        self.rgba = snapped(self._codec.pixels(self._latents))
        yield 1


def snapped(rgba: RGBA) -> RGBA:
    """`(H, W, 4)` uint8 with alpha of 250 and more as 255, and of 4 and less as 0; a new array."""
    alpha = rgba[..., 3]
    made = rgba.copy()
    made[..., 3] = np.where(alpha >= NEARLY_OPAQUE, 255, np.where(alpha <= NEARLY_CLEAR, 0, alpha))
    return made
