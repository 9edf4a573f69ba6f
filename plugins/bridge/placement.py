"""Where a result goes on the canvas. Knows rectangles, not what is in them."""

from __future__ import annotations

from typing import Literal

from acetate.protocol import Box
from acetate.vocabulary.parameters import LARGEST_SIDE

Area = Literal["selection", "canvas", "layer", "custom"]


def target_box(area: Area, *, canvas: Box, selection: Box | None, layer: Box | None, width: int = 0, height: int = 0) -> Box:
    """The box of a new layer. Without a selection (or layer) the canvas is used; a custom size is centred on either.

    A selection may reach beyond the canvas and keeps what lies there.
    """
    if area == "layer":
        return layer or canvas
    if area == "custom" and width > 0 and height > 0:
        return (selection or canvas).centred(width, height)
    return (selection or canvas) if area == "selection" else canvas


def too_large(box: Box) -> str | None:
    """Why the server could not make a layer of this size; `None` when it can."""
    if max(box.width, box.height) <= LARGEST_SIDE:
        return None
    return f"{box.width} × {box.height} is too large: a side may have at most {LARGEST_SIDE} pixels. Select a smaller part."
