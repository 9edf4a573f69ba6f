"""Operations that stand for several of torch's: by Triton on a CUDA device, else by those several themselves.

Knows what they compute and which layouts the kernels take; `fusion` knows where they may stand.
"""

from __future__ import annotations

import importlib.util

import torch
import torch.nn.functional as F
from torch import Tensor

LAST = torch.channels_last


def available(device: torch.device) -> bool:
    """Whether there are kernels for `device`. torch brings Triton on Linux; ROCm's is untried."""
    return device.type == "cuda" and torch.version.hip is None and importlib.util.find_spec("triton") is not None


def group_norm(x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float, shift: Tensor | None, silu: bool) -> Tensor:
    """Group norm of `x + shift`, `(N, C, H, W)` and `(N, C)` or `(C,)`, then SiLU if it follows; the result is channels last."""
    if shift is not None and shift.ndim == 1:
        shift = shift.expand(len(x), -1)
    if x.is_cuda:
        from . import triton_kernels

        return triton_kernels.group_norm(x.contiguous(memory_format=LAST), weight, bias, groups, eps, shift, silu=silu)
    normed = F.group_norm(x if shift is None else x + shift[:, :, None, None], groups, weight, bias, eps)
    return F.silu(normed) if silu else normed


def geglu(x: Tensor) -> Tensor:
    """`(..., 2 n)` -> `(..., n)`: the first half times GELU of the second."""
    if x.is_cuda:
        from . import triton_kernels

        return triton_kernels.geglu(x.contiguous())
    value, gate = x.chunk(2, dim=-1)
    return value * F.gelu(gate)


def add_norm(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """`x + y` of one shape, and its layer norm over the last axis."""
    if x.is_cuda:
        from . import triton_kernels

        return triton_kernels.add_norm(x.contiguous(), y.contiguous(), weight, bias, eps)
    total = x + y
    return total, F.layer_norm(total, weight.shape, weight, bias, eps)


def add(x: Tensor, y: Tensor, shift: Tensor) -> Tensor:
    """`x + y` of one shape, `(N, C, H, W)`, and `shift` `(C,)`; the result lies channels last."""
    if x.is_cuda:
        from . import triton_kernels

        return triton_kernels.add(x.contiguous(memory_format=LAST), y.contiguous(memory_format=LAST), shift.contiguous())
    return x + y + shift[:, None, None]
