"""A recorded network in two parts: what follows from weights and seldom changing inputs, and what is computed at every call.

Of a UNet those inputs are its prompts: all keys and values of cross-attention follow from them, 140 products in SDXL, a
thirtieth of a step on an H200 (docs/performance.md). Of weights alone follow sums of biases that `fusion` joins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, fx

from .fusion import changes_tensors
from .unchanged import Unchanged

MOST = 2
"""Sets of results that are kept: the halves of guidance may be called in turn."""


class HoistedInputs:
    """Keeps the results of the first part as long as its inputs are the very same tensors, unchanged."""

    def __init__(self, run: Callable[..., tuple[Tensor, ...]] = lambda *inputs: ()) -> None:
        self._run = run
        self._kept: list[tuple[list[Unchanged], tuple[Tensor, ...]]] = []

    def __call__(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The results for `inputs`, from before if they were seen lately."""
        for seen, results in self._kept:
            if all(before.still(tensor) for tensor, before in zip(inputs, seen, strict=True)):
                return results
        with torch.no_grad():
            made = self._run(*inputs)
        self._kept = [*self._kept, ([Unchanged(tensor) for tensor in inputs], made)][-MOST:]
        return made

    @property
    def kept_bytes(self) -> int:
        return sum(tensor.nbytes for _, results in self._kept for tensor in results)

    def forget(self) -> None:
        """Call this when the weights have changed: the kept results are out of date."""
        self._kept.clear()


def part(graph: fx.Graph, constant: int) -> tuple[fx.Graph, fx.Graph] | None:
    """`graph`, whose last `constant` inputs seldom change, as two: `rest(*inputs, *first(*last ones))`.

    `None` where nothing follows from those and weights alone, or where the graph changes tensors, so that order matters.
    """
    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    lasting = placeholders[len(placeholders) - constant :]
    early = _early(graph, set(lasting))
    handed = [node for node in graph.nodes if node in early and any(user not in early for user in node.users)]
    if not handed or any(changes_tensors(node) for node in graph.nodes):
        return None
    first, rest = fx.Graph(), fx.Graph()
    known = {node: first.placeholder(node.name) for node in lasting}
    _copy(graph, first, handed, known)
    first.output(tuple(known[node] for node in handed))
    known = {node: rest.placeholder(node.name) for node in (*placeholders, *handed)}
    _copy(graph, rest, [node for node in graph.nodes if node.op == "output"], known)
    return first, rest


def _early(graph: fx.Graph, constant: set[fx.Node]) -> set[fx.Node]:
    """Operators that need no other inputs than `constant`; not views of weights, which move, and nothing drawn at random."""
    late = {node for node in graph.nodes if node.op == "placeholder"} - constant
    early: set[fx.Node] = set()
    for node in graph.nodes:
        if node.op != "call_function":
            continue
        if _draws(node) or any(source in late for source in node.all_input_nodes):
            late.add(node)
        elif not _is_view(node) or any(source in constant or source in early for source in node.all_input_nodes):
            early.add(node)
    return early


def _draws(node: fx.Node) -> bool:
    return torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ())


def _is_view(node: fx.Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return schema is not None and any(result.alias_info is not None for result in schema.returns)


def _copy(graph: fx.Graph, target: fx.Graph, wanted: Sequence[fx.Node], known: dict[fx.Node, fx.Node]) -> None:
    """`wanted`, and what it needs that is not `known` yet."""
    ends, needed = list(wanted), set()
    while ends:
        node = ends.pop()
        if node not in needed and node not in known:
            needed.add(node)
            ends += node.all_input_nodes
    for node in graph.nodes:
        if node in needed:
            known[node] = target.node_copy(node, lambda source: known[source])
