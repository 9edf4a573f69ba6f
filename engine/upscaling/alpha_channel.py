"""Alpha enlarged on its own: by interpolation, or from a network's grey picture of it; and which of the two suits it.

Plain numpy and Pillow. Knows no network.
"""

from __future__ import annotations

import numpy as np
from acetate.raster import Mask, lanczos
from acetate.raster.resampling import scaled
from acetate.vocabulary.upscaling import AlphaMethod
from numpy.typing import NDArray
from PIL import Image, ImageFilter

CLEAR = 16
"""Levels next to empty and to opaque that do not count as soft."""
SOFT = 0.4
"""Share of half-transparent pixels from which on a network enlarges alpha better than Lanczos: glass had 0.8, hair 0.13 ..."""
STRUCTURED, DETAIL = 0.1, 10
"""... if at least this share of them has detail of so many levels: smoke has none, and what a network adds there is wrong."""


def enlarge_alpha(alpha: Mask, enlarged: Mask | None, size: tuple[int, int]) -> Mask:
    """Alpha at `size`, `(height, width)` uint8: `enlarged` (a network's) or the source's `alpha` itself, by Lanczos.

    What is empty or opaque over a pixel and all its neighbours stays exactly so: ringing and a network's noise would leave a haze
    around the subject and holes in it.
    """
    source = Image.fromarray(alpha)
    result = lanczos(alpha if enlarged is None else enlarged, size).copy()
    for extreme, filtered in ((0, ImageFilter.MaxFilter(3)), (255, ImageFilter.MinFilter(3))):
        settled = source.filter(filtered).point(lambda value, extreme=extreme: 255 * (value == extreme))
        result[np.asarray(settled.resize(size, Image.Resampling.NEAREST)) > 0] = extreme
    return result


def is_for_the_network(method: AlphaMethod, alpha: Mask) -> bool:
    """Whether `(H, W)` uint8 goes through the network, too: unless somebody chose, if much is soft and not all of that smooth."""
    if method != "auto":
        return method == "network"
    visible = alpha >= CLEAR
    soft = visible & (alpha <= 255 - CLEAR)
    if soft.sum() <= SOFT * visible.sum():
        return False
    size = (alpha.shape[1], alpha.shape[0])
    plane = alpha.astype(np.float32)
    blurred = scaled(scaled(plane, ((size[0] + 1) // 2, (size[1] + 1) // 2), "box"), size, "bicubic")
    return bool((np.abs(plane - blurred)[soft] > DETAIL).mean() > STRUCTURED)


def edges(alpha: Mask) -> NDArray[np.bool_]:
    """Where a pixel and its neighbours differ, `(H, W)`: what a network has to see of it."""
    picture = Image.fromarray(alpha)
    low, high = (np.asarray(picture.filter(kind(3))) for kind in (ImageFilter.MinFilter, ImageFilter.MaxFilter))
    return np.asarray(low != high)
