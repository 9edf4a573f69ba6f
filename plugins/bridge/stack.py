"""From the layers that a job sent to the items that go into the layer stack.

Knows the protocol's `layer` messages; knows no editor. An editor walks the items and makes its own layers of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from acetate.protocol import Group, LayerReady
from acetate.vocabulary.stacking import candidates_group, nested


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
    return items[0] if len(items) == 1 else Folder(title or "Layers", items)


def picked(arrived: Sequence[LayerReady], pictures: Collection[int]) -> list[LayerReady]:
    """Only the layers of these candidates: the first of them is shown, and one alone needs no group of candidates."""
    kept = [one for one in arrived if one.layer.picture in pictures]
    first = min((one.layer.picture for one in kept), default=0)
    alone = all(one.layer.picture == first for one in kept)
    return [_picked(one, alone=alone, shown=one.layer.picture == first) for one in kept]


def _picked(ready: LayerReady, *, alone: bool, shown: bool) -> LayerReady:
    layer, outer = ready.layer, candidates_group(ready.job)
    own = tuple(replace(group, visible=shown) if group.id != outer else group for group in layer.group)
    several = any(group.id != outer for group in own)
    groups = tuple(group for group in own if not (alone and group.id == outer))
    visible = layer.visible if several else shown and not layer.reference
    return replace(ready, layer=replace(layer, group=groups, visible=visible))


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
