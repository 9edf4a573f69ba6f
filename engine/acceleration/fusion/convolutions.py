"""Rules for convolutions and what is around them: norms, biases, shortcuts, twice the size."""

from __future__ import annotations

from itertools import permutations

import torch
from torch import fx

from .. import fused_operators
from .graphs import SHAPE, node_of, ops, replace, shape_of, used_once

NARROW_MIX = 64
"""Output channels up to which a shortcut is worth a kernel of its own; wider ones are products that cuDNN does well."""


def drop_division_by_one(graph: fx.Graph, node: fx.Node) -> None:
    """Drop diffusers' division by scales that are 1 in every model here."""
    if node.target is ops.div.Tensor and node.args[1] == 1.0:
        node.replace_all_uses_with(node_of(node.args[0]))


def join_mixed(graph: fx.Graph, node: fx.Node) -> None:
    """Join a block's shortcut, a narrow 1 x 1 convolution of two concatenated pictures, with the sum that it ends in."""
    if node.target is not ops.add.Tensor or node.kwargs or not all(isinstance(arg, fx.Node) for arg in node.args):
        return
    for shortcut, residual in permutations(node_of(arg) for arg in node.args):
        parts = _parts_of(node_of(shortcut.args[0])) if _is_narrow_mix(shortcut) else None
        if parts is None or shape_of(residual) != shape_of(node):
            continue
        biases = [bias for bias in (shortcut.args[2], _bias_of(residual)) if isinstance(bias, fx.Node)]
        if not biases:
            continue
        with graph.inserting_before(node):
            shift = graph.call_function(ops.add.Tensor, tuple(biases)) if len(biases) > 1 else biases[0]
            residual = residual if _bias_of(residual) is None else _without_bias(graph, residual)
        return replace(graph, node, fused_operators.mixed, parts, shortcut.args[1], residual, shift)


def join_group_norm(graph: fx.Graph, node: fx.Node) -> None:
    """Join the norm of a picture with its SiLU, with what is added to all pixels before it, and with the bias before that."""
    if node.target is not ops.native_group_norm.default or any(user.args[1] != 0 for user in node.users):
        return
    source, weight, bias, _, _, _, groups, eps = node.args
    source = _without_copy(node_of(source))
    result = next(iter(node.users))
    if len(shape_of(source)) != 4 or weight is None or bias is None:
        return
    parts = _parts_of(source) if used_once(source) else None
    shift: fx.Node | None = None
    if used_once(source) and source.target is ops.add.Tensor and not source.kwargs:
        left, right = source.args
        if isinstance(right, fx.Node) and (vector := _per_channel(right)) is not None:
            source, shift = node_of(left), vector
    if (added := _bias_of(source)) is not None:
        with graph.inserting_before(node):
            source = _without_bias(graph, source)
            shift = added if shift is None else graph.call_function(ops.add.Tensor, (shift, added))
    after = next(iter(result.users)) if len(result.users) == 1 else None
    silu = after is not None and after.target is ops.silu.default
    last = after if silu and after is not None else result
    replace(graph, last, fused_operators.group_norm, parts or [source], weight, bias, groups, eps, shift, silu)


def keep_layout(graph: fx.Graph, node: fx.Node) -> None:
    """Drop copies that only changed the order in memory: channels last, a picture's tokens already lie as they should."""
    if node.target is not ops.clone.default or node.kwargs != {"memory_format": torch.contiguous_format}:
        return
    source = node_of(node.args[0])
    if source.target is not ops.permute.default:
        return
    if source.args[1] == [0, 3, 1, 2]:  # tokens to a picture
        node.replace_all_uses_with(source)
    elif source.args[1] == [0, 2, 3, 1]:  # a picture to tokens
        replace(graph, node, torch.Tensor.contiguous, source)


def join_bias(graph: fx.Graph, node: fx.Node) -> None:
    """Join a residual sum with the biases of the convolutions that it adds up."""
    if node.target is not ops.add.Tensor or node.kwargs or not all(isinstance(arg, fx.Node) for arg in node.args):
        return
    parts = [node_of(arg) for arg in node.args]
    biases = [_bias_of(part) for part in parts]
    shift = biases[0] if biases[0] is not None else biases[1]
    if len(shape_of(node)) != 4 or any(shape_of(part) != shape_of(node) for part in parts) or shift is None:
        return
    with graph.inserting_before(node):
        if biases[0] is not None and biases[1] is not None:
            shift = graph.call_function(ops.add.Tensor, (biases[0], biases[1]))
        parts = [part if bias is None else _without_bias(graph, part) for part, bias in zip(parts, biases, strict=True)]
    replace(graph, node, fused_operators.add, *parts, shift)


def join_doubling(graph: fx.Graph, node: fx.Node) -> None:
    """Join repeated pixels into one kernel that doubles the size."""
    if node.target in (ops.upsample_nearest2d.default, ops.upsample_nearest2d.vec):
        height, width = shape_of(node_of(node.args[0]))[2:]
        if shape_of(node)[2:] == (2 * height, 2 * width):
            replace(graph, node, fused_operators.double, node.args[0])


def join_lone_bias(graph: fx.Graph, node: fx.Node) -> None:
    """Add the biases that are left over from convolutions: cuDNN leaves them to another kernel."""
    if node.target is not ops.convolution.default or not isinstance(node.args[2], fx.Node) or len(shape_of(node)) != 4:
        return
    with graph.inserting_before(node):
        bare = _without_bias(graph, node)
    replace(graph, node, fused_operators.shift, bare, node.args[2])


def _bias_of(node: fx.Node) -> fx.Node | None:
    """The bias of a convolution whose result is used once."""
    if node.target is ops.convolution.default and used_once(node) and isinstance(node.args[2], fx.Node):
        return node.args[2]
    return None


def _without_bias(graph: fx.Graph, convolution: fx.Node) -> fx.Node:
    bare = graph.call_function(ops.convolution.default, (*convolution.args[:2], None, *convolution.args[3:]))
    bare.meta[SHAPE] = shape_of(convolution)
    return bare


def _parts_of(node: fx.Node) -> list[fx.Node] | None:
    """The two pictures that `node` puts side by side in their channels."""
    if node.target is not ops.cat.default or node.args[1:] != (1,) or len(shape_of(node)) != 4:
        return None
    parts = [node_of(part) for part in node.args[0]]  # type: ignore[union-attr]
    return parts if len(parts) == 2 else None


def _is_narrow_mix(node: fx.Node) -> bool:
    """Whether it is a 1 x 1 convolution to few channels, used once."""
    if node.target is not ops.convolution.default or not used_once(node):
        return False
    source, weight = shape_of(node_of(node.args[0])), shape_of(node_of(node.args[1]))
    narrow = len(source) == 4 and weight == (shape_of(node)[1], source[1], 1, 1) and weight[0] <= NARROW_MIX
    return narrow and source[2:] == shape_of(node)[2:]


def _per_channel(node: fx.Node) -> fx.Node | None:
    """`(N, C)` where `node` is that as `(N, C, 1, 1)`."""
    if node.target is not ops.unsqueeze.default or node.args[1] != 3:
        return None
    inner = node_of(node.args[0])
    if inner.target is not ops.unsqueeze.default or inner.args[1] != 2 or len(shape_of(node_of(inner.args[0]))) != 2:
        return None
    return node_of(inner.args[0])


def _without_copy(node: fx.Node) -> fx.Node:
    """What a copy in torch's own order was made from."""
    plain = node.target is ops.clone.default and node.kwargs == {"memory_format": torch.contiguous_format}
    return node_of(node.args[0]) if plain and used_once(node) else node
