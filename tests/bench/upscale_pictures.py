"""Pictures with exact alpha for judging what happens to it: a fan of hair, glass, smoke, a lattice, text.

Drawn by formulas, each as its uncut colour and its alpha, at `FINE` times its size and averaged down: the same picture can be had
at any size. Under alpha 0 they hide a loud green, as files from elsewhere do.
"""

from __future__ import annotations

import numpy as np
from acetate.raster import to_u8, unpremultiply
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Float = NDArray[np.float32]
RGBA = NDArray[np.uint8]

FINE = 4
HIDDEN = (0.1, 1.0, 0.1)
"""Colour that the pictures hide under alpha 0."""


def hair(n: int) -> tuple[Float, Float]:
    """Strands of one to three pixels."""
    image = Image.new("L", (n, n))
    pen, rng = ImageDraw.Draw(image), np.random.default_rng(1)
    along = np.linspace(0, 1, 40)
    for angle in np.linspace(-2.6, -0.5, 40):
        length, bend = rng.uniform(0.55, 0.9), angle + 0.3 * along**2
        strand = np.stack([0.5 + 0.6 * length * along * np.cos(bend), 0.95 + length * along * np.sin(bend)], axis=1) * n
        pen.line([tuple(point) for point in strand], fill=255, width=max(1, round(n * rng.uniform(0.003, 0.008))))
    x, y = _grid(n)
    shine = (0.8 + 0.2 * np.sin(60 * x + 20 * y))[..., None]
    return np.stack([0.35 + 0.3 * y, 0.2 + 0.15 * x, 0.08 + 0.1 * y], axis=2) * shine, _alpha(image)


def glass(n: int) -> tuple[Float, Float]:
    """Half-transparent, with stripes and a highlight inside."""
    x, y = _grid(n)
    radius = np.hypot(x - 0.5, y - 0.5)
    highlight = np.exp(-((x - 0.38) ** 2 + (y - 0.36) ** 2) / 0.002)
    coverage = np.clip((0.4 - radius) * n / FINE + 0.5, 0, 1)
    alpha = coverage * np.clip(0.25 + 0.35 * np.clip(radius / 0.4, 0, 1) ** 6 + 0.7 * highlight, 0, 1)
    stripes = 1 - 0.35 * (np.sin(40 * (x + y)) > 0.6)[..., None]
    tint = np.array([0.25, 0.6, 0.75]) * (1 - highlight[..., None]) + highlight[..., None]
    return (tint * stripes).astype(np.float32), alpha.astype(np.float32)


def smoke(n: int) -> tuple[Float, Float]:
    """Fractal noise as alpha, nowhere opaque."""
    x, y = _grid(n)
    rng, cloud = np.random.default_rng(2), np.zeros((n, n), np.float32)
    for octave in range(5):
        cells = Image.fromarray(rng.random((3 * 2**octave, 3 * 2**octave)).astype(np.float32))
        cloud += np.asarray(cells.resize((n, n), Image.Resampling.BICUBIC)) / 2**octave
    cloud = (cloud - cloud.min()) / np.ptp(cloud)
    radius = np.hypot(x - 0.5, y - 0.5)
    alpha = np.clip((cloud - 0.25 - 0.6 * np.clip(radius - 0.15, 0, 1)) * 2.2, 0, 0.85) * np.clip((0.48 - radius) / 0.1, 0, 1)
    return np.stack([0.6 + 0.3 * cloud, 0.6 + 0.2 * cloud, 0.7 + 0.2 * cloud], axis=2), alpha.astype(np.float32)


def lattice(n: int) -> tuple[Float, Float]:
    """Bars with holes between them."""
    x, y = _grid(n)
    bars = [np.clip((0.16 - np.abs(((x + sign * y) * 9) % 1 - 0.5)) * n / 12.7 / FINE + 0.5, 0, 1) for sign in (1, -1)]
    frame = np.clip((0.46 - np.maximum(np.abs(x - 0.5), np.abs(y - 0.5))) * n / FINE + 0.5, 0, 1)
    colour = np.stack([0.75 + 0.2 * np.sin(30 * x), 0.55 + 0.2 * np.cos(25 * y), 0.15 + 0 * x], axis=2)
    return colour, (np.maximum(*bars) * frame).astype(np.float32)


def text(n: int) -> tuple[Float, Float]:
    """Letters down to seven pixels."""
    image = Image.new("L", (n, n))
    pen = ImageDraw.Draw(image)
    lines = (("Acetate", 0.2, 0.3), ("clear sheet 0123", 0.1, 0.6), ("the quick brown fox jumps", 0.055, 0.8))
    for words, height, place in lines:
        pen.text((n * 0.5, n * place), words, fill=255, font=ImageFont.load_default(n * height), anchor="mm")
    x, y = _grid(n)
    return np.stack([0.9 - 0.7 * y, 0.1 + 0.2 * x, 0.5 + 0.4 * y], axis=2), _alpha(image)


PICTURES = {"hair": hair, "glass": glass, "smoke": smoke, "lattice": lattice, "text": text}


def draw(name: str, side: int) -> RGBA:
    """One of `PICTURES`, straight."""
    colour, alpha = PICTURES[name](side * FINE)
    small = _averaged(np.concatenate([np.clip(colour, 0, 1) * alpha[..., None], alpha[..., None]], axis=2), side)
    straight = unpremultiply(small)
    straight[to_u8(small[..., 3]) == 0, :3] = HIDDEN
    return to_u8(straight)


def uncut(name: str, side: int) -> RGBA:
    """The same picture's colour with nothing cut away: opaque everywhere."""
    colour, _ = PICTURES[name](side * FINE)
    return to_u8(np.dstack([_averaged(np.clip(colour, 0, 1), side), np.ones((side, side), np.float32)]))


def _averaged(picture: Float, side: int) -> Float:
    return picture.reshape(side, FINE, side, FINE, -1).mean(axis=(1, 3)).astype(np.float32)


def _grid(n: int) -> tuple[Float, Float]:
    axis = (np.arange(n, dtype=np.float32) + 0.5) / n
    x, y = np.meshgrid(axis, axis)
    return x, y


def _alpha(image: Image.Image) -> Float:
    return np.asarray(image, np.float32) / 255
