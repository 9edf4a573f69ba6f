"""Group norm with SiLU, in three kernels.

torch's own reads a group with one block of threads: the transparent decoder's four groups kept 16 of an H200's 132
multiprocessors busy, 263 of 367 ms of a decode.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl
from torch import Tensor

PER_PROGRAM = 8192
"""Numbers that one program reads at once. With 2048, and sums kept apart to the end, SDXL's statistics took thrice as long."""
MOST_SPLITS = 1024
"""Parts of a picture's rows; the last kernel of the statistics reads all of them."""


def group_norm(
    parts: Sequence[Tensor], weight: Tensor, bias: Tensor, groups: int, eps: float, shift: Tensor | None, *, silu: bool
) -> Tensor:
    """Of `parts`, `(N, C, H, W)` channels last, side by side in their channels; then SiLU, if it follows.

    `shift`, `(N, C)`, is added before, where there is one part.
    """
    samples, _, height, width = parts[0].shape
    rows, channels = height * width, sum(part.shape[1] for part in parts)
    block_c = min(128, triton.next_power_of_2(max(part.shape[1] for part in parts)))
    block_r = max(16, PER_PROGRAM // block_c)
    rows_each = triton.cdiv(triton.cdiv(rows, MOST_SPLITS), block_r) * block_r
    splits = triton.cdiv(rows, rows_each)
    moments = torch.empty(2, samples, splits, channels, device=weight.device)
    factors = torch.empty(2, samples, channels, device=weight.device)
    result = torch.empty(samples, height, width, channels, dtype=parts[0].dtype, device=weight.device)
    given = parts[0] if shift is None else shift.contiguous()
    shifted = shift is not None
    places = [(part, sum(before.shape[1] for before in parts[:i])) for i, part in enumerate(parts)]
    for part, first in places:
        _moments[splits, triton.cdiv(part.shape[1], block_c), samples](
            part, given, moments[..., first:], rows, part.shape[1], channels, rows_each, splits, moments.stride(0),
            SHIFTED=shifted, ROWS=block_r, BLOCK=block_c,
        )  # fmt: skip
    wide = triton.next_power_of_2(channels // groups)
    _factors[groups, samples](
        moments, weight, bias, given, factors, rows, channels, channels // groups, rows_each, splits, moments.stride(0),
        factors.stride(0), eps, SHIFTED=shifted, SPLITS=max(16, 2048 // wide), WIDE=wide,
    )  # fmt: skip
    for part, first in places:
        _scale[triton.cdiv(rows, block_r), triton.cdiv(part.shape[1], block_c), samples](
            part, factors[..., first:], result[..., first:], rows, part.shape[1], channels, factors.stride(0),
            SILU=silu, ROWS=block_r, BLOCK=block_c,
        )  # fmt: skip
    return result.permute(0, 3, 1, 2)


@triton.jit
def _moments(
    x, shift, moments, rows, channels, all_channels, rows_each, splits, plane,
    SHIFTED: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Mean and sum of squared differences of each channel over some rows; around the first row's value, lest digits cancel."""
    split, sample = tl.program_id(0), tl.program_id(2).to(tl.int64)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    begin = split * rows_each
    end = tl.minimum(begin + rows_each, rows)
    picture = x + sample * rows * channels
    origin = tl.load(picture + begin.to(tl.int64) * channels + channel, mask=inside, other=0.0).to(tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    squares = tl.zeros([BLOCK], tl.float32)
    for start in range(begin, end, ROWS):
        row = (start + tl.arange(0, ROWS)).to(tl.int64)
        there = (row < end)[:, None] & inside[None, :]
        value = tl.load(picture + row[:, None] * channels + channel[None, :], mask=there, other=0.0).to(tl.float32)
        apart = tl.where(there, value - origin[None, :], 0.0)
        total += tl.sum(apart, 0)
        squares += tl.sum(apart * apart, 0)
    count = (end - begin).to(tl.float32)
    mean = origin + total / count
    if SHIFTED:
        mean += tl.load(shift + sample * channels + channel, mask=inside, other=0.0).to(tl.float32)
    place = moments + (sample * splits + split) * all_channels + channel
    tl.store(place, mean, mask=inside)
    tl.store(place + plane, squares - total * total / count, mask=inside)


@triton.jit
def _factors(
    moments, weight, bias, shift, factors, rows, channels, each, rows_each,
    splits, plane, row_plane, eps, SHIFTED: tl.constexpr, SPLITS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """A group's moments joined, as a factor and an offset for each of its channels."""
    group, sample = tl.program_id(0), tl.program_id(1).to(tl.int64)
    inner = tl.arange(0, WIDE)
    channel = group * each + inner
    inside = inner < each
    first = moments + sample * splits * channels + channel
    total = tl.zeros([SPLITS, WIDE], tl.float32)
    for start in range(0, splits, SPLITS):
        split = start + tl.arange(0, SPLITS)
        there = (split < splits)[:, None] & inside[None, :]
        count = tl.minimum(rows_each, rows - split * rows_each).to(tl.float32)
        total += tl.load(first[None, :] + split[:, None] * channels, mask=there, other=0.0) * count[:, None]
    size = rows * each * 1.0
    mean = tl.sum(tl.sum(total, 0), 0) / size
    spread = tl.zeros([SPLITS, WIDE], tl.float32)
    for start in range(0, splits, SPLITS):
        split = start + tl.arange(0, SPLITS)
        there = (split < splits)[:, None] & inside[None, :]
        count = tl.minimum(rows_each, rows - split * rows_each).to(tl.float32)
        apart = tl.load(first[None, :] + split[:, None] * channels, mask=there, other=0.0) - mean
        squares = tl.load(first[None, :] + plane + split[:, None] * channels, mask=there, other=0.0)
        spread += tl.where(there, squares + apart * apart * count[:, None], 0.0)
    scale = 1.0 / tl.sqrt(tl.sum(tl.sum(spread, 0), 0) / size + eps)
    factor = scale * tl.load(weight + channel, mask=inside, other=0.0).to(tl.float32)
    centre = mean + tl.zeros([WIDE], tl.float32)
    if SHIFTED:
        centre -= tl.load(shift + sample * channels + channel, mask=inside, other=0.0).to(tl.float32)
    offset = tl.load(bias + channel, mask=inside, other=0.0).to(tl.float32) - centre * factor
    tl.store(factors + sample * channels + channel, factor, mask=inside)
    tl.store(factors + row_plane + sample * channels + channel, offset, mask=inside)


@triton.jit
def _scale(
    x, factors, result, rows, channels, all_channels, plane,
    SILU: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    sample = tl.program_id(2).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    there = (row < rows)[:, None] & inside[None, :]
    factor = tl.load(factors + sample * all_channels + channel, mask=inside, other=0.0)
    offset = tl.load(factors + plane + sample * all_channels + channel, mask=inside, other=0.0)
    pixel = (sample * rows + row)[:, None]
    value = tl.load(x + pixel * channels + channel[None, :], mask=there, other=0.0).to(tl.float32)
    value = value * factor[None, :] + offset[None, :]
    if SILU:
        value = value / (1.0 + tl.exp(-value))
    tl.store(result + pixel * all_channels + channel[None, :], value.to(result.dtype.element_ty), mask=there)
