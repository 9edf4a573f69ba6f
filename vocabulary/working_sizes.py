"""The sizes at which a model draws well, and what becomes of a picture of another size. Knows numbers; knows no picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Fit = Literal["cover", "contain"]
"""How a target lies on a canvas of a fixed size: it covers it, or is contained in it."""
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Drawn:
    """How large a picture is drawn before it is fitted to the size that was asked for."""

    width: int
    height: int
    enlarged: float = 1.0
    """How many times larger the result shows it; below 1 it was drawn larger than it is shown."""


@dataclass(frozen=True)
class NativeSizes:
    """The sizes that a model was trained for."""

    native: int
    """Side of the square it was trained at, in pixels."""
    smallest: float = 0.5
    """Least working area as a share of `native` squared."""
    largest: float = 2.25
    """Most working area as a share of `native` squared; larger targets are made at this area and enlarged."""
    square_only: bool = False
    """The canvas is always `native` x `native`."""

    def scaled(self, width: int, height: int, fit: Fit) -> Size:
        """The target's size on the working canvas; one that covers a square sticks out of it."""
        if self.square_only:
            side = min(width, height) if fit == "cover" else max(width, height)
            return _scaled(width, height, self.native / side)
        area = width * height / self.native**2
        return _scaled(width, height, math.sqrt(min(max(area, self.smallest), self.largest) / area))

    def drawn(self, width: int, height: int, fit: Fit) -> Drawn:
        """How large a picture of this size is drawn."""
        scaled = self.scaled(width, height, fit)
        seen = (min(scaled[0], self.native), min(scaled[1], self.native)) if self.square_only else scaled
        return Drawn(*seen, round(max(width, height) / max(scaled), 3))


def _scaled(width: int, height: int, scale: float) -> Size:
    return max(1, round(width * scale)), max(1, round(height * scale))
