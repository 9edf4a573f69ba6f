"""Pictures with exact alpha, drawn by formulas: solid shapes in several materials, glass, smoke, glow, soft shadow.

They teach what icons lack (only 2.8 % of the icons' pixels are semi-transparent).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from acetate.raster import RGBA, resample, to_u8
from numpy.typing import NDArray

from .noto import rgb_of

Field = NDArray[np.floating[Any]]

SHAPES = ("ball", "cube", "ring", "triangle", "hexagon", "cross")
MATERIALS = ("matte", "glossy", "metal", "glass")
EFFECTS = ("smoke", "glow", "shadow", "bubble")
SUPERSAMPLING = 2


def solid(shape: str, colour: str, material: str, size: int, rng: np.random.Generator) -> RGBA:
    """A shaded shape of one colour, `(size, size, 4)` straight; `glass` is see-through with a bright rim and highlight."""
    x, y = _grid(size, rng)
    distance, height = _SHAPES[shape](x, y)
    pixel = 2.0 / (size * SUPERSAMPLING)
    coverage = np.clip(0.5 - distance / (2 * pixel), 0, 1)
    shade, highlight = _light(height, pixel)
    if material == "glass":
        return _glass(colour, distance, coverage, highlight)
    base = rgb_of(colour, 0.85 if material != "metal" else 0.6, 0.9)
    if material == "metal":
        shade = 0.45 + 0.55 * (0.5 + 0.5 * np.sin(shade * 9 + 1.2)) * shade
        highlight = highlight * 1.4
    shine = {"matte": 0.0, "glossy": 0.85, "metal": 0.7}[material]
    colour_field = base * (0.45 + 0.6 * shade[..., None]) + shine * highlight[..., None]
    return _finish(colour_field, coverage)


def effect(name: str, colour: str, size: int, rng: np.random.Generator) -> RGBA:
    """Smoke, a glow, a soft shadow (black) or a bubble, `(size, size, 4)` straight."""
    x, y = _grid(size, rng)
    radius = np.hypot(x, y)
    fade = np.clip((0.92 - radius) / 0.35, 0, 1)
    if name == "glow":
        alpha = np.clip(1 - radius / 0.88, 0, 1) ** 1.3 * 0.95
        heat = np.clip(1.2 - radius * 1.6, 0, 1)[..., None]
        return _finish(rgb_of(colour, 0.85, 1.0) * (1 - 0.7 * heat) + 0.7 * heat, alpha)
    if name == "shadow":
        reach = np.hypot(x, y * 2.6)
        return _finish(np.zeros((*x.shape, 3), np.float32) + 0.04, np.clip(1 - reach / 0.9, 0, 1) ** 1.2 * 0.7)
    if name == "bubble":
        inside = np.clip(0.5 + (0.8 - radius) / 0.016, 0, 1)
        rim = np.clip(radius / 0.8, 0, 1) ** 5
        shine = np.exp(-(((x + 0.3) ** 2 + (y + 0.35) ** 2) / 0.014))
        return _finish(
            rgb_of(colour, 0.5, 1.0) * (1 - shine[..., None]) + shine[..., None], inside * (0.2 + 0.45 * rim + 0.6 * shine)
        )
    cloud = noise(x.shape, rng)
    density = np.clip((cloud - 0.2 - 0.3 * (radius - 0.3)) * 2.6, 0, 1) * fade
    tint = rgb_of(colour, 0.6, 0.85) if colour != "grey" else np.full(3, 0.72, np.float32)
    return _finish(tint * (0.65 + 0.45 * cloud[..., None]), density * 0.8)


def _glass(colour: str, distance: Field, coverage: Field, highlight: Field) -> RGBA:
    rim = np.exp(-np.abs(distance) / 0.05)
    alpha = coverage * np.clip(0.3 + 0.45 * rim + 0.8 * highlight, 0, 1)
    tint = rgb_of(colour, 0.7, 0.95) * (0.75 + 0.25 * rim[..., None])
    return _finish(tint * (1 - highlight[..., None]) + highlight[..., None], alpha)


def _grid(size: int, rng: np.random.Generator) -> tuple[Field, Field]:
    """Coordinates in about [-1, 1], shifted, scaled and slightly turned."""
    fine = size * SUPERSAMPLING
    axis = (np.arange(fine, dtype=np.float32) + 0.5) / fine * 2 - 1
    y, x = np.meshgrid(axis, axis, indexing="ij")
    scale = rng.uniform(0.78, 0.96)
    slack = 0.98 - scale
    x, y = x - np.float32(rng.uniform(-0.5, 0.5) * slack), y - np.float32(rng.uniform(-0.5, 0.5) * slack)
    angle = rng.uniform(-0.14, 0.14)
    cos, sin = np.float32(np.cos(angle) / scale), np.float32(np.sin(angle) / scale)
    return x * cos + y * sin, y * cos - x * sin


def _light(height: Field, pixel: float) -> tuple[Field, Field]:
    """Diffuse shade in [0, 1] and a highlight in [0, 1], lit from the upper left."""
    dy, dx = np.gradient(height, pixel)
    normal = np.stack([-dx, -dy, np.ones_like(dx)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.array([-0.45, -0.6, 0.66], np.float32)
    light /= np.linalg.norm(light)
    shade = np.clip(normal @ light, 0, 1)
    return shade, np.clip(shade, 0, 1) ** 24


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> Field:
    """Fractal value noise of `shape`, in [0, 1]."""
    total: Field = np.zeros(shape, np.float32)
    for octave in range(5):
        cells = 3 * 2**octave
        coarse = rng.random((cells, cells, 1)).astype(np.float32)
        total += resample(coarse, shape[1], shape[0], "linear")[..., 0] / 2**octave
    scaled: Field = (total - total.min()) / np.ptp(total)
    return scaled


def _finish(colour: Field, alpha: Field) -> RGBA:
    """Average the supersampled picture down, premultiplied, and return it straight."""
    straight_alpha = np.clip(alpha, 0, 1)[..., None]
    premultiplied = np.concatenate([np.clip(colour, 0, 1) * straight_alpha, straight_alpha], axis=2)
    size = alpha.shape[0] // SUPERSAMPLING
    small = premultiplied.reshape(size, SUPERSAMPLING, size, SUPERSAMPLING, 4).mean(axis=(1, 3))
    rgb = np.divide(small[..., :3], small[..., 3:], out=np.zeros_like(small[..., :3]), where=small[..., 3:] > 1e-4)
    return to_u8(np.concatenate([rgb, small[..., 3:]], axis=2).astype(np.float32))


def _ball(x: Field, y: Field) -> tuple[Field, Field]:
    radius = np.hypot(x, y)
    return radius - 0.85, np.sqrt(np.clip(0.85**2 - radius**2, 1e-3, None))


def _cube(x: Field, y: Field) -> tuple[Field, Field]:
    """An isometric cube: its height field is the three visible faces."""
    hexagon, _ = _hexagon(x, y)
    top, left, right = -y * 1.0, -x * 0.9 + y * 0.5, x * 0.9 + y * 0.5
    return hexagon, (-np.maximum(np.maximum(left, right), top) * 1.1).astype(np.float32)


def _hexagon(x: Field, y: Field) -> tuple[Field, Field]:
    distance = np.maximum(np.abs(x), np.abs(x) * 0.5 + np.abs(y) * 0.8660254) - 0.74
    return distance, np.clip(-distance, 0, 0.22) * 1.2


def _ring(x: Field, y: Field) -> tuple[Field, Field]:
    distance = np.abs(np.hypot(x, y) - 0.58) - 0.26
    return distance, np.sqrt(np.clip(0.26**2 - np.clip(distance + 0.26, 0, None) ** 2, 1e-3, None))


def _triangle(x: Field, y: Field) -> tuple[Field, Field]:
    y = y - 0.22
    distance = np.maximum(np.abs(x) * 0.8660254 - y * 0.5, y) - 0.46
    return distance, np.clip(-distance, 0, 0.18) * 1.3


def _cross(x: Field, y: Field) -> tuple[Field, Field]:
    wide, tall = np.maximum(np.abs(x) - 0.8, np.abs(y) - 0.28), np.maximum(np.abs(x) - 0.28, np.abs(y) - 0.8)
    distance = np.minimum(wide, tall)
    return distance, np.clip(-distance, 0, 0.14) * 1.4


_SHAPES: dict[str, Callable[[Field, Field], tuple[Field, Field]]] = {
    "ball": _ball,
    "cube": _cube,
    "ring": _ring,
    "triangle": _triangle,
    "hexagon": _hexagon,
    "cross": _cross,
}
