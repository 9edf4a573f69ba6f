"""Simple opaque backgrounds drawn by formulas, and subjects in front of them.

They teach the network what lies behind a layer, so that layers can be drawn together with their background.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from acetate.raster import RGBA, to_float, to_u8
from numpy.typing import NDArray

from .procedural import noise

Plane = NDArray[np.float32]
Colour = tuple[float, float, float]


def background(name: str, size: int, rng: np.random.Generator) -> RGBA:
    """One of `SCENERY`, `(size, size, 4)` opaque, with another horizon, light and texture each time."""
    rgb = SCENERY[name](size, rng) * np.float32(rng.uniform(0.93, 1.05))
    return to_u8(np.concatenate([np.clip(rgb, 0, 1), np.ones((size, size, 1), np.float32)], axis=2))


def in_front(subject_straight: RGBA, background_opaque: RGBA) -> RGBA:
    """The subject, `(H, W, 4)` straight, composited over the background; opaque, of the same size."""
    front, back = to_float(subject_straight), to_float(background_opaque)
    alpha = front[..., 3:]
    rgb = front[..., :3] * alpha + back[..., :3] * (1 - alpha)
    return to_u8(np.concatenate([rgb, np.ones_like(alpha)], axis=2))


def _sky(size: int, rng: np.random.Generator) -> Plane:
    clouds = np.clip((noise((size, size), rng) - 0.5) * 3, 0, 1)[..., None]
    return np.asarray(_fade(size, (0.25, 0.55, 0.92), (0.72, 0.88, 1.0)) * (1 - clouds) + clouds, np.float32)


def _meadow(size: int, rng: np.random.Generator) -> Plane:
    return _land(size, rng, _fade(size, (0.45, 0.72, 0.98), (0.82, 0.93, 1.0)), (0.45, 0.75, 0.25), (0.22, 0.52, 0.14), 0.12)


def _sea(size: int, rng: np.random.Generator) -> Plane:
    return _land(size, rng, _fade(size, (0.55, 0.78, 0.98), (0.9, 0.95, 1.0)), (0.2, 0.6, 0.78), (0.04, 0.28, 0.5), 0.0)


def _desert(size: int, rng: np.random.Generator) -> Plane:
    return _land(size, rng, _fade(size, (0.4, 0.7, 0.95), (0.98, 0.93, 0.8)), (0.95, 0.8, 0.5), (0.8, 0.55, 0.28), 0.2)


def _snow(size: int, rng: np.random.Generator) -> Plane:
    return _land(size, rng, _fade(size, (0.6, 0.72, 0.86), (0.86, 0.91, 0.96)), (0.97, 0.98, 1.0), (0.8, 0.87, 0.96), 0.15)


def _sunset(size: int, rng: np.random.Generator) -> Plane:
    return _land(size, rng, _fade(size, (0.38, 0.2, 0.5), (1.0, 0.62, 0.25)), (0.35, 0.16, 0.25), (0.16, 0.07, 0.16), 0.08)


def _night(size: int, rng: np.random.Generator) -> Plane:
    sky = _fade(size, (0.03, 0.04, 0.14), (0.1, 0.13, 0.32))
    for _ in range(rng.integers(10, 18)):
        top, left = rng.integers(0, size * 2 // 3), rng.integers(0, size - 2)
        sky[top : top + 2, left : left + 2] = 0.9
    return _land(size, rng, sky, (0.06, 0.1, 0.14), (0.02, 0.04, 0.07), 0.1)


def _room(size: int, rng: np.random.Generator) -> Plane:
    wall = _fade(size, (0.93, 0.87, 0.76), (0.88, 0.8, 0.68))
    room = _land(size, rng, wall, (0.62, 0.42, 0.25), (0.45, 0.28, 0.15), 0.0)
    return room


SCENERY: dict[str, Callable[[int, np.random.Generator], Plane]] = {
    "sky": _sky,
    "meadow": _meadow,
    "sea": _sea,
    "desert": _desert,
    "snow": _snow,
    "sunset": _sunset,
    "night": _night,
    "room": _room,
}
"""Word -> the function that draws it: `(size, rng)` to RGB `(size, size, 3)` in about [0, 1]."""


def _fade(size: int, top: Colour, bottom: Colour) -> Plane:
    """A vertical gradient."""
    share = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    return np.broadcast_to(np.array(top, np.float32) * (1 - share) + np.array(bottom, np.float32) * share, (size, size, 3)).copy()


def _land(size: int, rng: np.random.Generator, sky: Plane, far: Colour, near: Colour, hills: float) -> Plane:
    """Ground below a horizon that rolls by `hills` of the height."""
    x = np.linspace(0, 1, size, dtype=np.float32)
    horizon = rng.uniform(0.5, 0.66) + hills * 0.5 * np.sin(x * rng.uniform(2, 6) + rng.uniform(0, 6.3))
    y = np.linspace(0, 1, size, dtype=np.float32)[:, None]
    ground = np.clip((y - horizon) * size, 0, 1)[..., None]
    texture = 0.94 + 0.12 * noise((size, size), rng)[..., None]
    return np.asarray(sky * (1 - ground) + _fade(size, far, near) * texture * ground, np.float32)
