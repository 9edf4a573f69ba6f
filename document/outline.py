"""What a layered file holds, without its pixels: names, places and looks, as a layer list shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acetate.vocabulary.box import Box

from .layer import Document, Group, Node


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A layer or a group of the list."""

    name: str
    box: Box
    """Where its pixels lie; of a group the smallest box around all of its layers."""
    mask: Box | None = None
    """What its mask leaves to be seen, as far as a box says it; `None` where there is no mask, or one that shows all around."""
    opacity: float = 1.0
    blend_mode: str = "normal"
    visible: bool = True
    role: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    has: tuple[str, ...] = ()
    """What else the file says of it, in words: `mask`, `clipped`, `effects`, `text`, `levels` …"""
    children: tuple[Entry, ...] | None = None
    """Bottom to top; `None` for a layer."""


@dataclass(frozen=True, kw_only=True)
class Outline:
    """A canvas and its list."""

    width: int
    height: int
    entries: tuple[Entry, ...]
    """Bottom to top."""
    notes: tuple[str, ...] = ()


def of_document(document: Document) -> Outline:
    """The outline of what was read whole."""
    entries = tuple(map(of_node, document.layers))
    return Outline(width=document.width, height=document.height, entries=entries, notes=document.notes)


def of_node(node: Node) -> Entry:
    """One layer, or a group with all that is in it."""
    look: dict[str, Any] = {
        "name": node.name,
        "box": node.box,
        "opacity": node.opacity,
        "blend_mode": node.blend_mode,
        "visible": node.visible,
        "has": ("clipped",) * node.clipped + ("mask",) * (node.mask is not None),
    }
    if isinstance(node, Group):
        return Entry(**look, children=tuple(map(of_node, node.children)))
    return Entry(**look, role=node.role, parameters=node.parameters)
