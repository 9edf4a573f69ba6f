"""The autoencoder of Qwen-Image-2.1 without its video caches, and in strips of rows: the same numbers in less memory.

It normalises every pixel for itself, so that beyond its middle block, whose attention sees the whole picture in small, only
convolutions and repeats are left: a strip with a halo of rows is exact (qwen-image.md 1.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

WHOLE_BLOCKS = 2
"""How many of the decoder's up-blocks, and of the encoder's down-blocks beyond the first, see the whole picture."""
DECODED_ROWS, DECODED_HALO = 32, 12
"""Rows of a strip and around it that decoding cuts, at a quarter of the picture's size; a halo of 8 is too small."""
ENCODED_ROWS, ENCODED_HALO = 256, 32
"""As above, for encoding: rows of the picture."""


def decoded(vae: Any, latents: Tensor, *, in_strips: bool = False) -> Tensor:
    """`(1, C, h, w)` latents as they leave the encoder -> `(1, 4, H, W)` in [-1, 1]: the very numbers of `vae.decode`."""
    decoder = vae.decoder
    x = vae.post_quant_conv(latents[:, :, None])
    if not in_strips:
        return decoder(x, first_chunk=True)[:, :, 0].clamp(-1, 1)  # type: ignore[no-any-return]
    x = decoder.mid_block(decoder.conv_in(x))
    for block in decoder.up_blocks[:WHOLE_BLOCKS]:
        x = block(x, first_chunk=True)

    def rest(part: Tensor) -> Tensor:
        for block in decoder.up_blocks[WHOLE_BLOCKS:]:
            part = block(part, first_chunk=True)
        return decoder.conv_out(decoder.nonlinearity(decoder.norm_out(part)))[:, :, 0].clamp(-1, 1)  # type: ignore[no-any-return]

    larger = 2 ** sum(block.upsampler is not None for block in decoder.up_blocks[WHOLE_BLOCKS:])
    return _by_strips(x, rest, DECODED_ROWS, DECODED_HALO, lambda row: row * larger)


def encoded(vae: Any, pixels: Tensor, *, in_strips: bool = False) -> Tensor:
    """`(1, 4, H, W)` in [-1, 1] -> `(1, C, h, w)`: the mean of `vae.encode`, to the bit; in strips to about 1e-6."""
    encoder = vae.encoder
    x = pixels[:, :, None]
    if in_strips:
        first = [encoder.conv_in, *encoder.down_blocks[:WHOLE_BLOCKS]]
        smaller = 2 ** sum(block.downsampler is not None for block in encoder.down_blocks[:WHOLE_BLOCKS])
        x = _by_strips(x, lambda part: _through(first, part), ENCODED_ROWS, ENCODED_HALO, lambda row: row // smaller)
        x = _through([*encoder.down_blocks[WHOLE_BLOCKS:], encoder.mid_block], x)
        x = encoder.conv_out(encoder.nonlinearity(encoder.norm_out(x)))
    else:
        x = encoder(x)
    mean, _ = vae.quant_conv(x)[:, :, 0].chunk(2, dim=1)
    return mean  # type: ignore[no-any-return]


def _through(layers: Sequence[nn.Module], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


def _by_strips(x: Tensor, work: Callable[[Tensor], Tensor], rows: int, halo: int, scaled: Callable[[int], int]) -> Tensor:
    """`work` on strips of rows with a halo, put together. `scaled` tells where a row of the input lies in the output."""
    parts = []
    height = x.shape[-2]
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        above, below = max(0, top - halo), min(height, bottom + halo)
        part = work(x[..., above:below, :])
        parts.append(part[..., scaled(top - above) : scaled(bottom - above), :])
    return torch.cat(parts, dim=-2)
