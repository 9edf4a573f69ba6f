"""The layers of a file as GIMP itself opens them: with masks as masks, their depth, and groups that are empty.

What they are called, and whether these are the file's layers at all, is compared with what the server found in it: GIMP takes
names for the wrong alphabet, and leaves out kinds of layers. Does not know jobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from acetate.plugins.bridge.stack import Item, Sheet
from gi.repository import Gimp, Gio

from . import canvas


@dataclass(frozen=True)
class OpenedFile:
    """A file whose layers go into an image."""

    path: Path
    masks: bool
    """Whether masks stay masks; else they are worked into the transparency."""


def insert(image: Gimp.Image, spot: canvas.Spot, file: OpenedFile, item: Item, record: canvas.Record) -> list[Gimp.Layer]:
    """Put the file's layers in as GIMP opens them, in a group called like the file where they are several.

    Returns the layers with pixels, lowest first, as many as the item has; none, and nothing is put in, where GIMP finds others
    than the server has. The caller holds the undo step.
    """
    loaded = _loaded(image, file.path) if file.masks else []
    found = list(_leaves(loaded, 0))
    wanted = list(_sheets(item, file.path.name))
    if [depth for _layer, depth in found] != [len(folders) for _sheet, folders in wanted]:
        for layer in loaded:
            layer.delete()
        return []
    parent, position = spot.parent, spot.position
    if len(loaded) > 1:
        parent, position = Gimp.GroupLayer.new(image, file.path.name), 0
        image.insert_layer(parent, spot.parent, spot.position)
    for place, layer in enumerate(loaded):
        image.insert_layer(layer, parent, position + place)
    for (layer, _depth), (sheet, folders) in zip(found, wanted, strict=True):
        canvas.attach(layer, record(sheet))
        _rename(layer, (*folders, _name(sheet, file.path)))
    image.set_selected_layers([parent if len(loaded) > 1 else loaded[0]])
    return [layer for layer, _depth in found]


def name_alone(layers: Sequence[Gimp.Layer], file: OpenedFile) -> None:
    """A picture without layers has no name of its own: its layer is called like the file."""
    if file.path.suffix.lower() == ".png":
        for layer in layers:
            layer.set_name(file.path.stem)


def _loaded(image: Gimp.Image, path: Path) -> list[Gimp.Layer]:
    """The outermost layers and groups, the topmost first; none when GIMP cannot open the file."""
    return list(Gimp.file_load_layers(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(path))) or ())


def _leaves(layers: Sequence[Gimp.Layer], depth: int) -> Iterator[tuple[Gimp.Layer, int]]:
    """The layers that are no groups, lowest first, and in how many groups each lies."""
    for layer in reversed(layers):
        if layer.is_group():
            yield from _leaves(layer.get_children(), depth + 1)
        else:
            yield layer, depth


def _sheets(item: Item, title: str) -> Iterator[tuple[Sheet, tuple[str, ...]]]:
    """The item's layers, lowest first, and the groups of the file that each lies in, the outermost first."""
    if isinstance(item, Sheet):
        yield item, ()
        return
    own = (item.name,) if item.name != title else ()
    for inner in item.items:
        for sheet, folders in _sheets(inner, ""):
            yield sheet, (*own, *folders)


def _rename(layer: Gimp.Layer, names: Sequence[str]) -> None:
    """Call the layer like the last of the names, and the groups around it like those before."""
    for name in reversed(names):
        if layer.get_name() != name:
            layer.set_name(name)
        layer = layer.get_parent()


def _name(sheet: Sheet, path: Path) -> str:
    return path.stem if path.suffix.lower() == ".png" else sheet.name
