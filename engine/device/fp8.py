"""The large weights of a network stored in 8 bit and computed in 16, undone without loss.

Knows modules; knows no plan. diffusers' layerwise casting does the same but cannot be taken back, as LayerDiffuse's patches
require: their small offsets would drown in 8 bit, so they are merged into the 16-bit weights, which stay in host memory
(layerdiffuse.md 7.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

STORAGE = torch.float8_e4m3fn

KEPT = re.compile(r"(^|\.)(conv_in|conv_out|time_embedding|add_embedding)(\.|$)|norm")
"""Names of layers that keep 16 bit: first and last, normalisation, and the embeddings that everything passes through."""


class Fp8Storage:
    """Keeps `network` in 8 bit from construction until `remove()`."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._originals: dict[Tensor, Tensor] = {tensor: tensor.data for tensor in [*network.parameters(), *network.buffers()]}
        self._hooks: list[Any] = []
        for name, module in network.named_modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)) and not KEPT.search(name):
                wide = module.weight.dtype
                module.weight.data = module.weight.data.to(STORAGE)
                self._hooks.append(module.register_forward_pre_hook(_Widen(wide)))
                self._hooks.append(module.register_forward_hook(_narrow, always_call=True))

    def move(self, upload: Callable[[Tensor], Tensor]) -> None:
        """Replace every weight and buffer, of any shape, by `upload`'s copy of it; the originals stay where they are."""
        for tensor in self._originals:
            tensor.data = upload(tensor.data)

    def remove(self) -> None:
        """Give every parameter and buffer its original back."""
        for hook in self._hooks:
            hook.remove()
        for tensor, original in self._originals.items():
            tensor.data = original


class _Widen:
    """Before a layer runs: its weight in the type of the computation."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype

    def __call__(self, module: Any, arguments: Any) -> None:
        module.stored = module.weight.data
        module.weight.data = module.stored.to(self._dtype)


def _narrow(module: Any, arguments: Any, output: Any) -> None:
    stored = module.__dict__.pop("stored", None)
    if stored is not None:
        module.weight.data = stored
