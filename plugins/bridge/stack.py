"""From the layers that a job sent to the items that go into the layer stack.

Knows the protocol's `layer` messages; knows no editor. An editor walks the items and makes its own layers of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from acetate.protocol import Box, Group, LayerReady
from acetate.vocabulary import stacking
from acetate.vocabulary.stacking import nested

from .translations import _


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
    """One item for everything that a job sent; `None` when all of it is empty.

    Names, groups, order and what is shown are the server's. Several items without a common group (layers of a file) are put into
    one called `title`.
    """
    layers = sorted((one for one in arrived if one.data), key=lambda one: (one.layer.order, one.layer.index))
    if not layers:
        return None
    items = nested(layers, lambda one: one.layer.group, _sheet, _folder)
    return items[0] if len(items) == 1 else Folder(title or _("Layers"), items)


def moved_to(arrived: Sequence[LayerReady], x: int, y: int) -> list[LayerReady]:
    """The layers with the middle of all that is seen of them at this place of the canvas."""
    boxes = [Box(one.layer.x, one.layer.y, one.layer.width, one.layer.height) for one in arrived if one.data]
    if not boxes:
        return list(arrived)
    whole = reduce(Box.union, boxes)
    right, down = x - whole.x - whole.width // 2, y - whole.y - whole.height // 2
    return [
        replace(one, layer=replace(layer, x=layer.x + right, y=layer.y + down, box=layer.box.translated(right, down)))
        for one in arrived
        for layer in (one.layer,)
    ]


def picked(arrived: Sequence[LayerReady], pictures: Collection[int], *, seen: bool = True) -> list[LayerReady]:
    """Only the layers of these candidates, as `stacking.picked` arranges them; where they are empty, those of the first that is
    not."""
    filled = {one.layer.picture for one in arrived if one.data}
    if filled and not filled.intersection(pictures):
        pictures = {min(filled)}
    data = {one.layer.index: one.data for one in arrived}
    return [
        LayerReady(layer, data[layer.index]) for layer in stacking.picked([one.layer for one in arrived], pictures, seen=seen)
    ]


def sheets(item: Item) -> Iterator[Sheet]:
    """All layers with pixels, lowest first."""
    if isinstance(item, Sheet):
        yield item
    else:
        for inner in item.items:
            yield from sheets(inner)


def _sheet(ready: LayerReady) -> Item:
    layer = ready.layer
    return Sheet(layer.name, ready, layer.visible, layer.opacity, layer.blend_mode)


def _folder(group: Group, items: Sequence[Item]) -> Item:
    return Folder(group.name, tuple(items), group.visible, group.opacity, group.blend_mode)
