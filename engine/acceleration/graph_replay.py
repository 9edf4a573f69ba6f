"""A network's call recorded as its kernels, and played again without the Python around them.

A narrow network spends a tenth of its time between its kernels, in module calls and look-ups; a fast device waits for them at
any width: an H200 for 4 tenths of a step of SDXL (docs/performance.md). The first call of a shape runs as always and is written
down below autograd, operator by operator; later calls run the same operators on the same weights. On a CPU results are equal bit
for bit, and weights may be laid out beforehand (`onednn_prepack`); on a CUDA device neighbours are computed together
(`fusion`), which changes rounding, and a recording is captured as one graph. Weights are referred to, not kept: patches, LoRAs
and moves that change them are seen, by what was computed from them beforehand (`hoisting`) once `forget` tells of it.
"""

from __future__ import annotations

import logging
import operator
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from ..device.accelerator import Function
from . import fused_operators, hoisting
from .agreement import disagreement
from .cuda_graphs import GraphLaunch
from .fusion import SHAPE, fuse
from .hoisting import HoistedInputs
from .onednn_prepack import pack

log = logging.getLogger(__name__)

SHAPES = 16
"""Recordings that are kept; the oldest goes first."""

HOST_READS = frozenset({"aten::_local_scalar_dense", "aten::equal", "aten::nonzero"})
"""Operators whose results decide what Python does next, so that another input might take another way."""
LAYOUTS = frozenset({"aten::as_strided", "aten::as_strided_", "aten::set_"})
"""Operators that are true for the present strides only."""


class TracedNetwork:
    """Recordings of one network's calls. Not thread-safe.

    With `single`, a call takes so much memory that its graph, which holds that memory, is made only where memory is plentiful and
    the same shape comes again at once; a call of another shape frees it.
    """

    def __init__(self, network: nn.Module, *, single: bool = False) -> None:
        self._network, self._single = network, single
        self._recorded: dict[Hashable, Recording | None] = {}
        self._latest: Hashable = None

    def run(self, inputs: Sequence[Tensor], function: Function, *, constant: int = 0, plentiful: bool = False) -> Tensor:
        """`function(*inputs)`, which runs the network and returns one tensor; from the second call of a shape on, replayed.

        A call that depends on values, or on tensors that are neither inputs nor the network's own, always runs as it is.
        The last `constant` inputs are often the tensors of the call before: what follows from them alone is kept until they
        change, or until `forget`. `plentiful`: memory is plentiful.
        """
        if self._network._forward_pre_hooks or self._network._forward_hooks:  # hooks must see every call
            return function(*inputs)
        shape = tuple((tuple(tensor.shape), tensor.stride(), tensor.dtype, tensor.device) for tensor in inputs)
        recording = self._recorded.get(shape)
        if shape not in self._recorded or (recording is not None and not recording.holds()):
            return self._record(shape, inputs, function, constant, plentiful)
        if recording is None:
            return function(*inputs)
        again, self._latest = self._latest == shape, shape
        if self._single and not again:
            self._release_all_but(recording)
        try:
            return recording.play(inputs, capture=not self._single or (plentiful and again))
        except RuntimeError:  # weights have moved; or memory is short, which the call itself will report
            del self._recorded[shape]
            return function(*inputs)

    def release(self) -> None:
        """Give up the memory that graphs and kept results hold; recordings stay."""
        self._release_all_but(None)

    def forget(self) -> None:
        """Call this when weights have new values: everything that was computed from them is out of date."""
        for recording in filter(None, self._recorded.values()):
            recording.forget()

    @property
    def kept_bytes(self) -> int:
        """Bytes of kept results; graphs hold more, which only the allocator knows."""
        return sum(recording.kept_bytes for recording in self._recorded.values() if recording is not None)

    def _release_all_but(self, used: Recording | None) -> None:
        for recording in self._recorded.values():
            if recording is not None and recording is not used:
                recording.release()

    def _record(self, shape: Hashable, inputs: Sequence[Tensor], function: Function, constant: int, plentiful: bool) -> Tensor:
        self._recorded.pop(shape, None)  # with the memory that it holds
        recorder = Tracer(self._network, inputs)
        with recorder:
            result = function(*inputs)
        recording = recorder.finish(result)
        if recording is not None:
            recording.choose(inputs, result, function, constant, plentiful)
        self._recorded[shape] = recording
        if len(self._recorded) > SHAPES:
            del self._recorded[next(iter(self._recorded))]
        return result


@dataclass(frozen=True)
class Weight:
    """A tensor of the network, and where the network has it."""

    owner: Mapping[str, Any]
    name: str
    tensor: Tensor


class Recording:
    """Operators of one call, and the weights that they use."""

    def __init__(self, graph: fx.Graph, weights: Mapping[str, Weight]) -> None:
        self.graph = graph
        """What was written down; what is played, once that was chosen."""
        self._weights = weights
        self.module: fx.GraphModule
        """What runs at every call."""
        self._launch = GraphLaunch()
        self._constant, self._hoisted = 0, HoistedInputs()

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The weights, of any shape, by the names that the graph has for them."""
        return {name: weight.tensor for name, weight in self._weights.items()}

    def choose(self, inputs: Sequence[Tensor], result: Tensor, function: Function, constant: int, plentiful: bool) -> None:
        """Prepare to play it in the fastest form that reproduces `result`, a tensor of any shape: that of `function(*inputs)`."""
        joined = fused_operators.available(result.device)
        better = fuse(self.graph, plentiful=plentiful) if joined else pack(self.graph, self.tensors)
        problem = "" if better is None else self._try(better, constant, inputs, result, function)
        if problem and joined:
            log.warning("a network's kernels are not joined: %s", problem)
        elif problem:  # not a fault: torch convolves few and small pictures in another order than oneDNN
            log.info("a network's weights are not packed: %s", problem)
        if better is None or problem:
            self._use(self.graph, constant)
        self.graph = self.module.graph

    def holds(self) -> bool:
        """Whether the network still has these very tensors: a widened layer has others of the same shapes."""
        return all(weight.owner.get(weight.name) is weight.tensor for weight in self._weights.values())

    def play(self, inputs: Sequence[Tensor], *, capture: bool) -> Tensor:
        """The call's result for other inputs of the same shapes."""
        inputs = [*inputs, *self._hoisted(inputs[len(inputs) - self._constant :])]
        if not capture:
            return self._run(*inputs)
        return self._launch.run(self._run, inputs, (weight.tensor for weight in self._weights.values()))

    def release(self) -> None:
        """Give up the graph, if there is one, and what was kept; the next call makes others."""
        self._launch = GraphLaunch()
        self.forget()

    def forget(self) -> None:
        """Compute what follows from the constant inputs again at the next call."""
        self._hoisted.forget()

    @property
    def kept_bytes(self) -> int:
        return self._hoisted.kept_bytes

    def _try(self, graph: fx.Graph, constant: int, inputs: Sequence[Tensor], result: Tensor, function: Function) -> str:
        """Play `graph` from now on; returns what is wrong with it, which is nothing where it gives `result`."""
        try:
            self._use(graph, constant)
            return disagreement(self.play(inputs, capture=False), result, inputs, function)
        except Exception as error:  # Triton's compiler can raise anything; without it calls are only slower
            return (str(error) or type(error).__name__).splitlines()[0]

    def _use(self, graph: fx.Graph, constant: int) -> None:
        """Play `graph`; what follows from the last `constant` inputs alone is computed once."""
        self._constant, self._hoisted = 0, HoistedInputs()
        if (parts := hoisting.part(graph, constant)) is not None:
            first, graph = parts
            self._constant, self._hoisted = constant, HoistedInputs(fx.GraphModule(self.tensors, first).forward)
        self.module = fx.GraphModule(self.tensors, graph)

    @torch.no_grad()
    def _run(self, *inputs: Tensor) -> Tensor:
        result: Tensor = self.module.forward(*inputs)
        return result


class Tracer(TorchDispatchMode):
    """Writes down every operator as a node of a graph; tensors are known while they live, and not kept alive."""

    def __init__(self, network: nn.Module, inputs: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._graph = fx.Graph()
        self._used: dict[str, Weight] = {}
        self._nodes = WeakTensorKeyDictionary()
        self._repeatable = True
        for number, tensor in enumerate(inputs):
            self._nodes[tensor] = self._graph.placeholder(f"input_{number}")
            self._nodes[tensor].meta[SHAPE] = tuple(tensor.shape)
        self._own = WeakTensorKeyDictionary()
        for module in network.modules():
            for owner in (module._parameters, module._buffers):
                for name, own in owner.items():
                    if own is not None:
                        self._own[own] = (f"weight_{len(self._own)}", Weight(owner, name, own))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func._schema.name in HOST_READS | LAYOUTS:
            self._repeatable = False
        if not self._repeatable:
            return func(*args, **kwargs)
        given = fx.node.map_aggregate((args, kwargs), self._node_of)
        node = self._graph.call_function(func, *given)
        result = func(*args, **kwargs)
        self._name(result, node)
        return result

    def finish(self, result: Tensor) -> Recording | None:
        """The recording as a function of inputs of these shapes; `None` where it would be wrong for other values."""
        if not self._repeatable or result not in self._nodes:
            return None
        self._graph.output(self._nodes[result])
        return Recording(self._graph, self._used)

    def _node_of(self, tensor: Any) -> Any:
        """For a tensor its node; other arguments as they are."""
        if not isinstance(tensor, Tensor):
            return tensor
        if tensor not in self._nodes:
            if tensor not in self._own:
                self._repeatable = False
                return None
            name, weight = self._own[tensor]
            self._used[name] = weight
            self._note(tensor, self._graph.get_attr(name))
        return self._nodes[tensor]

    def _name(self, result: Any, node: fx.Node) -> None:
        if isinstance(result, Tensor):
            self._note(result, node)
        elif isinstance(result, (tuple, list)):
            for number, part in enumerate(result):
                if isinstance(part, Tensor):
                    self._note(part, self._graph.call_function(operator.getitem, (node, number)))

    def _note(self, tensor: Tensor, node: fx.Node) -> None:
        self._nodes[tensor] = node
        node.meta[SHAPE] = tuple(tensor.shape)
