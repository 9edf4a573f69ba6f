"""Kernels in Triton for what torch does in several, or badly, on a CUDA device: the shapes that `fused.py` hands in.

Knows pointers and strides; imported only where Triton is. Pictures lie channels last, `(samples, rows, channels)` in memory.
Sums are made in float32. torch's own group norm reads a group with one block of threads: the transparent decoder's four groups
kept 16 of an H200's 132 multiprocessors busy, 263 of 367 ms of a decode (docs/performance.md).
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

PER_PROGRAM = 8192
"""Numbers that one program sums up at once."""
MOST_SPLITS = 1024
"""Parts of a picture's rows; the last kernel of the statistics reads all of them."""


def group_norm(x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float, shift: Tensor | None, *, silu: bool) -> Tensor:
    """Of `x + shift`, `(N, C, H, W)` channels last and `(N, C)`; then SiLU, if it follows."""
    samples, channels = x.shape[:2]
    rows = x.shape[2] * x.shape[3]
    block_c = min(128, triton.next_power_of_2(channels))
    block_r = max(16, PER_PROGRAM // block_c)
    rows_each = triton.cdiv(triton.cdiv(rows, MOST_SPLITS), block_r) * block_r
    splits, blocks = triton.cdiv(rows, rows_each), triton.cdiv(channels, block_c)
    moments = torch.empty(2, samples, splits, channels, device=x.device)
    factors = torch.empty(2, samples, channels, device=x.device)
    result = torch.empty_like(x)
    given = x if shift is None else shift.contiguous()
    shifted = shift is not None
    _moments[splits, blocks, samples](
        x, given, moments, rows, channels, rows_each, splits, moments.stride(0), SHIFTED=shifted, ROWS=block_r, BLOCK=block_c
    )
    wide = triton.next_power_of_2(channels // groups)
    _factors[groups, samples](
        moments, weight, bias, given, factors, rows, channels, channels // groups, rows_each, splits, moments.stride(0),
        factors.stride(0), eps, SHIFTED=shifted, SPLITS=max(16, 2048 // wide), WIDE=wide,
    )  # fmt: skip
    _scale[triton.cdiv(rows, block_r), blocks, samples](
        x, factors, result, rows, channels, factors.stride(0), SILU=silu, ROWS=block_r, BLOCK=block_c
    )
    return result


def geglu(x: Tensor) -> Tensor:
    """`(..., 2 n)` contiguous -> `(..., n)`: the first half times GELU of the second, without approximation."""
    wide = x.shape[-1] // 2
    result = x.new_empty(*x.shape[:-1], wide)
    block = min(1024, triton.next_power_of_2(wide))
    _geglu[result.numel() // wide, triton.cdiv(wide, block)](x, result, wide, BLOCK=block)
    return result


def add_norm(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """`x + y` and its layer norm over the last axis; all contiguous."""
    wide = x.shape[-1]
    total, normed = torch.empty_like(x), torch.empty_like(x)
    _add_norm[(x.numel() // wide,)](x, y, weight, bias, total, normed, wide, eps, BLOCK=triton.next_power_of_2(wide))
    return total, normed


def add(x: Tensor, y: Tensor, shift: Tensor) -> Tensor:
    """`x + y + shift`, `(N, C, H, W)` channels last and `(C,)`."""
    result = torch.empty_like(x)
    _add[(triton.cdiv(x.numel(), 2048),)](x, y, shift, result, x.numel(), x.shape[1], BLOCK=2048)
    return result


@triton.jit
def _moments(
    x, shift, moments, rows, channels, rows_each, splits, plane,
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
    place = moments + (sample * splits + split) * channels + channel
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
    x, factors, result, rows, channels, plane,
    SILU: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    sample = tl.program_id(2).to(tl.int64)
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = channel < channels
    there = (row < rows)[:, None] & inside[None, :]
    factor = tl.load(factors + sample * channels + channel, mask=inside, other=0.0)
    offset = tl.load(factors + plane + sample * channels + channel, mask=inside, other=0.0)
    place = (sample * rows + row)[:, None] * channels + channel[None, :]
    value = tl.load(x + place, mask=there, other=0.0).to(tl.float32) * factor[None, :] + offset[None, :]
    if SILU:
        value = value / (1.0 + tl.exp(-value))
    tl.store(result + place, value.to(result.dtype.element_ty), mask=there)


@triton.jit
def _geglu(x, result, wide, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = column < wide
    value = tl.load(x + row * 2 * wide + column, mask=inside, other=0.0).to(tl.float32)
    gate = tl.load(x + row * 2 * wide + wide + column, mask=inside, other=0.0).to(tl.float32)
    value *= 0.5 * gate * (1.0 + tl.erf(gate * 0.7071067811865476))
    tl.store(result + row * wide + column, value.to(result.dtype.element_ty), mask=inside)


@triton.jit
def _add_norm(x, y, weight, bias, total, normed, wide, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    inside = column < wide
    place = row * wide + column
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32) + tl.load(y + place, mask=inside, other=0.0).to(tl.float32)
    rounded = value.to(total.dtype.element_ty)
    tl.store(total + place, rounded, mask=inside)
    value = rounded.to(tl.float32)
    mean = tl.sum(value, 0) / wide
    apart = tl.where(inside, value - mean, 0.0)
    scale = 1.0 / tl.sqrt(tl.sum(apart * apart, 0) / wide + eps)
    factor = tl.load(weight + column, mask=inside, other=0.0).to(tl.float32)
    offset = tl.load(bias + column, mask=inside, other=0.0).to(tl.float32)
    tl.store(normed + place, (apart * scale * factor + offset).to(normed.dtype.element_ty), mask=inside)


@triton.jit
def _add(x, y, shift, result, size, channels, BLOCK: tl.constexpr):
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < size
    value = tl.load(x + place, mask=inside, other=0.0).to(tl.float32) + tl.load(y + place, mask=inside, other=0.0).to(tl.float32)
    value += tl.load(shift + place % channels, mask=inside, other=0.0).to(tl.float32)
    tl.store(result + place, value.to(result.dtype.element_ty), mask=inside)
