"""Operations that stand for several of torch's: by Triton on a CUDA device, else by those several themselves.

Knows what they compute and which layouts the kernels take; `fusion` knows where they may stand.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..device.dtypes import Dtypes

LAST = torch.channels_last


def available(device: torch.device) -> bool:
    """Whether there are kernels for `device`. torch brings Triton on Linux; ROCm's is untried."""
    return device.type == "cuda" and torch.version.hip is None and importlib.util.find_spec("triton") is not None


def compile_ahead(device: torch.device, kinds: Dtypes) -> None:
    """Begin to compile the kernels in the background, where there are any: the first picture would wait for it."""
    if available(device):
        from .triton_kernels import warming

        warming.in_background(device, (kinds.unet, kinds.vae, kinds.decoder))


def has_kernels(x: Tensor) -> bool:
    """Whether Triton computes operations on `x`, a tensor of any shape."""
    return x.is_cuda


def group_norm(
    parts: Sequence[Tensor], weight: Tensor, bias: Tensor, groups: int, eps: float, shift: Tensor | None, silu: bool
) -> Tensor:
    """Group norm of `parts`, each `(N, C, H, W)`, side by side in their channels, then SiLU if it follows; channels last.

    `shift`, `(N, C)` or `(C,)`, is added before, where there is one part.
    """
    if shift is not None and shift.ndim == 1:
        shift = shift.expand(len(parts[0]), -1)
    if has_kernels(parts[0]):
        from .triton_kernels import group_norm

        return group_norm.group_norm([_last(part) for part in parts], weight, bias, groups, eps, shift, silu=silu)
    x = torch.cat(list(parts), dim=1)
    normed = F.group_norm(x if shift is None else x + shift[:, :, None, None], groups, weight, bias, eps)
    return F.silu(normed) if silu else normed


def geglu(x: Tensor) -> Tensor:
    """`(..., 2 n)` -> `(..., n)`: the first half times GELU of the second."""
    if has_kernels(x):
        from .triton_kernels import transformers

        return transformers.geglu(x.contiguous())
    value, gate = x.chunk(2, dim=-1)
    return value * F.gelu(gate)


def add_norm(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """`x + y` of one shape, and its layer norm over the last axis."""
    if has_kernels(x):
        from .triton_kernels import transformers

        return transformers.add_norm(x.contiguous(), y.contiguous(), weight, bias, eps)
    total = x + y
    return total, F.layer_norm(total, weight.shape, weight, bias, eps)


def add(x: Tensor, y: Tensor, shift: Tensor) -> Tensor:
    """`x + y` of one shape, `(N, C, H, W)`, and `shift` `(C,)`; the result lies channels last."""
    if has_kernels(x):
        from .triton_kernels import convolutions

        return convolutions.add(_last(x), _last(y), shift.contiguous())
    return x + y + shift[:, None, None]


def shift(x: Tensor, by: Tensor) -> Tensor:
    """`x`, `(N, C, H, W)`, plus `by`, `(C,)`; nothing else may need `x`, which can be overwritten."""
    if has_kernels(x):
        from .triton_kernels import convolutions

        return convolutions.shift(_last(x), by.contiguous())
    return x + by[:, None, None]


def mixed(parts: Sequence[Tensor], weight: Tensor, residual: Tensor, shift: Tensor) -> Tensor:
    """`residual`, `(N, C', H, W)`, plus a 1 x 1 convolution of two `parts` side by side in their channels, plus `(C',)`."""
    if has_kernels(residual):
        from .triton_kernels import convolutions

        return convolutions.mixed([_last(part) for part in parts], weight.flatten(1), _last(residual), shift.contiguous())
    return F.conv2d(torch.cat(list(parts), dim=1), weight) + residual + shift[:, None, None]


def double(x: Tensor) -> Tensor:
    """`(N, C, H, W)` -> `(N, C, 2 H, 2 W)`, each pixel four times."""
    if has_kernels(x):
        from .triton_kernels import convolutions

        return convolutions.double(_last(x))
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def attention(q: Tensor, k: Tensor, v: Tensor, scale: float | None) -> Tensor:
    """Scaled dot product attention with D below 16, `(B, heads, tokens, D)`; `scale` is 1 / sqrt(D) unless given."""
    side_by_side = all(part.stride(1) == part.shape[3] and part.stride(3) == 1 for part in (q, k, v))
    if has_kernels(q) and q.dtype != torch.float32 and side_by_side:
        from .triton_kernels import transformers

        return transformers.attention(q, k, v, q.shape[3] ** -0.5 if scale is None else scale)
    return F.scaled_dot_product_attention(q, k, v, scale=scale)


def _last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=LAST)
