"""What a PSD can hold of adjustments and effects: those of which we have Photoshop's own block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..adjustment import Adjustment
from ..composition.compose import plain
from ..layer import Node, walk


def writable(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes with what a PSD can hold of them: effects of which we have no block become layers, adjustments are left out."""
    for node in nodes:
        if isinstance(node, Adjustment) and not node.blocks:
            continue
        yield from plain(node) if node.style is not None and not node.style.blocks else (node,)


def said(nodes: Sequence[Node]) -> Iterator[str]:
    """What `writable` does to the nodes, one sentence each, for the person."""
    for node in walk(nodes):
        if isinstance(node, Adjustment) and not node.blocks:
            yield f"{node.name!r} ({node.kind}) came from no RGB file of Photoshop, and was left out"
        elif node.style is not None and node.style.effects and not node.style.blocks:
            yield f"the effects of {node.name!r} became layers and pixels"


def blocks_of(node: Node) -> Sequence[tuple[bytes, bytes]]:
    """What Photoshop knows an adjustment, or effects, by: keys and contents."""
    if isinstance(node, Adjustment):
        return node.blocks
    return node.style.blocks if node.style is not None else ()
