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

from . import launch

PER_PROGRAM = 8192
"""Numbers that one program reads at once. With 2048 and separate sums, SDXL's statistics took three times as long."""
MOST_SPLITS = 1024
"""Parts of a picture's rows; the last kernel of the statistics reads all of them."""


def group_norm(
    parts: Sequence[Tensor], weight: Tensor, bias: Tensor, groups: int, eps: float, shift: Tensor | None, *, silu: bool
) -> Tensor:
    """Group norm of `parts`, `(N, C, H, W)` channels last, concatenated by channel; then SiLU if `silu`.

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
    places = [(part, sum(before.shape[1] for before in parts[:i])) for i, part in enumerate(parts)]
    for part, first in places:
        launch(_moments, splits, triton.cdiv(part.shape[1], block_c), samples)(
            part, moments[..., first:], rows, part.shape[1], channels, rows_each, splits, moments.stride(0),
            ROWS=block_r, BLOCK=block_c,
        )  # fmt: skip
    launch(_factors, groups, samples)(
        moments, weight, bias, weight if shift is None else shift.contiguous(), factors, rows, channels, channels // groups,
        rows_each, splits, moments.stride(0), factors.stride(0), eps, int(shift is not None), SPLITS=64, WIDE=32,
    )  # fmt: skip
    for part, first in places:
        launch(_scale, triton.cdiv(rows, block_r), triton.cdiv(part.shape[1], block_c), samples)(
            part, factors[..., first:], result[..., first:], rows, part.shape[1], channels, factors.stride(0),
            SILU=silu, ROWS=block_r, BLOCK=block_c,
        )  # fmt: skip
    return result.permute(0, 3, 1, 2)


@triton.jit(do_not_specialize=["splits"])
def _moments(
    x, moments, rows, channels, all_channels, rows_each, splits, plane,
    ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Mean and sum of squared differences of each channel over some rows; relative to the first row's value, to keep digits."""
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
    place = moments + (sample * splits + split) * all_channels + channel
    tl.store(place, origin + total / count, mask=inside)
    tl.store(place + plane, squares - total * total / count, mask=inside)


@triton.jit(do_not_specialize=["each", "splits", "shifted"])
def _factors(
    moments, weight, bias, shift, factors, rows, channels, each, rows_each, splits, plane, row_plane, eps, shifted,
    SPLITS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """A group's moments joined, as a factor and an offset for each of its channels; around the first mean, as above.

    One shape of tile for all pictures: each one more would be compiled on the first picture's time.
    """
    first, sample = tl.program_id(0) * each, tl.program_id(1).to(tl.int64)
    mine = moments + sample * splits * channels + first
    added = shift + sample * channels + first
    origin = tl.load(mine) + tl.load(added, mask=shifted != 0, other=0.0).to(tl.float32)
    totals = tl.zeros([SPLITS, WIDE], tl.float32)
    squares = tl.zeros([SPLITS, WIDE], tl.float32)
    for begin in range(0, each, WIDE):
        inner = begin + tl.arange(0, WIDE)
        inside = inner < each
        moved = tl.load(added + inner, mask=inside & (shifted != 0), other=0.0).to(tl.float32)[None, :] - origin
        for start in range(0, splits, SPLITS):
            split = start + tl.arange(0, SPLITS)
            there = (split < splits)[:, None] & inside[None, :]
            count = tl.minimum(rows_each, rows - split * rows_each).to(tl.float32)[:, None]
            place = mine + split[:, None] * channels + inner[None, :]
            apart = tl.load(place, mask=there, other=0.0) + moved
            inner_squares = tl.load(place + plane, mask=there, other=0.0)
            totals += tl.where(there, apart * count, 0.0)
            squares += tl.where(there, inner_squares + apart * apart * count, 0.0)
    size = rows * each * 1.0
    apart = tl.sum(tl.sum(totals, 0), 0) / size
    spread = tl.sum(tl.sum(squares, 0), 0) / size - apart * apart
    scale = 1.0 / tl.sqrt(tl.maximum(spread, 0.0) + eps)
    for begin in range(0, each, WIDE):
        inner = begin + tl.arange(0, WIDE)
        inside = inner < each
        moved = tl.load(added + inner, mask=inside & (shifted != 0), other=0.0).to(tl.float32)
        factor = scale * tl.load(weight + first + inner, mask=inside, other=0.0).to(tl.float32)
        offset = tl.load(bias + first + inner, mask=inside, other=0.0).to(tl.float32) - (origin + apart - moved) * factor
        place = factors + sample * channels + first + inner
        tl.store(place, factor, mask=inside)
        tl.store(place + row_plane, offset, mask=inside)


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
