"""How much of a picture around a selection counts: the engine draws in that box, and an editor need not send more.

Knows rectangles; knows no picture.
"""

from __future__ import annotations

from .box import Box

CONTEXT = 0.5
"""The surroundings that the networks see, as a share of the selection's longer side on each side."""
LARGEST_NATIVE = 1024
"""The longest native side of a family of models: with so much around a selection, every model finds what it would look at."""


def surrounded(selected: Box, within: Box, least: int) -> Box:
    """The selection with its context: near square, at least `least` wide and high where `within` has the room.

    For a smaller `least` the box lies in that for a larger one, and is the same whichever of both is `within`.
    """
    side = max(round(max(selected.width, selected.height) * (1 + 2 * CONTEXT)), least)
    x, width = _span(selected.x, selected.right, side, within.x, within.right)
    y, height = _span(selected.y, selected.bottom, side, within.y, within.bottom)
    return Box(x, y, width, height)


def _span(start: int, end: int, length: int, first: int, last: int) -> tuple[int, int]:
    """Start and length of what is `length` long and centred on [start, end), moved inside [first, last) and cut to it."""
    length = min(max(length, end - start), last - first)
    return min(max((start + end - length) // 2, first), last - length), length
