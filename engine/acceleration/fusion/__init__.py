"""A recorded network rewritten with fewer kernels: what follows group norms, gates and additions is computed along with them.

Knows graphs of torch's operators as `graph_replay` writes them down, and which neighbours `fused_operators` can join; knows no
network. Nothing is taken on trust: `graph_replay` compares the new graph with the old one before it is used.
"""

from __future__ import annotations

from torch import fx

from . import convolutions, transformers
from .graphs import SHAPE, changes_tensors, copy_of, drop_unused

__all__ = ["SHAPE", "changes_tensors", "fuse"]

REWRITES = (
    convolutions.drop_division_by_one,
    transformers.join_gate,
    convolutions.join_mixed,  # before what takes apart the pictures that it mixes
    convolutions.join_group_norm,
    convolutions.keep_layout,
    convolutions.join_bias,
    transformers.join_layer_norm,
    transformers.join_attention,
    convolutions.join_doubling,
    convolutions.join_lone_bias,
)
"""In this order, each tried at every node."""
PLENTIFUL = (transformers.join_projections,)
"""What keeps copies of weights: 0.6 GB for SDXL and a hundredth of a step on an H200, less on smaller cards."""


def fuse(graph: fx.Graph, *, plentiful: bool = False) -> fx.Graph | None:
    """A copy with neighbours joined, with copies of weights if `plentiful`; `None` if `graph` changes tensors in place."""
    if any(changes_tensors(node) for node in graph.nodes):
        return None
    joined = copy_of(graph)
    for rewrite in (*REWRITES, *PLENTIFUL) if plentiful else REWRITES:
        for node in list(joined.nodes):
            rewrite(joined, node)
        drop_unused(joined)
    return joined
