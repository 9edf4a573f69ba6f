"""What happened to a canvas while a job ran: cropped, enlarged, scaled, turned or mirrored, told from where its layers lie.

No editor tells plug-ins of it, but each can say where its layers are; two such lists give the way that everything went.
Knows rectangles, not what is in them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from acetate.protocol import Box

NEAR = 2
"""By how many pixels an edge may be off: scaling rounds, and spreads edges by a pixel."""
SAME_ASPECT = 0.01


@dataclass(frozen=True)
class Spot:
    """Where one layer lies."""

    box: Box
    """The extent of what is in it."""
    origin: tuple[int, int]
    """Where the corner lies that the editor counts its pixels from: it moves with the layer and with the canvas."""


@dataclass(frozen=True)
class Surroundings:
    """The canvas and where its layers lie, by any names that stay the same."""

    canvas: Box
    layers: Mapping[str, Spot] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """The way that every point of a canvas went: x' = xx · x + xy · y + x0, y' = yx · x + yy · y + y0."""

    xx: float = 1
    xy: float = 0
    x0: float = 0
    yx: float = 0
    yy: float = 1
    y0: float = 0

    def point(self, x: float, y: float) -> tuple[float, float]:
        return self.xx * x + self.xy * y + self.x0, self.yx * x + self.yy * y + self.y0

    def box(self, box: Box) -> Box:
        """Where the box has gone, in whole pixels."""
        (left, top), (right, bottom) = self.point(box.x, box.y), self.point(box.right, box.bottom)
        edges = min(left, right), min(top, bottom), max(left, right), max(top, bottom)
        return Box.between(*(round(edge) for edge in edges))

    @property
    def only_shifts(self) -> bool:
        """Whether size and direction have stayed as they were."""
        return (self.xx, self.xy, self.yx, self.yy) == (1, 0, 0, 1)


STAYED = Move()


def move_between(before: Surroundings, after: Surroundings) -> Move | None:
    """How the canvas went from one to the other; `None` when that cannot be told.

    A single layer that was moved on an unchanged canvas is the artist's own move, not the canvas's.
    """
    common = [(spot, after.layers[name]) for name, spot in before.layers.items() if name in after.layers]
    resized = _size(before.canvas) != _size(after.canvas)
    if not resized and all(was == now for was, now in common):
        return STAYED
    for move in _turns(before.canvas, after.canvas):
        if _evident(move, common, before.canvas) and _agree(move, common, before.canvas):
            return move
    shift = _common_shift(common)
    if resized and shift in (None, (0, 0)):
        scaling = Move(xx=after.canvas.width / before.canvas.width, yy=after.canvas.height / before.canvas.height)
        likely = _same_aspect(before.canvas, after.canvas) or _telling(common, before.canvas)
        if likely and _agree(scaling, common, before.canvas):
            return scaling
    if shift is not None and (resized or len(common) > 1):
        return Move(x0=shift[0], y0=shift[1])
    return None if resized else STAYED


def _size(canvas: Box) -> tuple[int, int]:
    return canvas.width, canvas.height


def _turns(before: Box, after: Box) -> Iterator[Move]:
    """The quarter turns and mirrorings that lead from one canvas to the other."""
    width, height = _size(before)
    if _size(after) == (width, height):
        yield Move(xx=-1, x0=width, yy=-1, y0=height)
        yield Move(xx=-1, x0=width)
        yield Move(yy=-1, y0=height)
    if _size(after) == (height, width):
        yield Move(xx=0, xy=-1, x0=height, yx=1, yy=0)
        yield Move(xx=0, xy=1, yx=-1, yy=0, y0=width)


def _same_aspect(before: Box, after: Box) -> bool:
    return abs(before.width * after.height / (before.height * after.width) - 1) <= SAME_ASPECT


Pairs = list[tuple[Spot, Spot]]


def _telling(common: Pairs, canvas: Box) -> Pairs:
    """The layers whose extent says something: one that fills the canvas always does."""
    return [(was, now) for was, now in common if not was.box.empty and was.box.intersection(canvas) != canvas]


def _evident(turn: Move, common: Pairs, canvas: Box) -> bool:
    """Whether something speaks for a turn: a layer's extent, or the corner that its pixels are counted from."""
    if any(_near(turn.box(was.box), now.box) and not _near(was.box, now.box) for was, now in _telling(common, canvas)):
        return True
    origins = [(was.origin, now.origin) for was, now in common if was.origin != now.origin]
    return bool(origins) and all(_of_pixel(turn, was) == now for was, now in origins)


def _of_pixel(move: Move, pixel: tuple[int, int]) -> tuple[float, float]:
    x, y = move.point(pixel[0] + 0.5, pixel[1] + 0.5)
    return x - 0.5, y - 0.5


def _agree(move: Move, common: Pairs, before: Box) -> bool:
    return all(_near(move.box(was.box), now.box) for was, now in _telling(common, before))


def _near(one: Box, other: Box) -> bool:
    edges = zip((one.x, one.y, one.right, one.bottom), (other.x, other.y, other.right, other.bottom), strict=True)
    return all(abs(mine - others) <= NEAR for mine, others in edges)


def _common_shift(common: Pairs) -> tuple[int, int] | None:
    """By how much all layers were shifted; `None` when they went different ways, or there are none."""
    shifts = {(now.origin[0] - was.origin[0], now.origin[1] - was.origin[1]) for was, now in common}
    return shifts.pop() if len(shifts) == 1 else None
