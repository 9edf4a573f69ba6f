"""Where a result goes: boxes on the canvas. Knows rectangles, not what is in them."""

from __future__ import annotations

from typing import Literal

from acetate.protocol import Box
from acetate.vocabulary.parameters import LARGEST_SIDE

Area = Literal["selection", "canvas", "layer", "custom"]


def intersection(one: Box, other: Box) -> Box | None:
    """What both have in common; `None` when that is nothing."""
    left, top = max(one.x, other.x), max(one.y, other.y)
    right = min(one.x + one.width, other.x + other.width)
    bottom = min(one.y + one.height, other.y + other.height)
    return Box(left, top, right - left, bottom - top) if left < right and top < bottom else None


def union(one: Box, other: Box) -> Box:
    """The smallest box that holds both."""
    left, top = min(one.x, other.x), min(one.y, other.y)
    right = max(one.x + one.width, other.x + other.width)
    bottom = max(one.y + one.height, other.y + other.height)
    return Box(left, top, right - left, bottom - top)


def centred(width: int, height: int, on: Box) -> Box:
    """A box of that size with the same centre, to the pixel."""
    return Box(on.x + (on.width - width) // 2, on.y + (on.height - height) // 2, width, height)


def scaled(box: Box, factor: float) -> Box:
    """`factor` times as large, its top left corner where it was."""
    return Box(box.x, box.y, max(1, round(box.width * factor)), max(1, round(box.height * factor)))


def target_box(area: Area, *, canvas: Box, selection: Box | None, layer: Box | None, width: int = 0, height: int = 0) -> Box:
    """The box of a new layer. Without a selection (or layer) the canvas serves; an own size is centred on either.

    A selection may reach beyond the canvas and keeps what lies there.
    """
    if area == "layer":
        return layer or canvas
    if area == "custom" and width > 0 and height > 0:
        return centred(width, height, selection or canvas)
    return (selection or canvas) if area == "selection" else canvas


def too_large(box: Box) -> str | None:
    """Why the server could not make a layer of this size; `None` when it can."""
    if max(box.width, box.height) <= LARGEST_SIDE:
        return None
    return f"{box.width} × {box.height} is too large: a side may have {LARGEST_SIDE} pixels. Select a smaller part."
