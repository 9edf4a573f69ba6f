"""What the kernels compute, in Triton's interpreter: `test_interpreted.py` runs this file in a process of its own.

Triton decides at its import whether it interprets, and there it needs no card.
"""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from acetate.engine.acceleration.triton_kernels import convolutions, group_norm, transformers
from torch import Tensor

LAST = torch.channels_last


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def picture(*shape: int) -> Tensor:
    return (torch.randn(shape) * 3 + 5).contiguous(memory_format=LAST)


@pytest.mark.parametrize(
    ("height", "width", "channels"),
    [(9, 7, (40, 24)), (20, 20, (32,)), (1, 1, (8,)), (130, 40, (16, 32)), (5, 3, (320,))],
    ids=str,
)
@pytest.mark.parametrize("silu", [False, True])
def test_group_norm_of_pictures_side_by_side(height: int, width: int, channels: tuple[int, ...], silu: bool) -> None:
    parts = [picture(2, one, height, width) for one in channels]
    weight, bias = torch.randn(sum(channels)), torch.randn(sum(channels))
    expected = F.group_norm(torch.cat(parts, dim=1).double(), 4, weight.double(), bias.double(), 1e-5)
    found = group_norm.group_norm(parts, weight, bias, 4, 1e-5, None, silu=silu)
    assert (found - (F.silu(expected) if silu else expected)).abs().max() < 2e-5
    assert found.is_contiguous(memory_format=LAST)


@pytest.mark.parametrize(("level", "apart"), [(0.0, 1.0), (1000.0, 1.0), (0.0, 1000.0)])
def test_group_norm_loses_no_digits_far_from_zero_or_between_channels_far_apart(level: float, apart: float) -> None:
    x = (torch.randn(2, 40, 33, 30) + level + torch.randn(1, 40, 1, 1) * apart).contiguous(memory_format=LAST)
    shift, weight, bias = torch.randn(2, 40) * apart, torch.randn(40), torch.randn(40)
    expected = F.group_norm(x.double() + shift.double()[:, :, None, None], 4, weight.double(), bias.double(), 1e-5)
    found = group_norm.group_norm([x], weight, bias, 4, 1e-5, shift, silu=False)
    assert (found - expected).abs().max() < 1e-3


def test_doubled_shifted_added_and_mixed_pictures() -> None:
    first, second, residual = picture(2, 40, 9, 7), picture(2, 24, 9, 7), picture(2, 16, 9, 7)
    shift, weight = torch.randn(16), torch.randn(16, 64) / 8
    assert torch.equal(convolutions.double(first), F.interpolate(first, scale_factor=2.0))
    assert torch.equal(convolutions.add(residual, residual, shift), residual + residual + shift[:, None, None])
    mixed = F.conv2d(torch.cat([first, second], dim=1), weight[:, :, None, None]) + residual + shift[:, None, None]
    assert (convolutions.mixed([first, second], weight, residual, shift) - mixed).abs().max() < 1e-4
    expected = residual + shift[:, None, None]
    assert torch.equal(convolutions.shift(residual, shift), expected)


@pytest.mark.parametrize("size", [(2, 3, 100, 77, 8), (1, 2, 130, 130, 8), (1, 1, 1, 1, 12)], ids=str)
def test_attention_with_narrow_heads(size: tuple[int, ...]) -> None:
    samples, heads, queries, keys, wide = size
    q, k, v = (torch.randn(samples, n, heads, wide).half().transpose(1, 2) for n in (queries, keys, keys))
    found = transformers.attention(q, k, v, wide**-0.5)
    assert (found.float() - F.scaled_dot_product_attention(q.float(), k.float(), v.float())).abs().max() < 1e-3
    assert found.stride() == q.stride()


def test_gates_and_norms_of_sums() -> None:
    x, y = torch.randn(6, 80), torch.randn(6, 80)
    value, gate = x.chunk(2, dim=-1)
    weight, bias = torch.randn(80), torch.randn(80)
    total, normed = transformers.add_norm(x, y, weight, bias, 1e-5)
    assert (transformers.geglu(x) - value * F.gelu(gate)).abs().max() < 1e-5
    assert torch.equal(total, x + y)
    assert (normed - F.layer_norm(x + y, (80,), weight, bias, 1e-5)).abs().max() < 1e-5
