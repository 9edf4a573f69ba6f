"""Finding, isolating and placing a layer by its name or its path: pure functions from document to document. Knows no format."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from acetate.raster import RGBA, to_8_bits

from .composition.compose import compose, render
from .errors import LayerNotFound
from .layer import Document, Group, Node, runs

NodePath = tuple[int, ...]
"""Indices, counted from the bottom, from the document's layers down to one node: what names one of several namesakes."""


@dataclass(frozen=True)
class Place:
    """Where a new layer goes: directly above or below one, in its group, else on top. Raises `ValueError` for both."""

    above: str | NodePath | None = None
    below: str | NodePath | None = None
    hide: Collection[NodePath] = ()
    """The layers that are hidden with it, at their paths before."""

    def __post_init__(self) -> None:
        if self.above is not None and self.below is not None:
            raise ValueError(f"above is {self.above!r} and below is {self.below!r}; only one of them can place a layer")

    @property
    def beside(self) -> str | NodePath | None:
        """The layer that is named; `None` for a place on top."""
        return self.above if self.above is not None else self.below


def find(document: Document, name: str | NodePath) -> Node:
    """The layer or group of that name; `Group/Layer` tells two of the same name apart, `/Layer` means the one in no group.

    Here and below, a path may stand for the name.
    """
    path = _locate(document, name)
    return _siblings(document, path)[path[-1]]


def names(document: Document) -> tuple[str, ...]:
    """The full names (`Group/Layer`) of all layers and groups, top first, as a layer list shows them."""
    return tuple(full for full, _ in _entries(document.layers))


def below(document: Document, name: str | NodePath) -> RGBA:
    """Everything below the named layer or group as a picture of the canvas, `(H, W, 4)` uint8 straight."""
    return to_8_bits(compose(replace(document, layers=_cut(document.layers, _locate(document, name)))))


def alone(document: Document, name: str | NodePath) -> RGBA:
    """The named layer or group by itself on the canvas, `(H, W, 4)` uint8, opaque and visible; no colour under alpha 0.

    Its mask cuts it, and what is clipped to it belongs to it; one that is clipped is shown whole.
    """
    path = _locate(document, name)
    node, clipped = next(runs(_siblings(document, path)[path[-1] :]))
    shown = replace(node, opacity=1.0, blend_mode="normal", visible=True, clipped=False)
    return to_8_bits(render((shown, *(() if node.clipped else clipped)), document.box, space=document.space))


def insert(
    document: Document, node: Node, *, above: str | NodePath | None = None, below: str | NodePath | None = None
) -> Document:
    """The document with one node more, at the `Place` of these. Raises `ValueError` where both are given."""
    return placed(document, node, Place(above, below))


def placed(document: Document, node: Node, place: Place) -> Document:
    """The document with one node more, and others hidden, as `place` says.

    Clipped layers stay with their base (`beside`), unless `node` is itself a clipped one.
    """
    document = reduce(hide, place.hide, document)
    if place.beside is None:
        return replace(document, layers=(*document.layers, node))

    def put(siblings: tuple[Node, ...], index: int) -> tuple[Node, ...]:
        clipped = [one.clipped and not node.clipped for one in siblings]
        at = beside(clipped, index, above=place.above is not None)
        return (*siblings[:at], node, *siblings[at:])

    return replace(document, layers=_edit(document.layers, _locate(document, place.beside), put))


def hide(document: Document, path: NodePath) -> Document:
    """The document with one layer or group hidden."""

    def hidden(siblings: tuple[Node, ...], index: int) -> tuple[Node, ...]:
        return (*siblings[:index], replace(siblings[index], visible=False), *siblings[index + 1 :])

    return replace(document, layers=_edit(document.layers, path, hidden))


def beside(clipped: Sequence[bool], index: int, *, above: bool) -> int:
    """Where a new layer goes above or below the one at `index`: above all that is clipped to it, below the base of a clipped one.

    `clipped` says so of all siblings, bottom to top.
    """
    if above:
        return next((place for place in range(index + 1, len(clipped)) if not clipped[place]), len(clipped))
    return next((place for place in range(index, 0, -1) if not clipped[place]), 0)


def choose(full_names: Sequence[str], wanted: str) -> int:
    """Index of the full name, such as `Group/Layer`, that ends with `wanted`. Raises `LayerNotFound` unless there is just one."""
    rooted = ["/" + full for full in full_names]
    ending = wanted if wanted.startswith("/") else "/" + wanted
    matches = [i for i, full in enumerate(rooted) if full == wanted or (ending != wanted and full.endswith(ending))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        found = ", ".join(repr(rooted[i]) for i in matches)
        raise LayerNotFound(f"{len(matches)} layers are called {wanted!r}: {found}", "Give the group too, or rename one of them.")
    listed = ", ".join(repr(full) for full in full_names) or "none"
    raise LayerNotFound(f"there is no layer {wanted!r}; the layers are: {listed}", "Names are case-sensitive.")


def _entries(nodes: Sequence[Node], prefix: str = "", path: NodePath = ()) -> list[tuple[str, NodePath]]:
    """Full names and places, top first, a group before its children."""
    found: list[tuple[str, NodePath]] = []
    for index, node in reversed(list(enumerate(nodes))):
        found.append((prefix + node.name, (*path, index)))
        if isinstance(node, Group):
            found += _entries(node.children, f"{prefix}{node.name}/", (*path, index))
    return found


def _locate(document: Document, name: str | NodePath) -> NodePath:
    if isinstance(name, tuple):
        return name
    entries = _entries(document.layers)
    return entries[choose([full for full, _ in entries], name)][1]


def _siblings(document: Document, path: NodePath) -> Sequence[Node]:
    nodes: Sequence[Node] = document.layers
    for index in path[:-1]:
        group = nodes[index]
        assert isinstance(group, Group)
        nodes = group.children
    return nodes


def _edit(nodes: Sequence[Node], path: NodePath, change: Callable[[tuple[Node, ...], int], tuple[Node, ...]]) -> tuple[Node, ...]:
    """A copy of the tree in which the list of siblings that holds `path` went through `change`."""
    siblings = tuple(nodes)
    index = path[0]
    if len(path) == 1:
        return change(siblings, index)
    group = siblings[index]
    assert isinstance(group, Group)
    inner = replace(group, children=_edit(group.children, path[1:], change))
    return (*siblings[:index], inner, *siblings[index + 1 :])


def _cut(nodes: Sequence[Node], path: NodePath) -> tuple[Node, ...]:
    """The tree without the node at `path` and all that lies above it."""
    kept = tuple(nodes[: path[0]])
    if len(path) == 1:
        return kept
    group = nodes[path[0]]
    assert isinstance(group, Group)
    return (*kept, replace(group, children=_cut(group.children, path[1:])))
