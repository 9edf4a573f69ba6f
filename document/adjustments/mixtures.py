"""Adjustments that mix the channels: each new value is a sum of the three old ones, or a colour for their brightness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..composition.blending import luminosity_of, with_luminosity
from .tables import Change, Planes


def threshold(level: int) -> Change:
    """White where the brightness is at least `level`, in 1..255, and black elsewhere."""

    def change(planes: Planes) -> Planes:
        white = np.rint(luminosity_of(planes) * 255) >= level
        return np.broadcast_to(white, planes.shape).astype(np.float32)

    return change


def channel_mixer(rows: Sequence[Sequence[float]]) -> Change:
    """`rows`: for red, green and blue each the percentages of red, green and blue, and a constant one; one row makes gray.

    Raises `ValueError` for other rows.
    """
    weights = np.asarray(rows, np.float32) / 100
    if weights.ndim != 2 or weights.shape not in ((1, 4), (3, 4)):
        raise ValueError(f"the rows of a channel mixer are {rows!r}; it has one or three of four percentages")

    def change(planes: Planes) -> Planes:
        mixed = np.einsum("oi,ihw->ohw", weights[:, :3], planes) + weights[:, 3, None, None]
        result: Planes = np.clip(np.broadcast_to(mixed, planes.shape), 0, 1).astype(np.float32)
        return result

    return change


def black_and_white(weights: Sequence[float], tint: Sequence[float] | None = None) -> Change:
    """`weights`: percentages for red, yellow, green, cyan, blue and magenta; `tint` colours the gray, RGB in 0..255.

    A colour is its smallest channel in gray, a secondary colour up to its middle one, and a primary one up to its largest.
    """
    red, yellow, green, cyan, blue, magenta = (np.float32(weight / 100) for weight in weights)
    primary = np.array([red, green, blue], np.float32)
    secondary = np.array([cyan, magenta, yellow], np.float32)  # by the channel that it lacks

    def change(planes: Planes) -> Planes:
        order = np.argsort(planes, axis=0)
        low, middle, high = np.take_along_axis(planes, order, axis=0)
        gray = np.clip(low + (middle - low) * secondary[order[0]] + (high - middle) * primary[order[2]], 0, 1)
        if tint is None:
            return np.broadcast_to(gray, planes.shape)
        colour = np.broadcast_to(np.asarray(tint, np.float32)[:, None, None] / np.float32(255), planes.shape)
        return with_luminosity(colour, gray)

    return change


def photo_filter(colour: Sequence[float], density: float, luminosity: bool) -> Change:
    """A gel of the `colour`, RGB in 0..255, `density` percent thick; with `luminosity` the picture stays as bright."""
    gel = np.asarray(colour, np.float32)[:, None, None] / np.float32(255)

    def change(planes: Planes) -> Planes:
        seen: Planes = (planes * (1 - np.float32(density / 100) * (1 - gel))).astype(np.float32)
        return with_luminosity(seen, luminosity_of(planes)) if luminosity else seen

    return change


def gradient_map(stops: Sequence[Sequence[float]]) -> Change:
    """`stops`: (place in [0, 1], red, green, blue in 0..255), dark to bright: the colour that each brightness becomes."""
    places = [stop[0] for stop in stops]

    def change(planes: Planes) -> Planes:
        brightness = luminosity_of(planes)
        channels = [np.interp(brightness, places, [stop[1 + channel] / 255 for stop in stops]) for channel in range(3)]
        return np.stack(channels).astype(np.float32)

    return change
