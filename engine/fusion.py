"""A recorded network rewritten with fewer kernels: what follows group norms, gates and additions is computed along with them.

Knows graphs of torch's operators as `replay` writes them down, and which neighbours `fused` can join; knows no network. Nothing
is taken on trust: `replay` plays the new graph beside the old one before it is used.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import fx

from . import fused

ops = torch.ops.aten

SHAPE = "shape"
"""Key of a node's `meta`: the shape of the tensor that it stands for."""


def fuse(module: fx.GraphModule) -> fx.GraphModule | None:
    """A copy with neighbours joined; `None` where a graph changes tensors in place, so that order matters."""
    graph = fx.Graph()
    graph.output(graph.graph_copy(module.graph, {}))
    if any(_changes(node) for node in graph.nodes):
        return None
    for rewrite in (_drop_division_by_one, _join_gate, _join_group_norm, _keep_layout, _join_bias, _join_layer_norm):
        for node in list(graph.nodes):
            rewrite(graph, node)
        graph.eliminate_dead_code()
    return fx.GraphModule(module, graph)


def _drop_division_by_one(graph: fx.Graph, node: fx.Node) -> None:
    """diffusers divides by scales that are 1 in every model here."""
    if node.target is ops.div.Tensor and node.args[1] == 1.0:
        node.replace_all_uses_with(_node(node.args[0]))


def _join_gate(graph: fx.Graph, node: fx.Node) -> None:
    """`value * gelu(gate)`, both halves of one tensor."""
    if node.target is not ops.mul.Tensor or not all(isinstance(arg, fx.Node) for arg in node.args):
        return
    value, gate = (_node(arg) for arg in node.args)
    if gate.target is not ops.gelu.default or gate.kwargs or len(gate.users) > 1:
        return
    halves = [_part(value), _part(_node(gate.args[0]))]
    if halves[0] is None or halves[1] is None or [index for _, index in filter(None, halves)] != [0, 1]:
        return
    split = halves[0][0]
    whole = _node(split.args[0])
    if (
        split is not halves[1][0]
        or split.target is not ops.split.Tensor
        or split.args[2:] not in ((-1,), (len(_shape(whole)) - 1,))
    ):
        return
    if 2 * _shape(value)[-1] == _shape(whole)[-1]:
        _replace(graph, node, fused.geglu, whole)


def _join_group_norm(graph: fx.Graph, node: fx.Node) -> None:
    """The norm of a picture with its SiLU, what is added to all pixels before it, and the bias of the convolution before that."""
    if node.target is not ops.native_group_norm.default or any(user.args[1] != 0 for user in node.users):
        return
    source, weight, bias, _, _, _, groups, eps = node.args
    source = _without_copy(_node(source))
    result = next(iter(node.users))
    if len(_shape(source)) != 4 or weight is None or bias is None:
        return
    shift: fx.Node | None = None
    if _alone(source) and source.target is ops.add.Tensor and not source.kwargs:
        left, right = source.args
        if isinstance(right, fx.Node) and (vector := _per_channel(right)) is not None:
            source, shift = _node(left), vector
    if (added := _bias_of(source)) is not None:
        with graph.inserting_before(node):
            source = _without_bias(graph, source)
            shift = added if shift is None else graph.call_function(ops.add.Tensor, (shift, added))
    after = next(iter(result.users)) if len(result.users) == 1 else None
    silu = after is not None and after.target is ops.silu.default
    _replace(
        graph, after if silu and after is not None else result, fused.group_norm, source, weight, bias, groups, eps, shift, silu
    )


def _keep_layout(graph: fx.Graph, node: fx.Node) -> None:
    """Copies that only served another order in memory: tokens of a picture lie as they should when it lies channels last."""
    if node.target is not ops.clone.default or node.kwargs != {"memory_format": torch.contiguous_format}:
        return
    source = _node(node.args[0])
    if source.target is not ops.permute.default:
        return
    if source.args[1] == [0, 3, 1, 2]:  # tokens to a picture
        node.replace_all_uses_with(source)
    elif source.args[1] == [0, 2, 3, 1]:  # a picture to tokens
        _replace(graph, node, torch.Tensor.contiguous, source)


def _join_bias(graph: fx.Graph, node: fx.Node) -> None:
    """A residual sum with the biases of the convolutions that it adds up."""
    if node.target is not ops.add.Tensor or node.kwargs or not all(isinstance(arg, fx.Node) for arg in node.args):
        return
    parts = [_node(arg) for arg in node.args]
    biases = [_bias_of(part) for part in parts]
    shift = biases[0] if biases[0] is not None else biases[1]
    if len(_shape(node)) != 4 or any(_shape(part) != _shape(node) for part in parts) or shift is None:
        return
    with graph.inserting_before(node):
        if biases[0] is not None and biases[1] is not None:
            shift = graph.call_function(ops.add.Tensor, (biases[0], biases[1]))
        parts = [part if bias is None else _without_bias(graph, part) for part, bias in zip(parts, biases, strict=True)]
    _replace(graph, node, fused.add, *parts, shift)


def _join_layer_norm(graph: fx.Graph, node: fx.Node) -> None:
    """The norm of a sum, whose sum is wanted, too."""
    if node.target is not ops.native_layer_norm.default or any(user.args[1] != 0 for user in node.users):
        return
    total, over, weight, bias, eps = node.args
    total = _node(total)
    if total.target is not ops.add.Tensor or total.kwargs or weight is None or bias is None or len(over) != 1:  # type: ignore[arg-type]
        return
    if any(not isinstance(arg, fx.Node) or _shape(arg) != _shape(total) for arg in total.args):
        return
    places = {one: place for place, one in enumerate(graph.nodes)}
    if any(places[user] < places[node] for user in total.users):
        return
    with graph.inserting_before(node):
        both = graph.call_function(fused.add_norm, (*total.args, weight, bias, eps))
        summed, normed = (graph.call_function(operator.getitem, (both, index)) for index in range(2))
    for part in (summed, normed):
        part.meta[SHAPE] = _shape(total)
    total.replace_all_uses_with(summed)
    next(iter(node.users)).replace_all_uses_with(normed)


def _bias_of(node: fx.Node) -> fx.Node | None:
    """Of a convolution whose result is used once."""
    if node.target is ops.convolution.default and _alone(node) and isinstance(node.args[2], fx.Node):
        return node.args[2]
    return None


def _without_bias(graph: fx.Graph, convolution: fx.Node) -> fx.Node:
    bare = graph.call_function(ops.convolution.default, (*convolution.args[:2], None, *convolution.args[3:]))
    bare.meta[SHAPE] = _shape(convolution)
    return bare


def _per_channel(node: fx.Node) -> fx.Node | None:
    """`(N, C)` where `node` is that as `(N, C, 1, 1)`."""
    if node.target is not ops.unsqueeze.default or node.args[1] != 3:
        return None
    inner = _node(node.args[0])
    if inner.target is not ops.unsqueeze.default or inner.args[1] != 2 or len(_shape(_node(inner.args[0]))) != 2:
        return None
    return _node(inner.args[0])


def _without_copy(node: fx.Node) -> fx.Node:
    """What a copy in torch's own order was made from."""
    plain = node.target is ops.clone.default and node.kwargs == {"memory_format": torch.contiguous_format}
    return _node(node.args[0]) if plain and _alone(node) else node


def _part(node: fx.Node) -> tuple[fx.Node, int] | None:
    """The tuple and the index that `node` takes from it."""
    if node.target is not operator.getitem:
        return None
    whole, index = node.args
    return (_node(whole), index) if isinstance(index, int) else None


def _replace(graph: fx.Graph, node: fx.Node, function: Callable[..., Any], *arguments: Any) -> None:
    with graph.inserting_before(node):
        joined = graph.call_function(function, arguments)
    joined.meta[SHAPE] = _shape(node)
    node.replace_all_uses_with(joined)


def _changes(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)


def _alone(node: fx.Node) -> bool:
    return len(node.users) == 1


def _shape(node: Any) -> tuple[int, ...]:
    return node.meta.get(SHAPE, ())  # type: ignore[no-any-return]


def _node(value: Any) -> fx.Node:
    assert isinstance(value, fx.Node)
    return value
