"""What rules of fusion ask of a graph's nodes, and how they change them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import fx

ops = torch.ops.aten

SHAPE = "shape"
"""Key of a node's `meta`: the shape of the tensor that it stands for."""


def node_of(value: Any) -> fx.Node:
    """An argument that is known to be a node."""
    assert isinstance(value, fx.Node)
    return value


def shape_of(node: Any) -> tuple[int, ...]:
    """The shape of the tensor that `node` stands for; empty for anything else."""
    return node.meta.get(SHAPE, ())  # type: ignore[no-any-return]


def used_once(node: fx.Node) -> bool:
    """Whether one other node needs it, so that it may be computed there."""
    return len(node.users) == 1


def part_of(node: fx.Node) -> tuple[fx.Node, int] | None:
    """The tuple and the index that `node` takes from it."""
    if node.target is not operator.getitem:
        return None
    whole, index = node.args
    return (node_of(whole), index) if isinstance(index, int) else None


def replace(graph: fx.Graph, node: fx.Node, function: Callable[..., Any], *arguments: Any) -> None:
    """Compute `function(*arguments)` instead of `node`."""
    with graph.inserting_before(node):
        joined = graph.call_function(function, arguments)
    joined.meta[SHAPE] = shape_of(node)
    node.replace_all_uses_with(joined)


def copy_of(graph: fx.Graph) -> fx.Graph:
    """Another graph of the same nodes."""
    copy = fx.Graph()
    copy.output(copy.graph_copy(graph, {}))
    return copy


def drop_unused(graph: fx.Graph) -> None:
    """Erase unused nodes in a graph without side effects: torch's own way looks for side effects at every node."""
    for node in reversed(graph.nodes):
        if not node.users and node.op in ("call_function", "get_attr"):
            graph.erase_node(node)


def changes_tensors(node: fx.Node) -> bool:
    """Whether the operator of `node` writes into one that it was given."""
    schema = getattr(node.target, "_schema", None)
    return schema is not None and bool(schema.is_mutable)
