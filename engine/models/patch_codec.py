"""The codec of a model that draws RGBA itself: a linear way to latents, and one decoder for colour and alpha.

Fits behind `AlphaCodec`; knows nothing of offsets and RGB VAEs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from acetate.raster import RGBA, Float, premultiply, to_float
from acetate.vocabulary.parameters import Passes
from torch import Tensor

from ..device.accelerator import EAGER, Accelerator
from ..device.memory_budget import Memory
from ..device.memory_plans import LATENT_DIFFUSION
from ..pixels.alpha import over_grey
from ..sketch.networks import PATCH, Enlarger, PatchDecoder, PatchEncoder, within_alpha
from .codec import AlphaCodec, Decoding, to_picture

CLEAR, OPAQUE = 0.03, 0.94
"""Alpha that is nothing, and that is opaque: a denoiser comes no nearer to either."""


class PatchCodec(AlphaCodec):
    """Premultiplied RGBA <-> latents, `scale` times the encoder's."""

    pixel_work = LATENT_DIFFUSION
    """More than such small networks take."""

    def __init__(
        self,
        encoder: PatchEncoder,
        decoder: PatchDecoder,
        enlarger: Enlarger | None,
        *,
        scale: float,
        memory: Memory | None = None,
        accelerator: Accelerator = EAGER,
    ) -> None:
        """Without an enlarger larger pictures are interpolated."""
        self.encoder, self.decoder, self.enlarger, self.scale = encoder, decoder, enlarger, scale
        self.notes: tuple[str, ...] = ()
        self.latent_channels = encoder.patches.out_channels
        self.spatial = self.multiple_of = PATCH
        self.networks: tuple[Any, ...] = tuple(one for one in (encoder, enlarger, decoder) if one is not None)
        self.memory, self._accelerator = memory or Memory(), accelerator

    def within(self, memory: Memory, accelerator: Accelerator) -> PatchCodec:
        return PatchCodec(self.encoder, self.decoder, self.enlarger, scale=self.scale, memory=memory, accelerator=accelerator)

    def encode(self, rgba: RGBA) -> Tensor:
        return self._encode(premultiply(to_float(rgba)))

    def encode_opaque(self, rgba: RGBA) -> Tensor:
        grey = over_grey(to_float(rgba))
        return self._encode(np.concatenate([grey, np.ones_like(grey[..., :1])], axis=2))

    @torch.no_grad()
    def _encode(self, premultiplied: Float) -> Tensor:
        given = _to_tensor(premultiplied).to(self.encoder.patches.weight)
        encoded: Tensor = self.memory.attempt("encode", lambda: self.encoder(given) * self.scale)
        return encoded

    def decode(self, latents: Tensor, passes: Passes) -> PatchDecoding:
        return PatchDecoding(self, latents)

    def decode_opaque(self, latents: Tensor) -> RGBA:
        rgba = self.decoded(latents)
        return to_picture(torch.cat([torch.ones_like(rgba[:, 3:]), rgba[:, :3] + (1 - rgba[:, 3:]) / 2], dim=1))

    def decoded(self, latents: Tensor) -> Tensor:
        """`(1, C, h, w)` in sampling space -> `(1, 4, 8 h, 8 w)` premultiplied, colour within alpha."""
        unscaled = (latents / self.scale).to(self.decoder.linear.weight)
        return within_alpha(self._run(self.decoder, unscaled))

    @torch.no_grad()
    def _run(self, network: Any, given: Tensor) -> Tensor:
        call: Callable[[], Tensor] = lambda: self._accelerator.call(  # noqa: E731
            network, network, [given], once=True, plentiful=self.memory.plentiful
        )
        return self.memory.attempt("decode", call).float()

    def enlarged(self, rgba: RGBA) -> RGBA:
        if self.enlarger is None:
            return rgba
        given = _to_tensor(premultiply(to_float(rgba))).to(next(self.enlarger.parameters()))
        return _straight(within_alpha(self._run(self.enlarger, given)))


class PatchDecoding(Decoding):
    """One pass: such a decoder is sure of itself."""

    passes = 1

    def __init__(self, codec: PatchCodec, latents: Tensor) -> None:
        self._codec, self._latents = codec, latents

    def __iter__(self) -> Iterator[int]:
        self.rgba = _straight(self._codec.decoded(self._latents))
        yield 1


def _to_tensor(picture: Float) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]


def _straight(premultiplied: Tensor) -> RGBA:
    """`(1, 4, H, W)` -> `(H, W, 4)` straight; what is nearly clear or opaque is that."""
    alpha = ((premultiplied[:, 3:] - CLEAR) / (OPAQUE - CLEAR)).clamp(0, 1)
    colour = (premultiplied[:, :3] / premultiplied[:, 3:].clamp(min=1e-3)).clamp(0, 1)
    return to_picture(torch.cat([alpha, colour], dim=1))
