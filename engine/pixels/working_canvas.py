"""The working canvas of the networks against the size that was asked for.

Networks take multiples of 8 to 64 pixels and only do well near the size they were trained at. A `WorkingCanvas` maps a
target of any size to such a canvas and back: scaled, centred, cropped. Knows pictures and sizes; knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from acetate.raster import RGBA, Mask, crop
from acetate.vocabulary.box import Box
from acetate.vocabulary.working_sizes import Fit, NativeSizes

from .alpha import resize_mask, resize_padded


@dataclass(frozen=True)
class WorkingCanvas:
    """`target` scaled to `scaled` and centred on `working`; all are (width, height) in pixels."""

    target: tuple[int, int]
    scaled: tuple[int, int]
    working: tuple[int, int]

    @property
    def box(self) -> Box:
        """Where the scaled target lies on the working canvas; it may stick out on either axis."""
        return Box(0, 0, *self.working).centred(*self.scaled)

    def to_working(self, rgba: RGBA, *, carried_on: bool = False) -> RGBA:
        """A straight `(height, width, 4)` picture of the target's size on the working canvas, transparent around it.

        An opaque one may be `carried_on` by its edge's colours instead: a clear margin would be taken for a part of it.
        """
        scaled = resize_padded(rgba, *self.scaled)
        if not carried_on or int(rgba[..., 3].min()) < 255 or self.scaled == self.working:
            return self._place(scaled)
        box, (width, height) = self.box, self.working
        rows = np.clip(np.arange(height) - box.y, 0, self.scaled[1] - 1)
        columns = np.clip(np.arange(width) - box.x, 0, self.scaled[0] - 1)
        return np.ascontiguousarray(scaled[rows][:, columns])

    def mask_to_working(self, mask: Mask) -> Mask:
        """A mask of the target's size, `(height, width)` uint8, on the working canvas, unselected around it."""
        placed: Mask = self._place(resize_mask(mask, *self.scaled)[..., None])[..., 0]
        return placed

    def from_working(self, rgba: RGBA) -> RGBA:
        """The target's part of a straight working picture, `(H, W, 4)` or as many times that as it was enlarged, at its size;
        transparent where the canvas does not reach."""
        times = rgba.shape[0] // self.working[1]
        box = self.box
        return resize_padded(crop(rgba, Box(*(times * value for value in (box.x, box.y, box.width, box.height)))), *self.target)

    @property
    def enlarges(self) -> bool:
        """Whether the target shows what is drawn larger than it was."""
        return self.target[0] > self.scaled[0]

    def _place(self, picture: RGBA) -> RGBA:
        return crop(picture, Box(0, 0, *self.working).relative_to(self.box))


@dataclass(frozen=True)
class WorkingSizes(NativeSizes):
    """The canvas sizes at which a model works well."""

    multiple_of: int = 8

    def frame(self, width: int, height: int, fit: Fit) -> WorkingCanvas:
        """The working canvas for a target.

        For a square-only model the target either covers the canvas's square (`cover`: what is generated stands in the middle
        of the target) or is contained in it (`contain`: nothing of a source is lost). Others round up to `multiple_of`.
        """
        scaled = self.scaled(width, height, fit)
        working = (self.native, self.native) if self.square_only else (self._up(scaled[0]), self._up(scaled[1]))
        return WorkingCanvas((width, height), scaled, working)

    def _up(self, side: int) -> int:
        return -(-side // self.multiple_of) * self.multiple_of
