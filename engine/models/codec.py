"""How alpha lives in latents: the only place that knows.

An `AlphaCodec` turns straight RGBA into latents and latents into straight RGBA. `LatentOffsetCodec` is LayerDiffuse's way: an
ordinary RGB VAE, an offset that hides alpha in its latents, a second decoder that recovers RGBA. A codec over a four-channel
VAE fits behind the same methods.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from acetate.raster import RGBA, to_float
from acetate.vocabulary.parameters import Passes
from torch import Tensor

from ..device.accelerator import EAGER, Accelerator
from ..device.host_lead import OneStepAhead
from ..device.memory_budget import Memory
from ..device.memory_plans import LATENT_DIFFUSION, TILE, PixelWork, Stage
from ..layerdiffuse.transparency import TransparentDecoder, TransparentEncoder, lower_median
from ..pixels.alpha import over_grey, pad_rgb
from ..values.errors import ModelMissing, NumericFailure

log = logging.getLogger(__name__)

_ANOTHER_VAE = "Put a whole VAE next to the checkpoint, as its name with .vae.safetensors."

LARGEST_OFFSET = 10
"""Largest offset of an encoder and a factor that belong together (layerdiffuse.md 3.3)."""

SETTLED = 1e-3
"""The share of pixels whose alpha may still move by more than a level when an adaptive decode ends."""


class Decoding(Protocol):
    """A decode under way: iterate it for its passes, then take `rgba`."""

    passes: int
    """The most passes that it makes."""
    rgba: RGBA

    def __iter__(self) -> Iterator[int]: ...


class AlphaCodec(Protocol):
    """Straight RGBA <-> latents in sampling space (what the UNet sees)."""

    multiple_of: int
    """Width and height in pixels must be multiples of this."""
    spatial: int
    """Pixels of the side of the square that a latent stands for."""
    latent_channels: int
    networks: tuple[Any, ...]
    """The networks of both directions; the first decodes colour, the last alpha, if any does."""
    notes: tuple[str, ...]
    """What a person should know of the latest `encode`."""
    pixel_work: PixelWork
    """What both directions take of memory."""

    def within(self, memory: Memory, accelerator: Accelerator) -> AlphaCodec:
        """The same codec for a model: its networks run by `accelerator` within `memory`."""
        ...

    def encode(self, rgba: RGBA) -> Tensor:
        """`(H, W, 4)` uint8 straight -> `(1, C, H/8, W/8)`, by `spatial`; hidden colour has no influence."""
        ...

    def encode_opaque(self, rgba: RGBA) -> Tensor:
        """The picture, `(H, W, 4)` uint8, over mid-grey as plain RGB latents, `(1, C, H/8, W/8)`: a condition, not a layer."""
        ...

    def decode(self, latents: Tensor, passes: Passes) -> Decoding:
        """`(1, C, H/8, W/8)` -> `(H, W, 4)` uint8 straight, with colour also under alpha 0."""
        ...

    def decode_opaque(self, latents: Tensor) -> RGBA:
        """`(1, C, H/8, W/8)` -> `(H, W, 4)` uint8, alpha 255: the base VAE's own picture."""
        ...

    def enlarged(self, rgba: RGBA) -> RGBA:
        """A decoded `(H, W, 4)` for a larger target: as many times wider and higher as the codec draws it, or as it is."""
        ...


class LatentOffsetCodec:
    """An RGB VAE with LayerDiffuse's transparent encoder and decoder (layerdiffuse.md 2, 3)."""

    pixel_work = LATENT_DIFFUSION

    def __init__(
        self,
        vae: Any,
        encoder: TransparentEncoder | None,
        decoder: TransparentDecoder | None,
        *,
        offset_factor: float = 1.0,
        memory: Memory | None = None,
        accelerator: Accelerator = EAGER,
    ) -> None:
        """Without an encoder sources are encoded as the plain VAE sees them; without a decoder only opaque pictures come out."""
        self.vae, self.encoder, self._decoder = vae, encoder, decoder
        self.offset_factor = offset_factor
        """The `k` of layerdiffuse.md 3.3, by the catalogue: 300 for SDXL's encoder, 1 for SD 1.5's and the built-in one."""
        self.notes: tuple[str, ...] = ()
        self.scaling_factor: float = vae.config.scaling_factor
        self.latent_channels: int = vae.config.latent_channels
        self.spatial: int = 2 ** (len(vae.config.block_out_channels) - 1)
        self.multiple_of = self.spatial if decoder is None else max(decoder.multiple_of, self.spatial)
        self.networks = tuple(network for network in (vae, encoder, decoder) if network is not None)
        self.memory, self._accelerator = memory or Memory(), accelerator

    def within(self, memory: Memory, accelerator: Accelerator) -> LatentOffsetCodec:
        parts = (self.vae, self.encoder, self._decoder)
        return LatentOffsetCodec(*parts, offset_factor=self.offset_factor, memory=memory, accelerator=accelerator)

    @property
    def decoder(self) -> TransparentDecoder:
        """The transparent decoder. Raises `ModelMissing` where the model was opened without one."""
        if self._decoder is None:
            raise ModelMissing("this model was opened without a transparent decoder")
        return self._decoder

    @torch.no_grad()
    def encode(self, rgba: RGBA) -> Tensor:
        return self._in_numbers("encode", lambda: self._encode(rgba))

    def _in_numbers(self, stage: Stage, action: Callable[[], Tensor]) -> Tensor:
        """What `action` makes of the VAE; anew with a wider VAE where half precision overflowed, as SDXL's does in float16.

        The VAE stays wide as long as the model is open.
        """
        made = self.memory.attempt(stage, action)
        if self.vae.dtype.itemsize > 2 or math.isfinite(made.sum(dtype=torch.float32)):
            return made
        log.warning("the VAE overflows in %s: it computes in float32 from now on", self.vae.dtype)
        self.vae.to(torch.float32)
        self._accelerator.edited(self.vae)
        return self.memory.attempt(stage, action)

    def _encode(self, rgba: RGBA) -> Tensor:
        posterior = self._posterior(rgba)
        if self.encoder is None:
            return self._scaled(posterior.mean)
        alpha_rgb = np.concatenate([to_float(rgba[..., 3:]), pad_rgb(rgba)], axis=2)
        offset = self.encoder(self._to_tensor(alpha_rgb, self.encoder)) * self.offset_factor
        self.notes = _remarks_on(offset)
        return self._scaled(posterior.mean + posterior.std * offset.to(posterior.mean))

    @torch.no_grad()
    def encode_opaque(self, rgba: RGBA) -> Tensor:
        return self._in_numbers("encode", lambda: self._scaled(self._posterior(rgba).mean))

    def decode(self, latents: Tensor, passes: Passes) -> OffsetDecoding:
        return OffsetDecoding(self, latents / self.scaling_factor, passes)

    @torch.no_grad()
    def decode_opaque(self, latents: Tensor) -> RGBA:
        colour = self.pixels(latents / self.scaling_factor)
        opaque = torch.ones_like(colour[:, :1])
        return to_picture(torch.cat([opaque, colour], dim=1))

    def enlarged(self, rgba: RGBA) -> RGBA:
        return rgba

    def pixels(self, unscaled: Tensor) -> Tensor:
        """The VAE's picture, `(1, 3, H, W)` in [0, 1], of *unscaled* latents, `(1, C, H/8, W/8)`."""
        decoded = self._in_numbers("decode", lambda: self._colour(unscaled.to(self.vae.dtype)))
        return (decoded.float() * 0.5 + 0.5).clamp(0, 1)

    def _colour(self, unscaled: Tensor) -> Tensor:
        self._tile()
        if self.vae.use_tiling:
            return self._decode_vae(unscaled)
        return self.run(self.vae, [unscaled], self._decode_vae)

    def _decode_vae(self, unscaled: Tensor) -> Tensor:
        decoded: Tensor = self.vae.decode(unscaled, return_dict=False)[0]
        return decoded

    def run(self, network: Any, inputs: Sequence[Tensor], function: Callable[..., Tensor]) -> Tensor:
        """`function(*inputs)`, a tensor of any shape: `network`'s work on a whole picture."""
        return self._accelerator.call(network, function, inputs, once=True, plentiful=self.memory.plentiful)

    def _tile(self) -> None:
        """Let the VAE encode and decode in tiles, if the plan says so."""
        self.vae.use_tiling = self.memory.plan.tiled_vae
        self.vae.tile_sample_min_size, self.vae.tile_latent_min_size = TILE, TILE // 8

    def _posterior(self, rgba: RGBA) -> Any:
        """The posterior of the picture over mid-grey; its mean is used, so that equal pictures give equal latents."""
        if self.vae.encoder is None:
            raise ModelMissing("this model's VAE has no encoder: it draws, but cannot work on a layer or picture", _ANOTHER_VAE)
        self._tile()
        return self.vae.encode(self._to_tensor(over_grey(to_float(rgba)) * 2 - 1, self.vae)).latent_dist

    def _to_tensor(self, picture: np.ndarray[Any, Any], network: Any) -> Tensor:
        """`(H, W, C)` float -> `(1, C, H, W)` on the device and in the network's type."""
        return torch.from_numpy(picture).permute(2, 0, 1)[None].to(next(network.parameters()))

    def _scaled(self, unscaled: Tensor) -> Tensor:
        return unscaled.float() * self.scaling_factor


class OffsetDecoding:
    """The passes of one transparent decode; it keeps one estimate per pass in memory."""

    def __init__(self, codec: LatentOffsetCodec, unscaled: Tensor, passes: Passes) -> None:
        self.passes = most_passes(passes)
        self._rounds = (1, 2, 4, 8) if passes == "adaptive" else (passes,)
        self._codec, self._unscaled = codec, unscaled

    @torch.no_grad()
    def __iter__(self) -> Iterator[int]:
        codec, decoder = self._codec, self._codec.decoder
        dtype = decoder.conv_in.weight.dtype
        pixels, latents = codec.pixels(self._unscaled).to(dtype), self._unscaled.to(dtype)
        estimates: list[Tensor] = []
        pace = OneStepAhead(pixels.device)
        settled: Tensor | None = None

        def one_call(*inputs: Tensor) -> Tensor:
            return codec.run(decoder, inputs, decoder)

        def following(passes: int, before: int) -> list[Tensor]:
            batch, done = codec.memory.plan.decoder_batch, len(estimates) - before
            return next(decoder.estimates(pixels, latents, passes, batch, done, one_call, before or None))

        for passes in self._rounds:
            before = len(estimates)
            while len(estimates) < passes:
                estimates += codec.memory.attempt("decode", partial(following, passes, before))
                pace.step()
                yield len(estimates)
            earlier, settled = settled, lower_median(estimates)
            if earlier is not None and _agree(earlier, settled):
                break
        assert settled is not None
        self.rgba = to_picture(settled)


def most_passes(passes: Passes) -> int:
    """The most passes that a decode makes."""
    return 8 if passes == "adaptive" else passes


def _agree(earlier: Tensor, later: Tensor) -> bool:
    """Whether alpha, channel 0 of `(1, 4, H, W)`, has changed by more than a level of 255 nowhere but in one pixel of 1000."""
    moved = (earlier[:, 0] - later[:, 0]).abs() > 1 / 255
    return bool(moved.float().mean() <= SETTLED)


def _remarks_on(offset: Tensor) -> tuple[str, ...]:
    """An offset replaces noise of spread 1: one far beyond it, or NaN, means that the factor is for another file."""
    size = offset.float().abs()
    mean, peak = float(size.mean()), float(size.max())
    log.info("the transparent encoder's offset: mean %.3g, at most %.3g", mean, peak)
    if peak <= LARGEST_OFFSET:
        return ()
    return (f"the transparent encoder does not fit this model: its offset reaches {peak:.3g}, more than {LARGEST_OFFSET}",)


def to_picture(alpha_rgb: Tensor) -> RGBA:
    """`(1, 4, H, W)` in [0, 1], alpha first -> `(H, W, 4)` uint8, rounded. Raises `NumericFailure` for NaN or infinity."""
    if not math.isfinite(alpha_rgb.sum(dtype=torch.float32)):
        raise NumericFailure("the decoded picture holds NaN or infinity")
    rgba = alpha_rgb[0, [1, 2, 3, 0]].float().mul(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
    return rgba.permute(1, 2, 0).contiguous().cpu().numpy()
