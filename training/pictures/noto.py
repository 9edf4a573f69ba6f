"""Noto Emoji artwork as straight RGBA, from Debian's `fonts-noto-color-emoji` (artwork Apache-2.0, font OFL-1.1).

Knows the font file and placement; knows nothing of captions or networks.
"""

from __future__ import annotations

import colorsys
from functools import cache
from pathlib import Path

import numpy as np
from acetate.raster import RGBA
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .subjects import HUES, SUBJECTS

FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
BITMAP = (136, 128)
"""The font holds one bitmap size, 136 x 128 at 109 pixels per em."""


def use(font: Path) -> None:
    """Read the artwork from another file, in this process and those that are forked from it."""
    global FONT
    FONT = font


@cache
def artwork(subject: str) -> RGBA:
    """The subject's bitmap, `(h, w, 4)` straight, cut to its alpha's box.

    Raises `FileNotFoundError` where the font is missing, and `ValueError` where it lacks the character.
    """
    if not FONT.exists():
        raise FileNotFoundError(f"{FONT} is missing; install Debian's package fonts-noto-color-emoji")
    font = ImageFont.truetype(FONT, 109)
    picture = Image.new("RGBA", BITMAP)
    ImageDraw.Draw(picture).text((0, 0), SUBJECTS[subject], font=font, embedded_color=True)
    box = picture.getchannel("A").getbbox()
    if box is None:
        raise ValueError(f"the font has no picture for {subject!r}")
    return np.asarray(picture.crop(box))


def recoloured(rgba_u8: RGBA, colour: str) -> RGBA:
    """Turn every saturated pixel of `(H, W, 4)` straight to the colour's hue; whites, greys and blacks stay as they are."""
    hsv = np.asarray(Image.fromarray(rgba_u8[..., :3]).convert("HSV"), np.float32)
    result = hsv.copy()
    result[..., 0] = HUES[colour] / 360 * 255
    if colour == "pink":  # a light red-violet: less saturated, brighter
        result[..., 1] *= 0.6
        result[..., 2] = 255 - (255 - result[..., 2]) * 0.4
    if colour == "yellow":
        result[..., 2] = 255 - (255 - result[..., 2]) * 0.5
    coloured = np.clip((hsv[..., 1:2] - 50) / 40, 0, 1)
    rgb = np.asarray(Image.fromarray(result.astype(np.uint8), "HSV").convert("RGB"), np.float32)
    mixed = rgb * coloured + rgba_u8[..., :3] * (1 - coloured)
    return np.concatenate([mixed.astype(np.uint8), rgba_u8[..., 3:]], axis=2)


def place(rgba_u8: RGBA, size: int, rng: np.random.Generator, *, margin: float = 0.055) -> RGBA:
    """Put a cut-out at random on a square canvas, `(size, size, 4)` straight, clear of its border ring.

    Scale, turn and position vary. Never mirrored: a second form of every subject would cost so small a network sharpness.
    """
    picture = _turned(rgba_u8, float(rng.uniform(-6, 6)))
    room = size * (1 - 2 * margin)
    scale = room * rng.uniform(0.82, 1.0) / max(picture.size)
    width, height = (max(1, int(side * scale)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.BICUBIC)
    slack = (room - width, room - height)
    left, top = (int(size * margin + s / 2 + rng.uniform(-0.35, 0.35) * s) for s in slack)
    canvas = np.zeros((size, size, 4), np.uint8)
    canvas[top : top + height, left : left + width] = _straight(np.asarray(small))
    return canvas


def turned(rgba_u8: RGBA, degrees: float) -> RGBA:
    """A cut-out, `(h, w, 4)` straight, turned counter-clockwise and cut to its box again."""
    return _straight(np.asarray(_turned(rgba_u8, degrees)))


def _turned(rgba_u8: RGBA, degrees: float) -> Image.Image:
    """The same, premultiplied."""
    picture = Image.fromarray(_premultiplied(rgba_u8))
    picture = picture.rotate(degrees, Image.Resampling.BILINEAR, expand=True)
    return picture.crop(picture.getchannel("A").getbbox())


def _premultiplied(rgba_u8: RGBA) -> NDArray[np.uint8]:
    alpha = rgba_u8[..., 3:].astype(np.float32) / 255
    return np.concatenate([(rgba_u8[..., :3] * alpha + 0.5).astype(np.uint8), rgba_u8[..., 3:]], axis=2)


def _straight(premultiplied: NDArray[np.uint8]) -> RGBA:
    alpha = premultiplied[..., 3:].astype(np.float32) / 255
    premultiplied = np.minimum(premultiplied, premultiplied[..., 3:])  # a sharpening filter may overshoot
    colour = np.divide(premultiplied[..., :3], alpha, out=np.zeros(premultiplied[..., :3].shape, np.float32), where=alpha > 0)
    return np.concatenate([np.clip(colour + 0.5, 0, 255).astype(np.uint8), premultiplied[..., 3:]], axis=2)


def rgb_of(colour: str, saturation: float, value: float) -> NDArray[np.float32]:
    """A colour word as RGB, `(3,)` in [0, 1], at the given saturation and value."""
    if colour == "pink":
        saturation, value = saturation * 0.6, min(1.0, value * 1.25)
    return np.array(colorsys.hsv_to_rgb(HUES[colour] / 360, saturation, value), np.float32)
