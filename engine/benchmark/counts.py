"""Count what a network call must compute and move, without computing it: per operation FLOP and bytes, on the meta device.

Knows operators and shapes; knows no clock and no card. A multiply-add is two FLOP; bytes are what every operation reads and
writes when nothing is fused (performance.md 7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry


@dataclass(frozen=True)
class Operation:
    """One kernel."""

    flop: int
    bytes: int
    heavy: bool
    """A matrix product, convolution or attention: what is left when everything else is fused into its neighbours."""


def count(network: nn.Module, call: Callable[..., Any], *tensors: Tensor) -> list[Operation]:
    """The operations of `call(*tensors)`, of any shapes, which uses `network`'s weights; none of them is touched."""
    whole = _Call(network, lambda *inputs: call(*inputs))  # a function, so that a network that is called is not registered twice
    weights = {name: _meta(tensor) for name, tensor in [*whole.named_parameters(), *whole.named_buffers()]}
    inputs = tuple(_meta(tensor) for tensor in tensors)
    recorder = _Recorder()
    with torch.no_grad(), recorder, _AttentionAsOne(recorder):
        torch.func.functional_call(whole, weights, inputs)
    return recorder.operations


class _Call(nn.Module):
    """A call of any method as a module of its own, so that the weights can be swapped for its duration."""

    def __init__(self, network: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.network, self._call = network, call

    def forward(self, *tensors: Tensor) -> Any:
        return self._call(*tensors)


class _Recorder(TorchDispatchMode):
    """Notes every operation that is more than a view."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations: list[Operation] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func.is_view or func._schema.name in FREE:
            return result
        formula = flop_registry.get(func._overloadpacket)
        flop = formula(*args, **(kwargs or {}), out_val=result) if formula else 0
        self.operations.append(Operation(int(flop), _bytes((args, kwargs, result)), formula is not None))
        return result


class _AttentionAsOne(TorchFunctionMode):
    """Counts attention as the one kernel that it is on every device: scores and weights never reach memory."""

    def __init__(self, recorder: _Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, value = args[:3] if len(args) >= 3 else (kwargs[name] for name in ("query", "key", "value"))
        batch, heads, length, width = query.shape
        result = query.new_empty(batch, heads, length, value.shape[-1])
        flop = 2 * batch * heads * length * key.shape[2] * (width + value.shape[-1])
        self._recorder.operations.append(Operation(flop, _bytes((query, key, value, result)), heavy=True))
        return result


FREE = ("aten::empty", "aten::detach", "aten::empty_strided", "aten::new_empty", "aten::_unsafe_view", "aten::lift_fresh")
"""Operations without a kernel."""


def _meta(tensor: Tensor) -> Tensor:
    return tensor.detach().to("meta")


def _bytes(values: Any) -> int:
    return sum(leaf.numel() * leaf.element_size() for leaf in tree_leaves(values) if isinstance(leaf, Tensor))
