"""What decoders do with whole pictures besides convolutions and norms: sums, shortcuts, twice the size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import launch

PIXELS = 64
"""Pixels that one program handles, at up to 128 channels."""
ROWS = 128
"""Pixels that one program handles where channels are mixed."""


def add(x: Tensor, y: Tensor, shift: Tensor) -> Tensor:
    """`x + y + shift`, `(N, C, H, W)` channels last and `(C,)`."""
    result = torch.empty_like(x)
    launch(_add, triton.cdiv(x.numel(), 2048))(x, y, shift, result, x.numel(), x.shape[1], BLOCK=2048)
    return result


def shift(x: Tensor, by: Tensor) -> Tensor:
    """Add `by`, `(C,)`, to `x`, `(N, C, H, W)` channels last, in place."""
    channels = x.shape[1]
    pixels, block = x.numel() // channels, min(128, triton.next_power_of_2(channels))
    run = launch(_shift, triton.cdiv(pixels, PIXELS), triton.cdiv(channels, block))
    run(x, by, pixels, channels, PIXELS=PIXELS, BLOCK=block)
    return x


def mixed(parts: Sequence[Tensor], weight: Tensor, residual: Tensor, shift: Tensor) -> Tensor:
    """A 1 x 1 convolution of two `parts` side by side in their channels, plus `residual` and `shift`; all channels last.

    `weight` is `(C', C)`, with few enough C' for one program; `residual` is `(N, C', H, W)`, `shift` `(C',)`.
    """
    first, second = parts
    result = torch.empty_like(residual)
    outputs, pixels = residual.shape[1], residual.numel() // residual.shape[1]
    launch(_mixed, triton.cdiv(pixels, ROWS))(
        first, second, weight, residual, shift, result, pixels, first.shape[1], second.shape[1], outputs,
        ROWS=ROWS, DEEP=32, WIDE=max(16, triton.next_power_of_2(outputs)),
    )  # fmt: skip
    return result


def double(x: Tensor) -> Tensor:
    """`(N, C, H, W)` channels last -> `(N, C, 2 H, 2 W)`, each pixel four times."""
    samples, channels, height, width = x.shape
    result = torch.empty(samples, 2 * height, 2 * width, channels, dtype=x.dtype, device=x.device)
    pixels, block = samples * height * width, min(128, triton.next_power_of_2(channels))
    run = launch(_double, triton.cdiv(pixels, PIXELS), triton.cdiv(channels, block))
    run(x, result, pixels, width, channels, PIXELS=PIXELS, BLOCK=block)
    return result.permute(0, 3, 1, 2)


@triton.jit
def _add(x, y, shift, result, size, channels, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < size
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32) + tl.load(y + place, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(shift + place % channels, mask=inside, other=0.0).to(tl.float32)
    tl.store(result + place, value.to(result.dtype.element_ty), mask=inside)


@triton.jit
def _shift(x, by, pixels, channels, PIXELS: tl.constexpr, BLOCK: tl.constexpr):
    pixel = tl.program_id(0).to(tl.int64) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there = (pixel < pixels)[:, None] & (channel < channels)[None, :]
    place = pixel[:, None] * channels + channel[None, :]
    value = tl.load(x + place, mask=there).to(tl.float32)
    value += tl.load(by + channel, mask=channel < channels, other=0.0).to(tl.float32)[None, :]
    tl.store(x + place, value.to(x.dtype.element_ty), mask=there)


@triton.jit
def _mixed(
    first, second, weight, residual, shift, result, pixels, first_channels, second_channels, outputs,
    ROWS: tl.constexpr, DEEP: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    pixel = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    output = tl.arange(0, WIDE)
    wanted = (pixel < pixels)[:, None] & (output < outputs)[None, :]
    total = tl.zeros([ROWS, WIDE], tl.float32)
    total = _product(total, first, weight, pixel, pixels, output, outputs, first_channels, first_channels + second_channels, DEEP)
    weight += first_channels
    total = _product(
        total, second, weight, pixel, pixels, output, outputs, second_channels, first_channels + second_channels, DEEP
    )
    place = pixel[:, None] * outputs + output[None, :]
    total += tl.load(residual + place, mask=wanted, other=0.0).to(tl.float32)
    total += tl.load(shift + output, mask=output < outputs, other=0.0).to(tl.float32)[None, :]
    tl.store(result + place, total.to(result.dtype.element_ty), mask=wanted)


@triton.jit
def _product(total, x, weight, pixel, pixels, output, outputs, channels, stride, DEEP: tl.constexpr):
    """Add the product of some pixels' channels with their columns of the weights."""
    for start in range(0, channels, DEEP):
        channel = start + tl.arange(0, DEEP)
        inside = channel < channels
        part = tl.load(
            x + pixel[:, None] * channels + channel[None, :], mask=(pixel < pixels)[:, None] & inside[None, :], other=0.0
        )
        factors = tl.load(
            weight + output[None, :] * stride + channel[:, None], mask=inside[:, None] & (output < outputs)[None, :], other=0.0
        )
        total = tl.dot(part, factors, total, input_precision="ieee")
    return total


@triton.jit(do_not_specialize=["width"])
def _double(x, result, pixels, width, channels, PIXELS: tl.constexpr, BLOCK: tl.constexpr):
    pixel = tl.program_id(0).to(tl.int64) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    there = (pixel < pixels)[:, None] & (channel < channels)[None, :]
    value = tl.load(x + pixel[:, None] * channels + channel[None, :], mask=there)
    first = (pixel // width * 4 * width + pixel % width * 2)[:, None] * channels + channel[None, :]
    tl.store(result + first, value, mask=there)
    tl.store(result + first + channels, value, mask=there)
    tl.store(result + first + 2 * width * channels, value, mask=there)
    tl.store(result + first + (2 * width + 1) * channels, value, mask=there)
