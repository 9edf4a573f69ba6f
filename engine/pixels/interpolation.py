"""Lanczos in floating point, for pictures too large for `alpha.resample`, and with a filter that widens when it shrinks.

Knows channels only, not what they mean: colour under transparency must be filled before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def lanczos(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`(H, W)` or `(H, W, C)` uint8 at `size`, width first; the picture itself where that is its size.

    Channel by channel as float32: Pillow rounds and clips 8-bit pictures between its two passes, which moved the alpha of
    thin strands by up to 27 levels.
    """
    width, height = size
    if picture.shape[:2] == (height, width):
        return picture
    result = np.empty((height, width, *picture.shape[2:]), np.uint8)
    channels = [(picture, result)] if picture.ndim == 2 else [(picture[..., i], result[..., i]) for i in range(picture.shape[2])]
    for channel, target in channels:
        resized = np.array(Image.fromarray(channel.astype(np.float32)).resize(size, Image.Resampling.LANCZOS))
        target[:] = np.clip(resized + np.float32(0.5), 0, 255, out=resized)
    return result
