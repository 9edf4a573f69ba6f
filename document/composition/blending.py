"""How two colours mix: the blend modes, as functions of backdrop and source.

Arrays are float32 `(3, H, W)` in [0, 1], straight colour; they never see alpha. The separable and the four
luminosity modes are those of PDF 32000-1:2008 section 11.3.5 (and CSS); the rest follow Photoshop's documented behaviour.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Blend = Callable[[Plane, Plane], Plane]
"""(backdrop, source) -> mixed colour"""

_TINY = np.float32(1e-9)


def _quotient(numerator: Plane, denominator: Plane) -> Plane:
    """At most 1; 0 / 0 is 0."""
    result: Plane = np.minimum(numerator / np.maximum(denominator, _TINY), 1)
    return result


def _screen(b: Plane, s: Plane) -> Plane:
    return b + s - b * s


def _hard_light(b: Plane, s: Plane) -> Plane:
    return np.where(s <= 0.5, b * 2 * s, _screen(b, 2 * s - 1))


def _soft_light(b: Plane, s: Plane) -> Plane:
    curve = np.where(b <= 0.25, ((16 * b - 12) * b + 4) * b, np.sqrt(b))
    return np.where(s <= 0.5, b - (1 - 2 * s) * b * (1 - b), b + (2 * s - 1) * (curve - b))


def _color_dodge(b: Plane, s: Plane) -> Plane:
    return _quotient(b, 1 - s)


def _color_burn(b: Plane, s: Plane) -> Plane:
    result: Plane = 1 - _quotient(1 - b, s)
    return result


def _vivid_light(b: Plane, s: Plane) -> Plane:
    mixed = np.where(s <= 0.5, _color_burn(b, 2 * s), _color_dodge(b, 2 * s - 1))
    result: Plane = np.where(s <= 0, 0, np.where(s >= 1, 1, mixed))
    return result


def _pin_light(b: Plane, s: Plane) -> Plane:
    return np.where(s <= 0.5, np.minimum(b, 2 * s), np.maximum(b, 2 * s - 1))


def _hard_mix(b: Plane, s: Plane) -> Plane:
    white: NDArray[np.bool_] = (b + s > 1) | ((b + s == 1) & (b > 0.5))
    return white.astype(np.float32)


def luminosity_of(c: Plane) -> Plane:
    """`(3, ...)` in [0, 1] -> `(...)`: how bright it looks, by the weights of the PDF reference."""
    result: Plane = 0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2]
    return result


def with_luminosity(c: Plane, luminosity: Plane) -> Plane:
    """Shift the colour to the luminosity, then pull it towards gray until it fits into [0, 1]."""
    c = c + (luminosity - luminosity_of(c))
    lowest, highest = c.min(axis=0), c.max(axis=0)
    c = np.where(lowest < 0, luminosity + (c - luminosity) * luminosity / np.maximum(luminosity - lowest, _TINY), c)
    fitted = luminosity + (c - luminosity) * (1 - luminosity) / np.maximum(highest - luminosity, _TINY)
    return np.clip(np.where(highest > 1, fitted, c), 0, 1)


def _saturation_of(c: Plane) -> Plane:
    result: Plane = c.max(axis=0) - c.min(axis=0)
    return result


def _with_saturation(c: Plane, saturation: Plane) -> Plane:
    result: Plane = (c - c.min(axis=0)) * (saturation / np.maximum(_saturation_of(c), _TINY))
    return result


def _color(b: Plane, s: Plane) -> Plane:
    return with_luminosity(s, luminosity_of(b))


BLENDS: dict[str, Blend] = {
    "darken": np.minimum,
    "multiply": np.multiply,
    "color-burn": lambda b, s: np.where(b >= 1, 1, _color_burn(b, s)),
    "linear-burn": lambda b, s: np.maximum(b + s - 1, 0),
    "darker-color": lambda b, s: np.where(luminosity_of(s) < luminosity_of(b), s, b),
    "lighten": np.maximum,
    "screen": _screen,
    "color-dodge": lambda b, s: np.where(b <= 0, 0, _color_dodge(b, s)),
    "linear-dodge": lambda b, s: np.minimum(b + s, 1),
    "lighter-color": lambda b, s: np.where(luminosity_of(s) > luminosity_of(b), s, b),
    "overlay": lambda b, s: _hard_light(s, b),
    "soft-light": _soft_light,
    "hard-light": _hard_light,
    "vivid-light": _vivid_light,
    "linear-light": lambda b, s: np.clip(b + 2 * s - 1, 0, 1),
    "pin-light": _pin_light,
    "hard-mix": _hard_mix,
    "difference": lambda b, s: np.abs(b - s),
    "exclusion": lambda b, s: b + s - 2 * b * s,
    "subtract": lambda b, s: np.maximum(b - s, 0),
    "divide": _quotient,
    "hue": lambda b, s: with_luminosity(_with_saturation(s, _saturation_of(b)), luminosity_of(b)),
    "saturation": lambda b, s: with_luminosity(_with_saturation(b, _saturation_of(s)), luminosity_of(b)),
    "color": _color,
    "luminosity": lambda b, s: _color(s, b),
}
"""Every mode except `normal`, which needs no mixing, and `dissolve`, which is drawn as normal (its noise is not specified)."""

SEPARABLE = BLENDS.keys() - {"darker-color", "lighter-color", "hue", "saturation", "color", "luminosity"}
"""The modes that mix each plane by itself, and so work in any colour model whose greatest value is white."""
