"""Picture files of the command line as the engine's arrays."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from acetate.document import read_image
from acetate.engine.request import RGBA, Mask


def read_picture(path: Path) -> RGBA:
    """Any picture file -> `(H, W, 4)` uint8 straight; raises a `DocumentError` that names the file."""
    return read_image(path)


def read_mask(path: Path) -> Mask:
    """A mask file -> `(H, W)` uint8, 255 = selected: its brightness, where it is not transparent."""
    rgba = read_image(path).astype(np.uint16)
    grey = (rgba[..., 0] * 77 + rgba[..., 1] * 150 + rgba[..., 2] * 29) >> 8
    return cast(Mask, (grey * rgba[..., 3] // 255).astype(np.uint8))
