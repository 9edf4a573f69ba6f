"""Train the VAE, the offset encoder and the transparent decoder together, on whole frames.

Whole frames because GroupNorm's statistics differ between crops and pictures: a VAE that had seen 64-pixel crops alone got its
colours wrong.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from acetate.engine.layerdiffuse.transparency import TransparentDecoder, TransparentEncoder
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from ..pictures.dataset import network_form
from . import linear_start
from .precision import Trainer

LATENT_CHANNELS = 16
ENCODER_CHANNELS = (32, 32, 64, 64)
DECODER_CHANNELS = (32, 32, 64, 64)
SPREAD = 0.7
"""About the spread of a trained codec's latents before their statistics are folded."""
NOISE = 0.02
"""Added to the latents. With 0.1 eight channels had no room for detail: faces stayed blurred."""
DENOISER_ERROR = 0.5
"""Most noise in the decoders' last training, in units of each channel's spread."""
ALPHA_MARGIN = 0.015
"""What is cut off at either end of alpha: a trained decoder comes that near to opaque, and no nearer."""
SMALL_FIRST = 0.4
"""Share of the steps that see whole frames at half size: a quarter of the work for the same statistics."""


class Codec(nn.Module):
    """The three networks that turn RGBA into latents and back."""

    def __init__(self) -> None:
        super().__init__()
        self.vae = AutoencoderKL(
            down_block_types=["DownEncoderBlock2D"] * 4,
            up_block_types=["UpDecoderBlock2D"] * 4,
            block_out_channels=(32, 32, 64, 128),
            layers_per_block=1,
            latent_channels=LATENT_CHANNELS,
            norm_num_groups=4,
            mid_block_add_attention=False,
            sample_size=128,
        )
        self.encoder = TransparentEncoder(LATENT_CHANNELS, ENCODER_CHANNELS)
        self.decoder = TransparentDecoder(LATENT_CHANNELS, DECODER_CHANNELS, attention_levels=1)
        linear_start.start_encoder(self.encoder)
        linear_start.start_vae(self.vae)
        linear_start.start_transparent_decoder(self.decoder)

    def encode(self, alpha_rgb_01: Tensor) -> tuple[Tensor, Tensor]:
        """`(B, 4, H, W)` alpha and padded colour in [0, 1] -> unscaled latents and the posterior's logvar."""
        alpha, colour = alpha_rgb_01[:, :1], alpha_rgb_01[:, 1:]
        posterior = self.vae.encode((colour * 2 - 1) * alpha).latent_dist
        return posterior.mean + posterior.std * self.encoder(alpha_rgb_01), posterior.logvar


def loss_of(codec: Codec, batch: Tensor, noise: float) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of all three networks, and its parts, on a `batch` `(B, 4, H, W)` in [0, 1], alpha first, colour padded.

    It asks for the picture that comes back, and for latents that a denoiser can learn.
    """
    latents, logvar = codec.encode(batch.to(torch.bfloat16).contiguous(memory_format=torch.channels_last))
    loss, parts = reconstruction(codec, batch, latents + noise * torch.randn_like(latents))
    # The first channels stay what they start as, so that the denoiser learns layout and colour first.
    anchor = F.mse_loss(latents[:, :4].float(), F.avg_pool2d(batch, 8) * 2 - 1)
    spread = latents.float().square().mean() + 0.1 * (logvar.float().exp() - logvar.float() - 1).mean()
    return loss + 0.2 * anchor + 1e-3 * spread, {**parts, "anchor": anchor.detach()}


def reconstruction(codec: Codec, batch: Tensor, noisy: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """From latents `(B, C, h, w)`: the padded colour by the VAE, alpha and composites by the transparent decoder."""
    alpha, colour = batch[:, :1], batch[:, 1:]
    pixels = codec.vae.decode(noisy).sample.float() * 0.5 + 0.5
    raw = codec.decoder(pixels.clamp(0, 1).to(noisy.dtype), noisy).float()
    seen, drawn = _cut_off(raw[:, :1], alpha), raw[:, 1:]
    weight = 0.9 * alpha + 0.1
    base = _difference(pixels * weight, colour * weight)
    coverage = _difference(seen, alpha)
    behind = torch.rand(batch.shape[0], 3, 1, 1, device=batch.device)
    composite = _difference(drawn * seen + behind * (1 - seen), colour * alpha + behind * (1 - alpha))
    rim = F.l1_loss(_rim(seen), _rim(alpha))  # one wrong pixel in a corner spoils a layer's box, and is nothing in a mean
    hidden = F.l1_loss(drawn * weight, colour * weight)
    loss = base + 2 * coverage + composite + rim + 0.5 * hidden
    parts = {"base": base, "coverage": coverage, "composite": composite, "rim": rim}
    return loss, {name: value.detach() for name, value in parts.items()}


def _difference(x: Tensor, y: Tensor) -> Tensor:
    gradients = F.l1_loss(x.diff(dim=2), y.diff(dim=2)) + F.l1_loss(x.diff(dim=3), y.diff(dim=3))
    return F.l1_loss(x, y) + 4 * F.mse_loss(x, y) + gradients


def _cut_off(raw: Tensor, alpha: Tensor) -> Tensor:
    """Raw alpha, clamped where it is right: beyond opaque or transparent, values are a reserve there, not an error."""
    raw = torch.where(alpha >= 1, raw.clamp(max=1), raw)
    return torch.where(alpha <= 0, raw.clamp(min=0), raw)


def _rim(alpha: Tensor) -> Tensor:
    """The outermost pixels, `(B, 1, edges)`."""
    return torch.cat([alpha[..., 0, :], alpha[..., -1, :], alpha[..., 0], alpha[..., -1]], dim=-1)


def train(pictures: NDArray[np.uint8], folder: Path, steps: int, batch_size: int = 8) -> Codec:
    """Train up to `steps` on `(N, H, W, 4)` uint8 straight, going on from `folder/codec.pt` if it exists."""
    trainer = Trainer(Codec(), folder / "codec.pt", peak=8e-4, steps=steps)
    codec = cast(Codec, trainer.fast)
    data = torch.from_numpy(network_form(pictures)) if trainer.done < steps else torch.empty(0)

    def loss_at(step: int) -> tuple[Tensor, dict[str, Tensor]]:
        small = step < steps * SMALL_FIRST
        chosen = _choice(len(data), 2 * batch_size if small else batch_size, step)
        batch = data[chosen].float() / 255
        return loss_of(codec, F.avg_pool2d(batch, 2) if small else batch, noise=NOISE)

    _follow(trainer, "codec", loss_at)
    return cast(Codec, trainer.network).eval()


def train_decoders(codec: Codec, pictures: NDArray[np.uint8], latents: Tensor, folder: Path, steps: int) -> Codec:
    """Teach both decoders to read latents `(N, C, h, w)`, unscaled, that are a little wrong, as a denoiser's are.

    The encoders stay, and with them what the denoiser has learnt. Goes on from `folder/decoders.pt` if it exists.
    """
    freeze_encoders(codec)
    trainer = Trainer(codec, folder / "decoders.pt", peak=5e-4, steps=steps)
    data = torch.from_numpy(network_form(pictures)) if trainer.done < steps else torch.empty(0)
    spread = latents.std((0, 2, 3), keepdim=True)

    def loss_at(step: int) -> tuple[Tensor, dict[str, Tensor]]:
        chosen = _choice(len(data), 8, step)
        noisy = mistaken(latents[chosen], spread)
        return reconstruction(cast(Codec, trainer.fast), data[chosen].float() / 255, noisy)

    _follow(trainer, "decoders", loss_at)
    return cast(Codec, trainer.network).eval()


def freeze_encoders(codec: Codec) -> None:
    """Keep the latents as they are, whatever the decoders learn."""
    for part in (codec.encoder, codec.vae.encoder, codec.vae.quant_conv):
        part.requires_grad_(False)


def mistaken(latents: Tensor, spread: Tensor | float) -> Tensor:
    """Latents, `(B, C, h, w)`, with up to a denoiser's error, in bfloat16."""
    wrong = torch.rand(len(latents), 1, 1, 1, device=latents.device) * DENOISER_ERROR * spread
    noisy = latents + wrong * torch.randn_like(latents)
    return noisy.to(torch.bfloat16).contiguous(memory_format=torch.channels_last)


def _choice(pictures: int, count: int, step: int) -> Tensor:
    return torch.randint(pictures, (count,), generator=torch.Generator().manual_seed(step))


def _follow(trainer: Trainer, name: str, loss_at: Callable[[int], tuple[Tensor, dict[str, Tensor]]]) -> None:
    """Step to the end, with a line now and then and a checkpoint every hundred steps."""
    started, first = time.monotonic(), trainer.done
    while trainer.done < trainer.steps:
        loss, parts = loss_at(trainer.done)
        trainer.step(loss)
        if trainer.done % 25 == 0:
            said = " ".join(f"{part} {value:.4f}" for part, value in parts.items())
            pace = (time.monotonic() - started) / (trainer.done - first)
            print(f"{name} {trainer.done}/{trainer.steps} loss {loss.item():.4f} {said} {pace:.2f} s/step", flush=True)
        if trainer.done % 100 == 0 or trainer.done == trainer.steps:
            trainer.save()


def latents_of(codec: Codec, pictures: NDArray[np.uint8]) -> Tensor:
    """Unscaled latents of every picture, `(N, C, H/8, W/8)` float32."""
    return encoded(codec, torch.from_numpy(network_form(pictures)))


@torch.no_grad()
def encoded(codec: Codec, data: Tensor) -> Tensor:
    """As `latents_of`, from `(N, 4, H, W)` uint8 that `network_form` has made, on the codec's device."""
    return torch.cat([codec.encode(part.float() / 255)[0] for part in data.split(32)])


@torch.no_grad()
def fold_statistics(codec: Codec, mean: Tensor, std: Tensor) -> None:
    """Give the latents zero mean and unit spread per channel, from what they have, `(C,)` each.

    Exact: the layers next to the latents are linear. One factor for all channels would leave means of up to four times the
    spread, which a denoiser takes for signal.
    """
    quant: Any = codec.vae.quant_conv
    quant.weight[:LATENT_CHANNELS] /= std[:, None, None, None]
    quant.bias[:LATENT_CHANNELS] = (quant.bias[:LATENT_CHANNELS] - mean) / std
    quant.bias[LATENT_CHANNELS:] -= 2 * std.log()  # the offset is multiplied by the posterior's spread
    reading: tuple[Any, ...] = (codec.vae.post_quant_conv, codec.decoder.latent_conv_in)
    for layer in reading:
        layer.bias += layer.weight[:, :, 0, 0] @ mean
        layer.weight *= std[None, :, None, None]


@torch.no_grad()
def unfold_statistics(codec: Codec, latents: Tensor, data: Tensor) -> None:
    """Give folded `latents`, `(N, C, h, w)`, of `data`, `(N, 4, H, W)`, back the scale that the codec's losses are made for.

    What was folded is not written down. The first four were held to the picture at an eighth, which gives their mean and spread
    back by least squares; for the others any mean will do, and the spread that such a codec has had.
    """
    mean, std = torch.zeros(LATENT_CHANNELS, device=latents.device), torch.full((LATENT_CHANNELS,), SPREAD, device=latents.device)
    wanted = torch.cat([F.avg_pool2d(part.float() / 255, 8) * 2 - 1 for part in data.split(32)])
    for channel in range(4):
        x, y = latents[:, channel], wanted[:, channel]
        std[channel] = ((x - x.mean()) * (y - y.mean())).mean() / x.var(correction=0)
        mean[channel] = y.mean() - std[channel] * x.mean()
    fold_statistics(codec, -mean / std, 1 / std)


@torch.no_grad()
def stretch_alpha(decoder: TransparentDecoder) -> None:
    """Let what is within `ALPHA_MARGIN` of opaque or of nothing be that; alpha in between moves by no more than the margin.

    Exact, as the last layer is linear and alpha is its first channel.
    """
    weight, bias, gain = decoder.conv_out.weight, cast(Tensor, decoder.conv_out.bias), 1 + 2 * ALPHA_MARGIN
    weight[0] *= gain
    bias[0] = bias[0] * gain - ALPHA_MARGIN


@torch.no_grad()
def unstretch_alpha(decoder: TransparentDecoder) -> None:
    """Undo `stretch_alpha`, so that training can go on from what was exported."""
    weight, bias, gain = decoder.conv_out.weight, cast(Tensor, decoder.conv_out.bias), 1 + 2 * ALPHA_MARGIN
    weight[0] /= gain
    bias[0] = (bias[0] + ALPHA_MARGIN) / gain
