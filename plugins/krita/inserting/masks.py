"""Masks of Krita's layers: those that a layer has, and new ones from a selection or from a result's transparency.

Knows nodes and selections; knows no job.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acetate.plugins.bridge.stack import Item, Sheet, sheets
from acetate.protocol import Box, Image


def masks_of(node: Any) -> list[Any]:
    """Copies of a layer's masks, lowest first."""
    return [one.duplicate() for one in node.childNodes() if one.type().endswith("mask")]


def transparency_mask(document: Any, name: str, selection: Any) -> Any:
    """A detached mask that shows what is selected."""
    mask = document.createTransparencyMask(name)
    mask.setSelection(selection)
    return mask


def filled(selection: Any, picture: Image, box: Box) -> Any:
    """A new selection with the `gray8` picture in it, whose corner is the box's; nothing else is selected."""
    selection.setPixelData(bytes(picture.data), box.x, box.y, picture.width, picture.height)
    return selection


def shown(item: Item) -> Iterator[Sheet]:
    """The layers of an item that are seen, lowest first."""
    return (sheet for sheet in sheets(item) if sheet.visible)


def alpha_of(sheet: Sheet) -> Image:
    """A layer's transparency as a `gray8` picture of its size."""
    layer = sheet.ready.layer
    size = len(sheet.ready.data) // (layer.width * layer.height)
    return Image(layer.width, layer.height, "gray8", bytes(sheet.ready.data[size - 1 :: size]))
