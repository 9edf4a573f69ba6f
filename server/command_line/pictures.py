"""Picture files of the command line as the engine's arrays."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
from acetate import document
from acetate.raster import RGBA, Mask, Pixels, to_8_bits


def read_picture(path: Path, notes: list[str]) -> RGBA:
    """Any picture file as `(H, W, 4)` uint8, straight alpha; what was lost on the way is added to `notes`.

    Raises a `DocumentError` that names the file.
    """
    return to_8_bits(read_layer(path, notes)[0])


def read_layer(path: Path, notes: list[str]) -> tuple[Pixels, str]:
    """As `read_picture`, in the file's depth and with a name: of its only layer, or the file's own. Raises `DocumentError`."""
    read = document.read(path)
    layers = [node for node in document.walk(read.layers) if isinstance(node, document.Layer)]
    notes += [f"{path.name}: {note}" for note in read.notes]
    if len(layers) == 1:
        return document.flatten(read), layers[0].name
    if layers:
        notes.append(f"{path.name}: {len(layers)} layers were merged into one picture")
    return document.flatten(read), path.stem


def read_mask(path: Path, notes: list[str]) -> Mask:
    """A mask file as `(H, W)` uint8, 255 = selected: its brightness, times its alpha. Raises `DocumentError`."""
    rgba = read_picture(path, notes).astype(np.uint16)
    grey = (rgba[..., 0] * 77 + rgba[..., 1] * 150 + rgba[..., 2] * 29) >> 8
    return cast(Mask, (grey * rgba[..., 3] // 255).astype(np.uint8))
