"""Pictures as the networks take them: colour filled in under transparency, composited over grey, brought to their size.

Plain numpy on straight-alpha pictures; knows no network and no file.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from acetate.raster import RGBA, Float, Mask, premultiply, resample, to_float, to_u8

PYRAMID_RATIO = 1.2
"""Each level of `pad_rgb` is this much smaller than the one before (layerdiffuse.md 3.2)."""


def pad_rgb(rgba_u8: RGBA) -> Float:
    """Fill the colour under transparency from its visible surroundings.

    `(H, W, 4)` uint8 straight -> `(H, W, 3)` float32 in [0, 1]. Opaque pixels stay exact, hidden colour has no influence,
    an empty picture becomes black. The alpha-weighted pyramid of layerdiffuse.md 3.2, the form the networks were trained on.
    """
    level = premultiply(to_float(rgba_u8))
    levels = [level]
    while min(level.shape[:2]) > 1:
        height, width = level.shape[:2]
        level = resample(level, int(width / PYRAMID_RATIO), int(height / PYRAMID_RATIO), "area")
        levels.append(level)
    coarsest = levels[-1].reshape(-1, 4).sum(axis=0)
    fill: Float = np.broadcast_to(coarsest[:3] / np.clip(coarsest[3], 1e-8, None), (1, 1, 3)).astype(np.float32)
    for level in reversed(levels):
        height, width = level.shape[:2]
        fill = level[..., :3] + resample(fill, width, height, "linear") * (1 - level[..., 3:])
    return fill


def over_grey(straight: Float) -> Float:
    """Composite over mid-grey: `(H, W, 4)` in [0, 1] -> `(H, W, 3)`. Alpha 0 gives exactly 0.5, alpha 1 the colour itself.

    The networks' condition images are prepared so (layerdiffuse.md 5.1); black instead is a known mistake.
    """
    return 0.5 + (straight[..., :3] - 0.5) * straight[..., 3:]


def resize_padded(rgba_u8: RGBA, width: int, height: int) -> RGBA:
    """`(H, W, 4)` uint8 straight at another size without fringes: colour is filled by `pad_rgb` first, alpha is resized alone.

    Averages over areas when shrinking and uses Lanczos when enlarging, each axis for itself. The same size is returned unchanged.
    """
    if rgba_u8.shape[:2] == (height, width):
        return rgba_u8
    return to_u8(resample(np.concatenate([pad_rgb(rgba_u8), to_float(rgba_u8[..., 3:])], axis=2), width, height, "auto"))


def resize_mask(mask: Mask, width: int, height: int) -> Mask:
    """`(H, W)` uint8 at another size, the way `resize_padded` treats alpha."""
    return to_u8(resample(to_float(mask)[..., None], width, height, "auto"))[..., 0]


def fit(rgba_u8: RGBA, width: int, height: int, mode: Literal["crop", "stretch", "fill"]) -> RGBA:
    """Bring a straight `(H, W, 4)` uint8 picture to a size in one of the three resize modes of layerdiffuse.md 5.1.

    `stretch` ignores the aspect; `crop` scales to cover and cuts the middle out; `fill` scales to fit inside and surrounds it
    with the median of the border's pixels.
    """
    old_height, old_width = rgba_u8.shape[:2]
    if mode == "stretch" or (old_width, old_height) == (width, height):
        return resize_padded(rgba_u8, width, height)
    choose = max if mode == "crop" else min
    ratio = choose(width / old_width, height / old_height)
    scaled = resize_padded(rgba_u8, max(1, round(old_width * ratio)), max(1, round(old_height * ratio)))
    left, top = (scaled.shape[1] - width) // 2, (scaled.shape[0] - height) // 2
    if mode == "crop":
        return np.ascontiguousarray(scaled[max(top, 0) : max(top, 0) + height, max(left, 0) : max(left, 0) + width])
    border = np.concatenate([rgba_u8[0], rgba_u8[-1], rgba_u8[:, 0], rgba_u8[:, -1]])
    canvas = np.broadcast_to(np.median(border, axis=0).astype(np.uint8), (height, width, 4)).copy()
    canvas[-top : -top + scaled.shape[0], -left : -left + scaled.shape[1]] = scaled
    return canvas
