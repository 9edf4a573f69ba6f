"""Adjustments that treat each channel by itself: a table from old to new values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Planes = NDArray[np.float32]
"""`(3, H, W)` or any other shape, in [0, 1]."""
Change = Callable[[Planes], Planes]
"""Colours before -> colours after."""
Curve = NDArray[np.float64]

ENTRIES = 65536
"""Of a table: every value of 16 bits."""
GAMMA = 2.2
"""Exposure works in light; Photoshop takes the document's profile, of which sRGB is nearest to this power."""
KNEE = 0.55
"""Up to this value brightness is a mere factor."""


def invert() -> Change:
    """Each channel becomes its complement."""
    return lambda planes: 1 - planes


def levels(channels: Sequence[Sequence[float]]) -> Change:
    """`channels`: for all together, red, green and blue, or one for all, each (black in, white in, gamma, black out, white out).

    All but gamma are in 0..255.
    """
    return _tables([_level(*record) for record in channels])


def curves(channels: Sequence[Sequence[Sequence[float]]]) -> Change:
    """`channels`: for all together, red, green and blue, or one for all, each the points (in, out) of a curve, in 0..255.

    No points change nothing. Through fewer than 20 goes a natural cubic spline, as Photoshop draws it; more are a curve drawn by
    hand.
    """
    return _tables([_curve(points) for points in channels])


def exposure(exposure: float, offset: float, gamma: float, power: float = GAMMA) -> Change:
    """Stops, an offset of light in [-0.5, 0.5], and a gamma in [0.01, 9.99]; light is the `power` of a value."""
    light = _values() ** power * 2**exposure + offset
    return _tables([np.clip(light, 0, 1) ** (1 / (power * min(max(gamma, 0.01), 9.99)))])


def posterize(levels: int) -> Change:
    """That many values for each channel, in [2, 255]."""
    steps = min(max(levels, 2), 255)
    return _tables([np.floor(_values() * 255 / 256 * steps + 1e-6) / (steps - 1)])


def brightness_contrast(brightness: float, contrast: float, legacy: bool = False) -> Change:
    """Brightness in [-150, 150], contrast in [-50, 100]; with `legacy` both in [-100, 100], as before Photoshop CS3."""
    values = _values()
    if legacy:
        if contrast > 0:  # brightness comes before more contrast, and after less
            return _tables([(values + brightness / 255 - 0.5) / max(1 - contrast / 100, 1e-3) + 0.5])
        return _tables([(values - 0.5) * (1 + contrast / 100) + 0.5 + brightness / 255])
    contrasted = spline((0, 63 / 255, 191 / 255, 1), (0, (63 - contrast / 4) / 255, (191 + contrast / 4) / 255, 1), values)
    return _tables([np.interp(_lifted(brightness, values), values, contrasted)])


def spline(x: ArrayLike, y: ArrayLike, at: Curve) -> Curve:
    """The natural cubic spline through the points, which must lie at least two and left to right; level beyond its ends."""
    places, heights = np.asarray(x, float), np.asarray(y, float)
    gaps, slopes = np.diff(places), np.diff(heights) / np.diff(places)
    system = np.eye(len(places))
    bends = np.zeros(len(places))
    for i in range(1, len(places) - 1):
        system[i, i - 1 : i + 2] = gaps[i - 1], 2 * (gaps[i - 1] + gaps[i]), gaps[i]
        bends[i] = 6 * (slopes[i] - slopes[i - 1])
    second = np.linalg.solve(system, bends)
    at = np.clip(at, places[0], places[-1])
    gap = np.clip(np.searchsorted(places, at, side="right") - 1, 0, len(gaps) - 1)
    width, right, left = gaps[gap], at - places[gap], places[gap + 1] - at
    bent = (second[gap] * left**3 + second[gap + 1] * right**3) / (6 * width)
    straight = (heights[gap] / width - second[gap] * width / 6) * left
    result: Curve = bent + straight + (heights[gap + 1] / width - second[gap + 1] * width / 6) * right
    return result


def _values() -> Curve:
    return np.linspace(0, 1, ENTRIES)


def _level(black: float, white: float, gamma: float, low: float, high: float) -> Curve:
    share = np.clip((_values() * 255 - black) / max(white - black, 1e-9), 0, 1)
    result: Curve = (low + (high - low) * share ** (1 / min(max(gamma, 0.01), 9.99))) / 255
    return result


def _curve(points: Sequence[Sequence[float]]) -> Curve:
    if len(points) < 2:
        return _values()
    ordered = sorted({float(x): float(y) for x, y in points}.items())
    x, y = (np.array(column) / 255 for column in zip(*ordered, strict=True))
    values = _values()
    return np.interp(values, x, y) if len(x) > 19 else spline(x, y, values)


def _lifted(brightness: float, values: Curve) -> Curve:
    """Brightness: so many times as bright, and from `KNEE` on bent towards white; darker is the same curve backwards.

    Photoshop publishes no formula. Doubling every 110 and this bend were fitted to tables read out of its own pictures, for -95,
    -31, 23 and 150: with contrast they differ from it by 0.9 to 2.5 levels in the mean.
    """
    factor = 2 ** (abs(brightness) / 110)
    t = np.linspace(0, 1, 1024)
    bend = np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])
    before = [KNEE, KNEE + (1 - KNEE) * 0.75, 1 + 0.25 * (factor - 1), factor] @ bend / factor
    after = [KNEE, KNEE + (1 - KNEE) * 0.75, 1, 1] @ bend
    before, after = np.concatenate([[0], before]), np.concatenate([[0], after])
    return np.interp(values, before, after) if brightness > 0 else np.interp(values, after, before)


def _tables(curves: Sequence[Curve]) -> Change:
    """One table for all channels, or one for all together and then one for each: a channel's own comes first."""
    tables = [np.clip(curve, 0, 1).astype(np.float32) for curve in curves]

    def change(planes: Planes) -> Planes:
        if len(tables) == 1:
            return _looked_up(tables[0], planes)
        return np.stack([_looked_up(tables[0], _looked_up(own, plane)) for own, plane in zip(tables[1:], planes, strict=True)])

    return change


def _looked_up(table: NDArray[np.float32], values: Planes) -> Planes:
    return table[np.rint(values * (ENTRIES - 1)).astype(np.intp)]
