"""From the layers that a job sent to the items that go into the layer stack: groups, order, what is shown.

Knows the protocol's `layer` messages; knows no editor. An editor walks the items and makes its own layers of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from acetate.protocol import LayerReady

from .words import layer_name


@dataclass(frozen=True)
class Sheet:
    """A layer with pixels."""

    name: str
    ready: LayerReady
    """Place, size and format are `ready.layer`'s; the pixels are `ready.data`."""
    visible: bool = True
    opacity: float = 1.0
    blend_mode: str = "normal"


@dataclass(frozen=True)
class Folder:
    """A group, its items lowest first."""

    name: str
    items: tuple[Sheet | Folder, ...] = field(default=())
    visible: bool = True
    opacity: float = 1.0
    blend_mode: str = "normal"


Item = Sheet | Folder


def stacked(arrived: Sequence[LayerReady], *, title: str = "", named: bool = True) -> Item | None:
    """One item for everything that a job brought; `None` when all of it is empty.

    Several pictures become a group of candidates of which only the first is shown; several layers of one picture a group. With
    `named` the layers are called after prompt and seed, otherwise (layers of a file) they keep their names and groups. `title`
    names the outermost group.
    """
    if named:  # what a generating job names as groups are its pictures and candidates: grouped here already
        arrived = [replace(one, layer=replace(one.layer, group=())) for one in arrived]
    layers = sorted((one for one in arrived if one.data), key=lambda one: (one.layer.picture, one.layer.order, one.layer.index))
    pictures: dict[int, list[LayerReady]] = {}
    for one in layers:
        pictures.setdefault(one.layer.picture, []).append(one)
    candidates = []
    for number, members in enumerate(pictures.values()):
        items = _grouped(members, 0, named)
        candidate = items[0] if len(items) == 1 else Folder(title or (_name(members[0]) if named else "Layers"), items)
        candidates.append(candidate if number == 0 else replace(candidate, visible=False))
    if not candidates:
        return None
    if len(candidates) == 1:
        return candidates[0]
    # The first candidate lies on top: it is the one to look at, the others are switched on below it.
    return Folder(title or candidates[0].name, tuple(reversed(candidates)))


def sheets(item: Item) -> Iterator[Sheet]:
    """All layers with pixels, lowest first."""
    if isinstance(item, Sheet):
        yield item
    else:
        for inner in item.items:
            yield from sheets(inner)


def _grouped(members: Sequence[LayerReady], depth: int, named: bool) -> tuple[Item, ...]:
    """The items at this depth of the groups that the messages name; a group lies where its lowest layer lies."""
    items: dict[str, list[LayerReady]] = {}
    for one in members:
        groups = one.layer.group
        key = f"group {groups[depth].id}" if len(groups) > depth else f"layer {one.layer.index}"
        items.setdefault(key, []).append(one)
    return tuple(_item(inner, depth, named) for inner in items.values())


def _item(members: Sequence[LayerReady], depth: int, named: bool) -> Item:
    layer = members[0].layer
    if len(layer.group) > depth:
        group = layer.group[depth]
        return Folder(group.name, _grouped(members, depth + 1, named), group.visible, group.opacity, group.blend_mode)
    name = _name(members[0]) if named else layer.name
    return Sheet(name, members[0], layer.visible, layer.opacity, layer.blend_mode)


def _name(one: LayerReady) -> str:
    return layer_name(str(one.layer.parameters.get("prompt", "")), one.layer.seed, one.layer.role)
