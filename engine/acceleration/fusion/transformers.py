"""Rules for transformer blocks: gates, norms of sums, projections, attention."""

from __future__ import annotations

import operator

from torch import fx

from .. import fused_operators
from .graphs import SHAPE, node_of, ops, part_of, replace, shape_of, used_once

NARROW_HEAD = 16
"""Numbers of a head below which attention has a kernel of its own."""
ATTENTION = (
    ops._scaled_dot_product_cudnn_attention.default,
    ops._scaled_dot_product_flash_attention.default,
    ops._scaled_dot_product_efficient_attention.default,
    ops._scaled_dot_product_flash_attention_for_cpu.default,
)
"""What torch's scaled dot product attention becomes, by device and shape."""


def join_gate(graph: fx.Graph, node: fx.Node) -> None:
    """Join `value * gelu(gate)`, where both are halves of one tensor."""
    if node.target is not ops.mul.Tensor or not all(isinstance(arg, fx.Node) for arg in node.args):
        return
    value, gate = (node_of(arg) for arg in node.args)
    if gate.target is not ops.gelu.default or gate.kwargs or len(gate.users) > 1:
        return
    halves = [part_of(value), part_of(node_of(gate.args[0]))]
    if halves[0] is None or halves[1] is None or [index for _, index in filter(None, halves)] != [0, 1]:
        return
    split = halves[0][0]
    whole = node_of(split.args[0])
    if (
        split is not halves[1][0]
        or split.target is not ops.split.Tensor
        or split.args[2:] not in ((-1,), (len(shape_of(whole)) - 1,))
    ):
        return
    if 2 * shape_of(value)[-1] == shape_of(whole)[-1]:
        replace(graph, node, fused_operators.geglu, whole)


def join_layer_norm(graph: fx.Graph, node: fx.Node) -> None:
    """Join a sum and its norm, where the sum itself is needed as well."""
    if node.target is not ops.native_layer_norm.default or any(user.args[1] != 0 for user in node.users):
        return
    total, over, weight, bias, eps = node.args
    total = node_of(total)
    if total.target is not ops.add.Tensor or total.kwargs or weight is None or bias is None or len(over) != 1:  # type: ignore[arg-type]
        return
    if any(not isinstance(arg, fx.Node) or shape_of(arg) != shape_of(total) for arg in total.args):
        return
    if any(user < node for user in total.users):
        return
    with graph.inserting_before(node):
        both = graph.call_function(fused_operators.add_norm, (*total.args, weight, bias, eps))
        summed, normed = (graph.call_function(operator.getitem, (both, index)) for index in range(2))
    for part in (summed, normed):
        part.meta[SHAPE] = shape_of(total)
    total.replace_all_uses_with(summed)
    next(iter(node.users)).replace_all_uses_with(normed)


def join_projections(graph: fx.Graph, node: fx.Node) -> None:
    """Join three products of the same tokens, in self-attention, into one; `hoisting` stacks their weights once for all calls."""
    products = [product for product in map(_next, node.users) if product is not None and _is_projection(product)]
    if len(products) != 3 or any(node_of(product.args[0]).args != node_of(products[0].args[0]).args for product in products):
        return
    products.sort()  # by their places in the graph
    with graph.inserting_before(products[0]):
        weights = [graph.get_attr(str(node_of(node_of(product.args[1]).args[0]).target)) for product in products]
        joined = graph.call_function(ops.t.default, (graph.call_function(ops.cat.default, (weights,)),))
        whole = graph.call_function(ops.mm.default, (products[0].args[0], joined))
        width = 0
        for product in products:
            end = width + shape_of(product)[1]
            product.replace_all_uses_with(graph.call_function(ops.slice.Tensor, (whole, 1, width, end)))
            width = end


def join_attention(graph: fx.Graph, node: fx.Node) -> None:
    """Replace attention with narrow heads by a kernel of its own."""
    if node.target not in ATTENTION or len(node.users) != 1:
        return
    (result,) = node.users
    q, k, v, *others = (*node.args, *node.kwargs.values())
    options = [other for other in others if other]  # no bias, dropout or causal mask; the names differ from one to another
    scale = node.kwargs.get("scale")
    if result.target is not operator.getitem or result.args[1] != 0 or options not in ([], [scale]):
        return
    if shape_of(node_of(k))[3] < NARROW_HEAD:
        replace(graph, result, fused_operators.attention, q, k, v, scale)


def _next(node: fx.Node) -> fx.Node | None:
    """What uses the view `node`, where that is all that does."""
    return next(iter(node.users)) if node.target is ops.view.default and used_once(node) else None


def _is_projection(node: fx.Node) -> bool:
    """Whether it is a product of tokens with a weight as it is stored."""
    if node.target is not ops.mm.default:
        return False
    weight = node_of(node.args[1])
    return weight.target is ops.t.default and node_of(weight.args[0]).op == "get_attr"
