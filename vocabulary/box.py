"""Rectangles of pixels: where a layer lies, what a network sees, which part of a picture goes back. Knows no picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels: its top left corner and its size. It may lie anywhere, and is empty when it has no area."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def between(cls, left: int, top: int, right: int, bottom: int) -> Box:
        """The box of these edges, of which `right` and `bottom` are outside; empty where they lie before the others."""
        return cls(left, top, max(0, right - left), max(0, bottom - top))

    @property
    def right(self) -> int:
        """The first column to the right of the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below the box."""
        return self.y + self.height

    @property
    def empty(self) -> bool:
        """Whether the box has no pixels."""
        return self.width <= 0 or self.height <= 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """The index of this part of an array `(H, W, …)`: rows, then columns. The corner must not be negative."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def intersection(self, other: Box) -> Box:
        """What both have in common; empty when that is nothing."""
        return Box.between(
            max(self.x, other.x), max(self.y, other.y), min(self.right, other.right), min(self.bottom, other.bottom)
        )

    def union(self, other: Box) -> Box:
        """The smallest box that holds both; an empty one adds nothing."""
        if other.empty:
            return self
        if self.empty:
            return other
        return Box.between(
            min(self.x, other.x), min(self.y, other.y), max(self.right, other.right), max(self.bottom, other.bottom)
        )

    def grown(self, by: int) -> Box:
        """`by` pixels more on every side."""
        return Box(self.x - by, self.y - by, self.width + 2 * by, self.height + 2 * by)

    def translated(self, x: int, y: int) -> Box:
        """The same size, moved by `x` to the right and `y` down."""
        return Box(self.x + x, self.y + y, self.width, self.height)

    def relative_to(self, origin: Box) -> Box:
        """The same pixels, counted from the top left corner of `origin`."""
        return self.translated(-origin.x, -origin.y)

    def scaled(self, factor: float) -> Box:
        """`factor` times as large, at least one pixel, its top left corner where it was."""
        return Box(self.x, self.y, max(1, round(self.width * factor)), max(1, round(self.height * factor)))

    def centred(self, width: int, height: int) -> Box:
        """A box of that size with the same centre, to the pixel."""
        return Box(self.x + (self.width - width) // 2, self.y + (self.height - height) // 2, width, height)
