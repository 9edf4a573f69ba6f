"""Convolutions whose weights lie as oneDNN wants them, on a CPU.

torch hands oneDNN a convolution's weights as they are, and it lays them out anew at every call: a ninth of a step of the built-in
model (docs/performance.md). In a recorded graph that is an operator of its own, which needs nothing but weights, so it belongs to
the prologue.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

from .fusion.graphs import ops

MOST = 2**26
"""Bytes of one network's weights that are packed: of wider ones each convolution takes so long that less is gained, and every
shape that is replayed has a copy."""


def pack(module: fx.GraphModule) -> fx.GraphModule:
    """`module` with its convolutions of 3 x 3 and more packed, which torch gives to oneDNN; itself where that cannot be."""
    if not torch.backends.mkldnn.is_available():
        return module
    graph = fx.Graph()
    graph.output(graph.graph_copy(module.graph, {}))
    convolutions = [node for node in graph.nodes if node.target is ops.convolution.default and _is_packable(module, node)]
    weights = {node.args[1].target: _weight(module, node) for node in convolutions}
    if not convolutions or sum(weight.nbytes for weight in weights.values()) > MOST:
        return module
    for node in convolutions:
        picture, weight, bias, stride, padding, dilation, _, _, groups = node.args
        where = (padding, stride, dilation, groups)
        with graph.inserting_before(node):
            packed = graph.call_function(torch.ops.mkldnn._reorder_convolution_weight.default, (weight, *where, None))
            given: tuple[Any, ...] = (picture, packed, bias, *where, "none", [], "")
            result = graph.call_function(torch.ops.mkldnn._convolution_pointwise.default, given)
        node.replace_all_uses_with(result)
        graph.erase_node(node)
    return fx.GraphModule(module, graph)


def _is_packable(module: fx.GraphModule, node: fx.Node) -> bool:
    """Packed ones give channels last, as torch does where the weights lie so."""
    weight, transposed = _weight(module, node), node.args[6]
    if weight is None or weight.device.type != "cpu" or weight.dtype != torch.float32 or transposed:
        return False
    return bool(min(weight.shape[2:]) >= 3 and weight.is_contiguous(memory_format=torch.channels_last))


def _weight(module: fx.GraphModule, node: fx.Node) -> Any:
    """The network's own tensor; `None` where the weights are computed."""
    source = node.args[1]
    return getattr(module, str(source.target)) if isinstance(source, fx.Node) and source.op == "get_attr" else None
