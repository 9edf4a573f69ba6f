"""Convolutions whose weights lie as oneDNN wants them, on a CPU.

torch hands oneDNN a convolution's weights as they are, and it lays them out again at every call: a ninth of a step of the
built-in model (docs/performance.md). In a recorded graph that is an operator of its own, which needs nothing but weights, so it
is computed once (`hoisting`). Which layout is wanted depends on the size and number of the pictures, too: weights packed for
others are laid out anew at every call by a loop that is slower than the convolution (AVX2: a step took 3.7 times as long).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, fx

from .fusion.graphs import copy_of, drop_unused, node_of, ops, replace, shape_of

MOST = 2**26
"""Most bytes of one network's weights that are packed: wider ones gain less, and each replayed shape keeps a copy."""


def pack(graph: fx.Graph, weights: Mapping[str, Tensor]) -> fx.Graph | None:
    """A copy of `graph` in which oneDNN's convolutions, 3 x 3 or larger, are packed; `None` where that cannot be.

    `weights` maps the graph's names to tensors of any shape.
    """
    found = [node for node in graph.nodes if node.target is ops.convolution.default and _is_packable(node, weights)]
    tensors = {_name_of(node): weights[_name_of(node)] for node in found}
    if not torch.backends.mkldnn.is_available() or not 0 < sum(tensor.nbytes for tensor in tensors.values()) <= MOST:
        return None
    packed = copy_of(graph)
    for node in packed.nodes:
        if node.target is ops.convolution.default and _name_of(node) in tensors:
            picture, weight, bias, stride, padding, dilation, _, _, groups = node.args
            where, size = (padding, stride, dilation, groups), list(shape_of(picture))
            with packed.inserting_before(node):
                ready = packed.call_function(torch.ops.mkldnn._reorder_convolution_weight.default, (weight, *where, size))
            replace(packed, node, torch.ops.mkldnn._convolution_pointwise.default, picture, ready, bias, *where, "none", [], "")
    drop_unused(packed)
    return packed


def _is_packable(node: fx.Node, weights: Mapping[str, Tensor]) -> bool:
    """Packed ones give channels last, as torch does where the weights lie so."""
    weight, transposed = weights.get(_name_of(node)), node.args[6]
    if weight is None or weight.device.type != "cpu" or weight.dtype != torch.float32 or transposed:
        return False
    return min(weight.shape[2:]) >= 3 and weight.is_contiguous(memory_format=torch.channels_last)


def _name_of(convolution: fx.Node) -> str:
    """The name of the convolution's weight; empty where it is computed."""
    weight = node_of(convolution.args[1])
    return str(weight.target) if weight.op == "get_attr" else ""
