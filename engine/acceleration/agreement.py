"""Whether a faster way gave what the plain call gives: the same bits, or where kernels are joined the same but for rounding."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..device.accelerator import Function
from . import fused_operators

ROUNDING = 0.01
"""What joined kernels may differ by, of the result's own size, both by root mean square."""
SWAY = 1.5
"""Or of how the network itself responds to rounding: random weights amplify one last bit to most of SDXL's result."""


def disagreement(found: Tensor, result: Tensor, inputs: Sequence[Tensor], function: Function) -> str:
    """How `found` differs from `result`, `function(*inputs)` of any shape, by more than it may; empty where it agrees."""
    if found.shape != result.shape:
        return f"its shape is {tuple(found.shape)}, not {tuple(result.shape)}"
    if not fused_operators.available(result.device):
        return "" if torch.equal(found, result) else f"it differs by up to {float((found - result).abs().max()):.2g}"
    differs, allowed = _size(found - result), ROUNDING * _size(result)
    if not differs <= allowed:
        first, *others = inputs
        swayed = function(first * (1 + torch.finfo(first.dtype).eps), *others)
        allowed = max(allowed, SWAY * _size(swayed - result))
    return "" if differs <= allowed else f"it differs by {differs:.2g}, not by at most {allowed:.2g}"


def _size(tensor: Tensor) -> float:
    return float(tensor.float().square().mean().sqrt())
