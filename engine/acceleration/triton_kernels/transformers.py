"""What transformer blocks do besides products: gates, norms of sums, and attention where torch's kernels expect other shapes.

The transparent decoder has heads of 8 numbers, for which cuDNN computes 64.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from . import launch

QUERIES, KEYS = 128, 64
"""Queries that one program handles, and keys per turn of its loop."""
LOG2_E = 1.4426950408889634


def geglu(x: Tensor) -> Tensor:
    """`(..., 2 n)` contiguous -> `(..., n)`: the first half times GELU of the second, without approximation."""
    wide = x.shape[-1] // 2
    result = x.new_empty(*x.shape[:-1], wide)
    block = min(1024, triton.next_power_of_2(wide))
    launch(_geglu, result.numel() // wide, triton.cdiv(wide, block))(x, result, wide, BLOCK=block)
    return result


def add_norm(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """`x + y`, `(..., n)` both, and its layer norm over the last axis; all contiguous."""
    wide = x.shape[-1]
    total, normed = torch.empty_like(x), torch.empty_like(x)
    run = launch(_add_norm, x.numel() // wide)
    run(x, y, weight, bias, total, normed, wide, eps, BLOCK=triton.next_power_of_2(wide))
    return total, normed


def attention(q: Tensor, k: Tensor, v: Tensor, scale: float) -> Tensor:
    """`(B, heads, queries, D)`, `(B, heads, keys, D)` twice, D below 16 -> as `q`; all of 16 bits, sums are made in float32.

    All lie as products give and take them, `(B, tokens, heads, D)` in memory. The kernel is compiled for D: what it knows
    of places in memory decides whether 8 numbers are read at once or one by one.
    """
    samples, heads, queries, wide = q.shape
    result = torch.empty(samples, queries, heads, wide, dtype=q.dtype, device=q.device)
    launch(_attention, triton.cdiv(queries, QUERIES), heads, samples)(
        q, k, v, result, queries, k.shape[2], q.stride(0), q.stride(2), k.stride(0), k.stride(2), v.stride(0), v.stride(2),
        scale * LOG2_E, WIDE=wide, QUERIES=QUERIES, KEYS=KEYS, num_stages=2,
    )  # fmt: skip
    return result.transpose(1, 2)


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
def _attention(
    q, k, v, result, queries, keys, q_sample, q_row, k_sample, k_row, v_sample, v_row, scale, WIDE: tl.constexpr,
    QUERIES: tl.constexpr, KEYS: tl.constexpr,
):  # fmt: skip
    """Softmax of a row's products in one walk over the keys: sums so far are scaled down when a larger product comes.

    A product is 16 numbers wide at least. In a place that is left over stands 1 for every value, and becomes the sum of weights.
    """
    head, sample = tl.program_id(1), tl.program_id(2).to(tl.int64)
    q += sample * q_sample + head * WIDE
    k += sample * k_sample + head * WIDE
    v += sample * v_sample + head * WIDE
    row = tl.program_id(0) * QUERIES + tl.arange(0, QUERIES)
    inner = tl.arange(0, 16)
    inside, there = (inner < WIDE)[None, :], (row < queries)[:, None]
    query = tl.load(q + row[:, None] * q_row + inner[None, :], mask=there & inside, other=0.0)
    largest = tl.full([QUERIES], -1e30, tl.float32)
    total = tl.zeros([QUERIES, 16], tl.float32)
    for start in range(0, keys, KEYS):
        column = start + tl.arange(0, KEYS)
        known = column < keys
        key = tl.load(k + column[None, :] * k_row + inner[:, None], mask=known[None, :] & (inner < WIDE)[:, None], other=0.0)
        product = tl.where(known[None, :], tl.dot(query, key), -1e30)
        larger = tl.maximum(largest, tl.max(product, 1) * scale)
        share = tl.exp2(product * scale - larger[:, None])
        value = tl.load(v + column[:, None] * v_row + inner[None, :], mask=known[:, None] & inside, other=0.0)
        value = tl.where((inner == WIDE)[None, :], 1.0, value).to(v.dtype.element_ty)
        total = tl.dot(share.to(v.dtype.element_ty), value, total * tl.exp2(largest - larger)[:, None])
        largest = larger
    weights = tl.sum(tl.where((inner == WIDE)[None, :], total, 0.0), 1)
    place = ((sample * queries + row) * tl.num_programs(1) + head)[:, None] * WIDE + inner[None, :]
    tl.store(result + place, (total / weights[:, None]).to(result.dtype.element_ty), mask=there & inside)
