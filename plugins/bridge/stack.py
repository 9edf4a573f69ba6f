"""From the layers that a job sent to the items that go into the layer stack: groups, order, what is shown.

Knows the protocol's `layer` messages; knows no editor. An editor walks the items and makes its own layers of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from acetate.protocol import LayerReady


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


def stacked(arrived: Sequence[LayerReady], *, title: str = "") -> Item | None:
    """One item for everything that a job brought; `None` when all of it is empty.

    Names, groups and what is shown are the server's: candidates come in a group with only the first shown, the layers of a scene
    in one of their own. Several items without a common group (layers of a file) are put into one called `title`.
    """
    # The first candidate lies on top: it is the one to look at, the others are switched on below it.
    layers = sorted((one for one in arrived if one.data), key=lambda one: (-one.layer.picture, one.layer.order, one.layer.index))
    if not layers:
        return None
    items = _grouped(layers, 0)
    return items[0] if len(items) == 1 else Folder(title or "Layers", items)


def sheets(item: Item) -> Iterator[Sheet]:
    """All layers with pixels, lowest first."""
    if isinstance(item, Sheet):
        yield item
    else:
        for inner in item.items:
            yield from sheets(inner)


def _grouped(members: Sequence[LayerReady], depth: int) -> tuple[Item, ...]:
    """The items at this depth of the groups that the messages name; a group lies where its lowest layer lies."""
    items: dict[str, list[LayerReady]] = {}
    for one in members:
        groups = one.layer.group
        key = f"group {groups[depth].id}" if len(groups) > depth else f"layer {one.layer.index}"
        items.setdefault(key, []).append(one)
    return tuple(_item(inner, depth) for inner in items.values())


def _item(members: Sequence[LayerReady], depth: int) -> Item:
    layer = members[0].layer
    if len(layer.group) > depth:
        group = layer.group[depth]
        return Folder(group.name, _grouped(members, depth + 1), group.visible, group.opacity, group.blend_mode)
    return Sheet(layer.name, members[0], layer.visible, layer.opacity, layer.blend_mode)
