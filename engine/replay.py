"""A network's call recorded as its kernels, and played again without the Python around them.

A narrow network spends a tenth of its time between its kernels, in module calls and look-ups (docs/performance.md); a fast device
waits for them at any width. The first call of a shape runs as always and is written down below autograd, operator by
operator; later calls run the same operators on the same weights, so results are equal bit for bit. Weights are referred to, not
kept: patches, LoRAs and moves that change them in place are seen.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.weak import WeakTensorKeyDictionary

Call = Callable[[], Tensor]

SHAPES = 16
"""Recordings that are kept; the oldest goes first."""

HOST_READS = frozenset({"aten::_local_scalar_dense", "aten::equal", "aten::nonzero"})
"""Operators whose results decide what Python does next, so that another input might take another way."""
LAYOUTS = frozenset({"aten::as_strided", "aten::as_strided_", "aten::set_"})
"""Operators that are true for the present strides only."""


class Replay:
    """Of one network, whose structure stays as it is; not for several threads."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._recorded: dict[Hashable, Callable[..., Tensor] | None] = {}

    def run(self, inputs: Sequence[Tensor], call: Call) -> Tensor:
        """`call()`, which runs the network on `inputs` and returns one tensor; from the second call of a shape on, replayed.

        A call that depends on values, or on tensors that are neither inputs nor the network's own, always runs as it is.
        """
        if self._network._forward_pre_hooks or self._network._forward_hooks:  # whoever listens wants to hear every call
            return call()
        shape = tuple((tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device) for tensor in inputs)
        if shape not in self._recorded:
            return self._record(shape, inputs, call)
        replay = self._recorded[shape]
        if replay is None:
            return call()
        try:
            return replay(*inputs)
        except RuntimeError:  # weights lie otherwise than they did; or memory is short, which the call itself will say
            del self._recorded[shape]
            return call()

    def _record(self, shape: Hashable, inputs: Sequence[Tensor], call: Call) -> Tensor:
        recorder = _Recorder(self._network, inputs)
        with recorder:
            result = call()
        self._recorded[shape] = recorder.finish(result)
        if len(self._recorded) > SHAPES:
            del self._recorded[next(iter(self._recorded))]
        return result


class _Recorder(TorchDispatchMode):
    """Writes down every operator as a node of a graph; tensors are known while they live, and not kept alive."""

    def __init__(self, network: nn.Module, inputs: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._graph = fx.Graph()
        self._weights: dict[str, Tensor] = {}
        self._nodes = WeakTensorKeyDictionary()
        self._repeatable = True
        for number, tensor in enumerate(inputs):
            self._nodes[tensor] = self._graph.placeholder(f"input_{number}")
        self._own = WeakTensorKeyDictionary()
        for number, tensor in enumerate([*network.parameters(), *network.buffers()]):
            self._own[tensor] = f"weight_{number}"

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.name in HOST_READS | LAYOUTS:
            self._repeatable = False
        if not self._repeatable:
            return func(*args, **kwargs)
        given = tree_map_only(Tensor, self._node_of, (args, kwargs))
        node = self._graph.call_function(func, *given)
        result = func(*args, **kwargs)
        self._name(result, node)
        return result

    def finish(self, result: Tensor) -> Callable[..., Tensor] | None:
        """The recording as a function of the inputs; `None` where it would not be true for others."""
        if not self._repeatable or result not in self._nodes:
            return None
        self._graph.output(self._nodes[result])
        module = fx.GraphModule(self._weights, self._graph)
        return torch.no_grad()(module.forward)

    def _node_of(self, tensor: Tensor) -> fx.Node | None:
        if tensor not in self._nodes:
            if tensor not in self._own:
                self._repeatable = False
                return None
            name = self._own[tensor]
            self._weights[name] = tensor
            self._nodes[tensor] = self._graph.get_attr(name)
        node: fx.Node = self._nodes[tensor]
        return node

    def _name(self, result: Any, node: fx.Node) -> None:
        if isinstance(result, Tensor):
            self._nodes[result] = node
        elif isinstance(result, (tuple, list)):
            for number, part in enumerate(result):
                if isinstance(part, Tensor):
                    self._nodes[part] = self._graph.call_function(operator.getitem, (node, number))
