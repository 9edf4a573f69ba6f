"""Paints: one colour, a gradient or a repeated tile, over a box of the canvas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from acetate.raster import RGBA, Float
from acetate.vocabulary.box import Box
from numpy.typing import NDArray

Stop = tuple[float, float, Sequence[float]]
"""Place in [0, 1]; midpoint in [0, 1] between the stop before and this one; values."""
Along = Callable[[Float, Float, np.float32], Float]


@dataclass(frozen=True)
class Solid:
    """One opaque colour."""

    colour: tuple[float, float, float]
    """RGB in 0..255."""

    def draw(self, box: Box, area: Box) -> tuple[Float, Float]:
        """Colour `(3, H, W)` and alpha `(H, W)` of a box, in [0, 1]; `area` is what a gradient spans."""
        planes = np.asarray(self.colour, np.float32)[:, None, None] / 255
        shape = (box.height, box.width)
        return np.broadcast_to(planes, (3, *shape)), np.ones(shape, np.float32)


@dataclass(frozen=True)
class Gradient:
    """Colours between stops, along a line, from a point, around it, to both sides of it or in a diamond."""

    kind: str
    """One of `ALONG`."""
    colours: Sequence[Stop]
    """Values are RGB in 0..255."""
    alphas: Sequence[Stop] = ((0.0, 0.5, (1.0,)),)
    """Values are one number in [0, 1]."""
    angle: float = 0.0
    """Degrees, counter-clockwise; 0 = to the right."""
    scale: float = 1.0
    reverse: bool = False
    offset: tuple[float, float] = (0.0, 0.0)
    """By which share of the area's width and height its centre lies beside the area's."""

    def draw(self, box: Box, area: Box) -> tuple[Float, Float]:
        """As `Solid.draw`: `(3, H, W)` and `(H, W)`."""
        across, down = np.meshgrid(np.arange(box.width, dtype=np.float32), np.arange(box.height, dtype=np.float32))
        x = across + np.float32(box.x + 0.5 - area.x - area.width * (0.5 + self.offset[0]))
        y = down + np.float32(box.y + 0.5 - area.y - area.height * (0.5 + self.offset[1]))
        turn = np.radians(self.angle)
        cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        along, aside = x * cosine - y * sine, x * sine + y * cosine
        reach = abs(area.width * cosine) + abs(area.height * sine)
        place = np.clip(ALONG[self.kind](along, aside, np.float32(max(float(reach) * self.scale, 1.0))), 0, 1)
        if self.reverse:
            place = 1 - place
        planes = [_between(place, self.colours, channel) / 255 for channel in range(3)]
        return np.stack(planes).astype(np.float32), _between(place, self.alphas, 0).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Pattern:
    """A tile, repeated."""

    tile: RGBA
    """`(H, W, 4)` uint8 straight."""
    origin: tuple[float, float] | None = (0.0, 0.0)
    """Where on the canvas a tile begins; `None` for the corner of the area."""

    scale: float = 1.0
    """At least 1. Between the pixels of a larger tile lie mixtures of two by two, as Photoshop has them."""

    def draw(self, box: Box, area: Box) -> tuple[Float, Float]:
        """As `Solid.draw`: `(3, H, W)` and `(H, W)`."""
        left, top = (area.x, area.y) if self.origin is None else (round(self.origin[0]), round(self.origin[1]))
        pixels = self.tile.astype(np.float32) * np.float32(1 / 255)
        if self.scale == 1:
            rows, columns = np.arange(box.y, box.bottom) - top, np.arange(box.x, box.right) - left
            pixels = pixels[(rows % len(pixels))[:, None], columns % pixels.shape[1]]
            return np.moveaxis(pixels[..., :3], -1, 0), pixels[..., 3]
        pixels[..., :3] *= pixels[..., 3:]
        pixels = _repeated(pixels, (np.arange(box.y, box.bottom) - top) / self.scale, axis=0)
        pixels = _repeated(pixels, (np.arange(box.x, box.right) - left) / self.scale, axis=1)
        alpha = pixels[..., 3]
        colour = np.moveaxis(pixels[..., :3], -1, 0) / np.maximum(alpha, np.float32(1e-6))
        return colour.astype(np.float32, copy=False), alpha


def _repeated(pixels: Float, places: NDArray[np.float64], axis: int) -> Float:
    """The pixels at the places along an axis, over and over; between two pixels a mixture of both."""
    first, count = np.floor(places).astype(np.int64), pixels.shape[axis]
    share = (places - first).astype(np.float32)[(...,) + (None,) * (pixels.ndim - 1 - axis)]
    before = np.take(pixels, first % count, axis=axis)
    mixed: Float = before + (np.take(pixels, (first + 1) % count, axis=axis) - before) * share
    return mixed


Paint = Solid | Gradient | Pattern


def _linear(along: Float, aside: Float, reach: np.float32) -> Float:
    return along / reach + np.float32(0.5)


def _radial(along: Float, aside: Float, reach: np.float32) -> Float:
    result: Float = np.hypot(along, aside) * (2 / reach)
    return result


def _around(along: Float, aside: Float, reach: np.float32) -> Float:
    return np.asarray((-np.arctan2(aside, along) / np.float32(2 * np.pi)) % np.float32(1), np.float32)


def _reflected(along: Float, aside: Float, reach: np.float32) -> Float:
    return np.abs(along) * (2 / reach)


def _diamond(along: Float, aside: Float, reach: np.float32) -> Float:
    return (np.abs(along) + np.abs(aside)) * (2 / reach)


ALONG: dict[str, Along] = {
    "linear": _linear,
    "radial": _radial,
    "angle": _around,
    "reflected": _reflected,
    "diamond": _diamond,
}
"""How far along the gradient a point is: from its distances along and beside the line, and the line's length."""


def _between(place: Float, stops: Sequence[Stop], channel: int) -> NDArray[np.float64]:
    """The stops' values at each place; halfway between two stops' values lies at their midpoint."""
    places, values = [], []
    for number, (at, middle, value) in enumerate(stops):
        if number and middle != 0.5:
            before, start = stops[number - 1][2][channel], stops[number - 1][0]
            places.append(start + (at - start) * middle)
            values.append((before + value[channel]) / 2)
        places.append(at)
        values.append(value[channel])
    return np.interp(place, places, values)
