"""Where a result goes on the canvas. Knows rectangles, not what is in them."""

from __future__ import annotations

from typing import Literal

from acetate.protocol import Box
from acetate.vocabulary.parameters import LARGEST_SIDE

from .surroundings import STAYED, Move
from .translations import _

Area = Literal["selection", "canvas", "layer", "custom"]
Original = Literal["hide", "replace", "keep"]
"""What becomes of a layer when a new version of it is there: made invisible, taken out, or left as it is."""
Clip = Literal["no", "mask", "alpha"]
"""How a result is cut to the shape of the selection: not at all, by a mask of its own, or in its pixels' transparency."""


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
    wrong = _("{width} × {height} is too large: a side may have at most {most} pixels. Select a smaller part.")
    return wrong.format(width=box.width, height=box.height, most=LARGEST_SIDE)


def out_of_sight(box: Box, canvas: Box, *, enlarged: bool = False) -> str | None:
    """What to tell of a new layer that reaches beyond the canvas: one that was `enlarged`, or one that is not seen at all."""
    if box.intersection(canvas).empty:
        return _("The new layer lies outside the canvas, at {x}, {y}.").format(x=box.x, y=box.y)
    if not enlarged or box.union(canvas) == canvas:
        return None
    sizes = {"width": box.width, "height": box.height, "canvas_width": canvas.width, "canvas_height": canvas.height}
    return _(
        "The new layer is {width} × {height} and reaches beyond the canvas of {canvas_width} × {canvas_height}. "
        "Switch on “Enlarge the canvas” to have it grow with the layer."
    ).format(**sizes)


def gone(move: Move | None, box: Box) -> str | None:
    """What to tell when the canvas was changed while a layer at `box` was made; `None` when nothing happened to it."""
    if move is None:
        return _("The canvas was changed in the meantime. The new layer lies where it was asked for, at {x}, {y}.").format(
            x=box.x, y=box.y
        )
    if move == STAYED:
        return None
    return _("The canvas was changed in the meantime; the new layer went with it.")
