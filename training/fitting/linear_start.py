"""Start the codec as a linear one: the picture at 1/8 size goes in, and comes out enlarged; training adds the detail.

From a random start, colour had not reached the pictures after 30,000 samples, as every GroupNorm takes a frame's own mean and
spread away. Two facts avoid that. SiLU(x) - SiLU(-x) = x, so a signal carried as a pair of opposite channels passes any SiLU
unchanged. And a group that also holds a pair of large constants keeps nearly the same spread whatever the picture, so
GroupNorm only scales its signals.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

CONSTANT = 4.0
"""Against signals in [-1, 1]: with it and three signals a group of eight has a standard deviation of 2 to 2.2."""

COLOUR, COLOUR_CONSTANTS = (0, 2, 4), (6, 7)
"""First channels of the pairs for red, green and blue, and the pair of constants: the first group of eight."""
ALPHA, ALPHA_CONSTANTS = 8, (10, 11)
"""The same for alpha: the second group."""


@torch.no_grad()
def start_encoder(encoder: Any) -> None:
    """Latents 0 to 3 begin as alpha and padded colour at 1/8 size in [-1, 1]; the others are random detail."""
    layers: list[Any] = [layer for layer in encoder.blocks if isinstance(layer, nn.Conv2d)]
    for number, layer in enumerate(layers):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
        taps = (1, 2) if layer.stride[0] == 2 else (1,)
        last = number == len(layers) - 1
        for signal in range(4):
            rows = [(signal, 2.0)] if last else [(2 * signal, 1.0), (2 * signal + 1, -1.0)]
            inputs = [(signal, 1.0)] if number == 0 else [(2 * signal, 1.0), (2 * signal + 1, -1.0)]
            for row, sign in rows:
                layer.weight[row] = 0
                for column, factor in inputs:
                    for y in taps:
                        for x in taps:
                            layer.weight[row, column, y, x] = sign * factor / len(taps) ** 2
        if last:
            layer.weight[4:] *= 4  # to about the spread of the others
            layer.bias[:4] = -1


@torch.no_grad()
def start_vae(vae: Any) -> None:
    """The posterior begins as zero mean and unit spread, so that the offset is the latent; the decoder enlarges colour."""
    nn.init.zeros_(vae.quant_conv.weight)
    nn.init.zeros_(vae.quant_conv.bias)
    _identity(vae.post_quant_conv, range(vae.post_quant_conv.out_channels))
    decoder = vae.decoder
    first = decoder.conv_in
    for channel, start in enumerate(COLOUR):
        _pair(first.weight, start, {channel + 1: 1.0})
    _constants(first, COLOUR_CONSTANTS)
    kept = range(COLOUR_CONSTANTS[1] + 1)
    for resnet in [*decoder.mid_block.resnets, *(r for block in decoder.up_blocks for r in block.resnets)]:
        _pass_through(resnet, kept)
    for block in decoder.up_blocks:
        for upsampler in block.upsamplers or ():
            _identity(upsampler.conv, kept)
    _read(decoder.conv_out.weight, 0, COLOUR, 2.0)
    nn.init.zeros_(decoder.conv_out.bias)


@torch.no_grad()
def start_transparent_decoder(decoder: Any) -> None:
    """Colour begins as the pixels, alpha as the latent's, enlarged."""
    for channel, start in enumerate(COLOUR):
        _pair(decoder.conv_in.weight, start, {channel: 2.0})
        decoder.conv_in.bias[start], decoder.conv_in.bias[start + 1] = -1.0, 1.0
    _pair(decoder.latent_conv_in.weight, ALPHA, {0: 1.0})
    kept = (ALPHA, ALPHA + 1)
    before = decoder.down_blocks[2].downsamplers[0].conv  # its output is what the latent is added to
    before.weight[list(kept)], before.bias[list(kept)] = 0.0, 0.0
    for block in (*decoder.down_blocks[3:], decoder.mid_block, *decoder.up_blocks):
        for resnet in block.resnets:
            _pass_through(resnet, kept)
        for attention in getattr(block, "attentions", None) or ():
            nn.init.zeros_(attention.to_out[0].weight)
    for block in decoder.up_blocks:
        for upsampler in block.upsamplers or ():
            _identity(upsampler.conv, kept)
    _last_resnet(decoder.up_blocks[-1].resnets[-1])
    _read(decoder.conv_out.weight, 1, COLOUR, 1.0)
    _read(decoder.conv_out.weight, 0, (ALPHA,), 1.0)
    nn.init.constant_(decoder.conv_out.bias, 0.5)


def _last_resnet(resnet: Any) -> None:
    """Take colour from the first convolution's skip, which is concatenated last, and add the constants."""
    skip = resnet.conv_shortcut.in_channels - resnet.conv_shortcut.out_channels
    shortcut = resnet.conv_shortcut
    for row in range(COLOUR[0], COLOUR_CONSTANTS[0]):
        shortcut.weight[row] = 0
        shortcut.weight[row, skip + row] = 1
    for rows in (COLOUR_CONSTANTS, ALPHA_CONSTANTS):
        _constants(shortcut, rows)
    shortcut.weight[ALPHA_CONSTANTS[1] + 1 : 16] = 0  # the rest of alpha's group starts silent


def _pass_through(resnet: Any, kept: range | tuple[int, ...]) -> None:
    """The residual branch starts silent; `kept` channels come through the shortcut."""
    nn.init.zeros_(resnet.conv2.weight)
    nn.init.zeros_(resnet.conv2.bias)
    if resnet.conv_shortcut is not None:
        _identity(resnet.conv_shortcut, kept)


def _identity(layer: Any, channels: range | tuple[int, ...]) -> None:
    middle = layer.kernel_size[0] // 2
    for channel in channels:
        layer.weight[channel] = 0
        layer.weight[channel, channel, middle, middle] = 1
        layer.bias[channel] = 0


def _pair(weight: Tensor, start: int, sources: dict[int, float]) -> None:
    """Rows `start` and `start + 1` become a sum of inputs and its opposite."""
    middle = weight.shape[2] // 2
    for row, sign in ((start, 1.0), (start + 1, -1.0)):
        weight[row] = 0
        for channel, factor in sources.items():
            weight[row, channel, middle, middle] = sign * factor


def _constants(layer: Any, rows: tuple[int, int]) -> None:
    for row, sign in zip(rows, (1.0, -1.0), strict=True):
        layer.weight[row] = 0
        layer.bias[row] = sign * CONSTANT


def _read(weight: Tensor, first: int, starts: tuple[int, ...], factor: float) -> None:
    """Outputs `first`, … become `factor` times the pairs' differences."""
    for output, start in enumerate(starts, first):
        weight[output] = 0
        weight[output, start, 1, 1], weight[output, start + 1, 1, 1] = factor, -factor
