"""Kernels in Triton for what torch does in several, or badly, on a CUDA device: what `fused_operators` hands in.

They know pointers and strides; imported only where Triton is. Pictures lie channels last, `(samples, rows, channels)` in memory.
Sums are made in float32. docs/performance.md says what each one saves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor


def launch(kernel: Any, *grid: int) -> Callable[..., None]:
    """`kernel` over `grid`, to be called with its arguments; with tensors on `meta` it is only compiled, as for real ones."""

    def call(*arguments: Any, **constants: Any) -> None:
        if any(isinstance(argument, Tensor) and argument.is_meta for argument in arguments):
            types = (argument.dtype if isinstance(argument, Tensor) else argument for argument in arguments)
            kernel.warmup(*types, grid=grid, **constants)
        else:
            kernel[grid](*arguments, **constants)

    return call
