"""The mask of a layer or group: which part of it shows, without a change to its pixels. Knows no file format."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from acetate import raster
from acetate.raster import Float
from acetate.vocabulary.box import Box


@dataclass(frozen=True, eq=False)
class Mask:
    """Coverage with a place of its own on the canvas: 255 = shown, 0 = hidden."""

    values: raster.Mask
    """`(H, W)` uint8; may be empty (`(0, 0)`), larger than the layer, or beside it."""
    x: int = 0
    """Canvas column of the left edge; may be negative."""
    y: int = 0
    outside: int = 255
    """The value everywhere else, 0..255."""
    density: float = 1.0
    """In [0, 1]: 1 = the mask as it is, 0 = no effect. PSD stores 256 steps of it."""
    feather: float = 0.0
    """Pixels by which Photoshop softens the edge. Kept, not drawn."""
    inverted: bool = False
    """The values mean the opposite. Photoshop has long given that up, and inverts them instead."""
    linked: bool = True
    """Whether it moves with its layer."""
    enabled: bool = True
    """Without it, it is kept and has no effect."""

    def __post_init__(self) -> None:
        if self.values.dtype != np.uint8 or self.values.ndim != 2:
            found = f"{self.values.dtype} {self.values.shape}"
            raise ValueError(f"the values of the mask are {found}; they must be uint8 (height, width)")
        if not 0 <= self.outside <= 255:
            raise ValueError(f"outside the mask is {self.outside}; it must be between 0 and 255")
        if not 0 <= self.density <= 1:
            raise ValueError(f"the density of the mask is {self.density}; it must be between 0 and 1")
        if not 0 <= self.feather < float("inf"):
            raise ValueError(f"the feather of the mask is {self.feather} pixels; it must be 0 or more")

    @property
    def box(self) -> Box:
        return Box(self.x, self.y, self.values.shape[1], self.values.shape[0])

    def coverage(self, box: Box) -> Float:
        """How much shows in a box of the canvas: float32 `(height, width)` in [0, 1]."""
        shown = np.full((box.height, box.width), self.outside, np.float32)
        both = self.box.intersection(box)
        if not both.empty:
            shown[both.relative_to(box).slices] = self.values[both.relative_to(self.box).slices]
        scale = np.float32(self.density / 255)
        if self.inverted:
            return np.float32(1) - shown * scale
        return shown * scale + np.float32(1 - self.density)
