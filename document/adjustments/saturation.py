"""Hue/saturation: shifts in the double cone of hue, saturation and lightness, for all colours and for ranges of hue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .tables import Change, Planes


class Shift(NamedTuple):
    """What happens to the colours of a range of hue."""

    range: Sequence[float]
    """Four angles in degrees: from none at the first to whole at the second, from whole at the third to none at the fourth."""
    hue: float
    """Degrees."""
    saturation: float
    """Percent, in [-100, 100]."""
    lightness: float


def hue_saturation(
    hue: float, saturation: float, lightness: float, colorize: bool = False, ranges: Sequence[Sequence[object]] = ()
) -> Change:
    """Degrees, and percentages in [-100, 100]; `colorize` gives all colours the hue and the saturation, in [0, 100].

    `ranges` are `Shift`s, as tuples.
    """
    if colorize:
        return lambda planes: _rgb(*_colorized(planes, hue, saturation / 100, lightness / 100))
    shifts = [shift for one in ranges if any((shift := Shift(*one))[1:])]  # type: ignore[arg-type]

    def change(planes: Planes) -> Planes:
        angle, chroma, light = _hsl(_lightened(planes, lightness / 100))
        chroma = np.minimum(chroma * np.float32(_stretch(saturation)), 1)
        turned, stretch = np.full_like(angle, hue), np.ones_like(angle)
        for shift in shifts:
            share = _share(angle, shift.range)
            turned += share * shift.hue
            stretch += share * (_stretch(shift.saturation) - 1)
            light, chroma = _range_lightened(light, chroma, share * np.float32(shift.lightness / 100))
        return _rgb(angle + turned, np.clip(chroma * np.maximum(stretch, 0), 0, 1), light)

    return change


def _stretch(saturation: float) -> float:
    """The factor of saturation; ranges add theirs up (the grid in psd-tools 1.26, composite/adjustments.py, shows it)."""
    return 1 / max(1 - saturation / 100, 0.01) if saturation > 0 else 1 + saturation / 100


def _lightened(planes: Planes, lightness: float) -> Planes:
    return planes * np.float32(1 - abs(lightness)) + np.float32(max(lightness, 0))


def _range_lightened(light: Planes, chroma: Planes, lightness: Planes) -> tuple[Planes, Planes]:
    """Towards white, or towards the dark end of the colour's brightest channel: gray, which no range of hue means, stays."""
    spread = chroma * (1 - np.abs(2 * light - 1)) / 2
    high, low = light + spread, light - spread
    up, down = np.maximum(lightness, 0), np.maximum(-lightness, 0)
    low = low + (high - low) * up
    high = high - (high - low) * down
    light = (high + low) / 2
    return light, (high - low) / np.maximum(1 - np.abs(2 * light - 1), np.float32(1e-6))


def _colorized(planes: Planes, hue: float, saturation: float, lightness: float) -> tuple[Planes, Planes, Planes]:
    light = _lightened((planes.max(axis=0) + planes.min(axis=0)) / 2, lightness)
    return np.full_like(light, hue), np.full_like(light, saturation), light


def _share(angle: Planes, range: Sequence[float]) -> Planes:
    begin, whole, until, end = ((one - range[0]) % 360 for one in range)
    share: Planes = np.interp((angle - range[0]) % 360, [begin, whole, until, end], [0, 1, 1, 0], right=0).astype(np.float32)
    return share


def _hsl(planes: Planes) -> tuple[Planes, Planes, Planes]:
    """Hue in degrees, saturation and lightness in [0, 1]."""
    red, green, blue = planes
    high, low = planes.max(axis=0), planes.min(axis=0)
    spread = high - low
    per = 60 / np.maximum(spread, np.float32(1e-6))
    angle = np.where(
        high == red, (green - blue) * per, np.where(high == green, 120 + (blue - red) * per, 240 + (red - green) * per)
    )
    light = (high + low) / 2
    return angle % 360, spread / np.maximum(1 - np.abs(2 * light - 1), np.float32(1e-6)), light


def _rgb(angle: Planes, saturation: Planes, light: Planes) -> Planes:
    """From degrees, saturation and lightness."""
    reach = saturation * np.minimum(light, 1 - light)
    sector = (np.array([0, 8, 4], np.float32)[:, None, None] + angle / 30) % 12
    result = light - reach * np.clip(np.minimum(sector - 3, 9 - sector), -1, 1)
    clipped: Planes = np.clip(result, 0, 1).astype(np.float32)
    return clipped
