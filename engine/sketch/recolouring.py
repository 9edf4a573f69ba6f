"""A drawing in another colour or of another material. On floats in [0, 1], premultiplied `(H, W, 4)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from acetate.raster import premultiply, resample, unpremultiply
from numpy.typing import NDArray

Plane = NDArray[np.float32]

HUES = {
    "red": 0.0,
    "orange": 28.0,
    "yellow": 50.0,
    "green": 125.0,
    "blue": 215.0,
    "purple": 275.0,
    "pink": 335.0,
    "brown": 24.0,
    "gold": 44.0,
}
"""Colour word -> hue in degrees."""


class _Tone(NamedTuple):
    """What becomes of saturation and brightness: a factor each, and how near brightness is brought to 1."""

    saturation: float = 1.0
    brightness: float = 1.0
    lighter: float = 0.0


_TONES = {
    "pink": _Tone(0.6, lighter=0.6),
    "yellow": _Tone(lighter=0.5),
    "gold": _Tone(0.95, lighter=0.3),
    "brown": _Tone(0.75, 0.62),
    "black": _Tone(0.15, 0.28),
    "white": _Tone(0.06, lighter=0.8),
    "grey": _Tone(0.05, 0.8),
    "silver": _Tone(0.04, lighter=0.45),
}
_FAINT = 0.2
"""Share of coloured pixels below which a drawing is taken for grey, and tinted."""


def recoloured(premultiplied: Plane, colour: str) -> Plane:
    """The drawing with all that is coloured in it in `colour`; whites, greys and blacks stay, unless there is nothing else."""
    straight = unpremultiply(premultiplied)
    hue, saturation, value = _hsv(straight[..., :3])
    alpha = straight[..., 3]
    coloured = np.clip((saturation - 0.2) / 0.16, 0, 1)
    if (coloured * alpha).sum() < _FAINT * alpha.sum():
        coloured = np.clip((value - 0.06) / 0.15, 0, 1) * np.clip((1.02 - value) / 0.12, 0, 1)
        saturation = np.maximum(saturation, 0.75 * coloured)
    tone = _TONES.get(colour, _Tone())
    turned = np.full_like(hue, HUES[colour] / 360) if colour in HUES else hue
    bright = value * tone.brightness
    rgb = _rgb(turned, np.clip(saturation * tone.saturation, 0, 1), bright + (1 - bright) * tone.lighter)
    mixed = rgb * coloured[..., None] + straight[..., :3] * (1 - coloured[..., None])
    return premultiply(np.concatenate([mixed, straight[..., 3:]], axis=2).astype(np.float32))


def of_glass(premultiplied: Plane) -> Plane:
    """See-through, but for its outlines and its lights."""
    straight = unpremultiply(premultiplied)
    alpha, rgb = straight[..., 3:], straight[..., :3]
    light = rgb.max(axis=2, keepdims=True)
    lines = _lines(straight)
    kept = np.clip(0.28 + 0.5 * lines + 0.45 * np.clip((light - 0.8) / 0.2, 0, 1), 0, 0.92)
    pale = rgb * 0.65 + (0.55 + 0.45 * light) * np.array([0.84, 0.94, 1.0], np.float32) * 0.35
    return premultiply(np.concatenate([np.clip(pale, 0, 1), alpha * kept], axis=2).astype(np.float32))


def of_metal(premultiplied: Plane) -> Plane:
    """In greys that come and go, as of polished metal; a trace of its colours stays."""
    straight = unpremultiply(premultiplied)
    rgb = straight[..., :3]
    grey = (rgb @ np.array([0.3, 0.55, 0.15], np.float32))[..., None]
    rows = np.linspace(0, 1, rgb.shape[0], dtype=np.float32)[:, None, None]
    band = 0.5 + 0.5 * np.sin(9 * grey + 5 * rows + 0.6)
    shine = np.clip(0.18 + 0.55 * grey + 0.34 * (band - 0.4), 0, 1)
    return premultiply(np.concatenate([np.clip(shine * 0.86 + rgb * 0.14, 0, 1), straight[..., 3:]], axis=2).astype(np.float32))


MATERIALS: dict[str, Callable[[Plane], Plane]] = {"glass": of_glass, "metal": of_metal}
"""Word -> what makes a drawing of it."""


def _lines(straight: Plane) -> Plane:
    """How much of an edge, of alpha or of brightness, there is at each place, `(H, W, 1)` in [0, 1]."""
    seen = np.concatenate([straight[..., 3:], straight[..., :3].mean(axis=2, keepdims=True) * straight[..., 3:]], axis=2)
    height, width = seen.shape[:2]
    soft = resample(resample(seen, width // 4, height // 4, "area"), width, height, "linear")
    edges: Plane = np.clip(np.abs(seen - soft).max(axis=2, keepdims=True) * 3, 0, 1)
    return edges


def _hsv(rgb: Plane) -> tuple[Plane, Plane, Plane]:
    value, least = rgb.max(axis=2), rgb.min(axis=2)
    spread = np.maximum(value - least, 1e-6)
    red, green, blue = (rgb[..., i] for i in range(3))
    turn = np.where(
        value == red, (green - blue) / spread % 6, np.where(value == green, (blue - red) / spread + 2, (red - green) / spread + 4)
    )
    return (turn / 6).astype(np.float32), (spread / np.maximum(value, 1e-6)).astype(np.float32), value


def _rgb(hue: Plane, saturation: Plane, value: Plane) -> Plane:
    steps = (np.array([5, 3, 1], np.float32) + hue[..., None] * 6) % 6
    found: Plane = value[..., None] * (1 - saturation[..., None] * np.clip(np.minimum(steps, 4 - steps), 0, 1))
    return found
