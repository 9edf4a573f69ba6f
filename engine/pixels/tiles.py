"""Which parts of a large picture are worked on, in which order, at which size, and through which mask they go back.

Two ways to cut: the grid of Ultimate SD Upscale with its seam passes (layerdiffuse.md 9.3; `tile_passes`), and overlapping
windows of one size (`windows`). Knows rectangles and masks; knows no network and no picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

import numpy as np
from acetate.raster import Float
from acetate.vocabulary.box import Box
from acetate.vocabulary.upscaling import Seams, TileOrder
from PIL import Image, ImageFilter

Profile = Literal["flat", "across", "down", "radial"]
Size = tuple[int, int]
"""Width and height."""


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """How a picture is redrawn part by part; the defaults are those of Ultimate SD Upscale."""

    tile_width: int = 512
    tile_height: int = 512
    padding: int = 32
    """Pixels of context on every side of a tile that are seen but not changed."""
    mask_blur: int = 8
    """Radius of the Gaussian that softens a tile's edge."""
    order: TileOrder = "linear"
    """Row by row, or first the black and then the white fields of a chess board, or no redraw before the seams."""
    uniform: bool = True
    """Every tile is sampled at the same size; otherwise each at its own, rounded up to a multiple of 8."""
    multiple_of: Literal[8, 64] = 64
    """Of what a uniform tile's sampled size is a multiple: 64 as in A1111 (rounded up), 8 as in ComfyUI (rounded to nearest)."""
    seams: Seams = "none"
    """What goes over the borders of the tiles afterwards; `intersections` is `half-tile` and then the crossings too."""
    seam_strength: float | None = None
    """Denoising strength at the seams; `None` means that of the redraw."""
    seam_width: int = 64
    """Width of a band in pixels."""
    seam_blur: int = 8
    seam_padding: int = 16


@dataclass(frozen=True)
class TilePass:
    """One img2img run: what is seen, at which size, and what of the result is kept."""

    area: Box
    """What may change; may stick out of the picture."""
    crop: Box
    """What is seen: the area with its padding, grown to the sample's aspect ratio where the picture allows."""
    size: Size
    """The crop is sampled at this size."""
    profile: Profile = "flat"
    """How strongly the area is replaced: evenly, or with a peak in the middle `across` x, `down` y or both ways."""
    blur: int = 0
    seam: bool = False
    """Uses the seam's strength."""

    def mask(self, picture: Size) -> Float:
        """What is kept of the result, `(crop height, crop width)` in [0, 1]. Equal to blurring a mask of the whole picture."""
        reach = 4 * self.blur + 2  # beyond the Gaussian's support, so that a window of the picture gives the same values
        window = _inside(self.crop.grown(reach), picture)
        values = np.zeros((window.height, window.width), np.uint8)
        seen = _inside(self.area, picture)
        profile = _profile(self.profile, self.area)[seen.relative_to(self.area).slices]
        values[seen.relative_to(window).slices] = profile
        if self.blur:
            values = np.asarray(Image.fromarray(values).filter(ImageFilter.GaussianBlur(self.blur)))
        return values[self.crop.relative_to(window).slices].astype(np.float32) / np.float32(255)


def grid(tiling: Tiling, picture: Size) -> Size:
    """The number of columns and rows of tiles."""
    return -(-picture[0] // tiling.tile_width), -(-picture[1] // tiling.tile_height)


def sample_size(tile: Size, padding: int, multiple_of: Literal[8, 64]) -> Size:
    """The size at which uniform tiles are sampled: 512 with padding 32 gives 576 (of 64) or 544 (of 8)."""
    width, height = (_rounded(side + padding, multiple_of) for side in tile)
    return width, height


def tile_passes(tiling: Tiling, picture: Size) -> list[TilePass]:
    """Every pass in its order: the redraw, then the seams."""
    seams = {"none": [], "band": [_bands], "half-tile": [_halves], "intersections": [_halves, _crossings]}[tiling.seams]
    return [*_redraw(tiling, picture), *(tile for cut in seams for tile in cut(tiling, picture))]


def _redraw(tiling: Tiling, picture: Size) -> list[TilePass]:
    columns, rows = grid(tiling, picture)
    tile = (tiling.tile_width, tiling.tile_height)
    fields = [(x, y) for y, x in product(range(rows), range(columns))]
    if tiling.order == "none":
        return []
    if tiling.order == "chess":
        fields.sort(key=lambda field: sum(field) % 2)
    # The rectangle of the mask is drawn inclusive: one pixel wider and higher than the tile, cut off again by the crop.
    areas = [Box(x * tile[0], y * tile[1], tile[0] + 1, tile[1] + 1) for x, y in fields]
    crops = [_without_last(_padded(area, tiling.padding, picture), picture) for area in areas]
    sampled = sample_size(tile, tiling.padding, tiling.multiple_of)
    return [
        TilePass(area, *_fitted(crop, sampled, picture, tiling.uniform), blur=tiling.mask_blur)
        for area, crop in zip(areas, crops, strict=True)
    ]


def _bands(tiling: Tiling, picture: Size) -> Iterator[TilePass]:
    """Bands over all inner borders, first the vertical ones; never blurred."""
    columns, rows = grid(tiling, picture)
    width, half = tiling.seam_width, tiling.seam_width // 2
    for x in range(1, columns):
        left = x * tiling.tile_width - half
        yield _seam(tiling, Box(left, 0, width, picture[1]), None, picture, "across", blur=0)
    for y in range(1, rows):
        top = y * tiling.tile_height - half
        yield _seam(tiling, Box(0, top, picture[0], width), None, picture, "down", blur=0)


def _halves(tiling: Tiling, picture: Size) -> Iterator[TilePass]:
    """Tiles moved by half a tile, first down over the horizontal borders, then across over the vertical ones."""
    columns, rows = grid(tiling, picture)
    width, height = tiling.tile_width, tiling.tile_height
    for y, x in product(range(rows - 1), range(columns)):
        yield _seam(tiling, _tile(x * width, y * height + height // 2, tiling), tiling.seam_padding, picture, "down")
    for y, x in product(range(rows), range(columns - 1)):
        yield _seam(tiling, _tile(x * width + width // 2, y * height, tiling), tiling.seam_padding, picture, "across")


def _crossings(tiling: Tiling, picture: Size) -> Iterator[TilePass]:
    """Tiles over every point where four meet, without padding."""
    columns, rows = grid(tiling, picture)
    for y, x in product(range(rows - 1), range(columns - 1)):
        left, top = x * tiling.tile_width + tiling.tile_width // 2, y * tiling.tile_height + tiling.tile_height // 2
        yield _seam(tiling, _tile(left, top, tiling), 0, picture, "radial")


def _seam(tiling: Tiling, area: Box, padding: int | None, picture: Size, profile: Profile, blur: int | None = None) -> TilePass:
    """A pass over a border. `padding` `None`: sampled at its own size, as bands are.

    Half tiles are sampled by the rule of the redraw, not at the bare tile size: that would shrink the crop and leave a
    blurred strip along the border.
    """
    crop = _padded(area, tiling.seam_padding if padding is None else padding, picture)
    sampled = sample_size((tiling.tile_width, tiling.tile_height), padding or 0, tiling.multiple_of)
    blurred = tiling.seam_blur if blur is None else blur
    uniform = tiling.uniform and padding is not None
    return TilePass(area, *_fitted(crop, sampled, picture, uniform), profile, blurred, seam=True)


def _fitted(crop: Box, sampled: Size, picture: Size, uniform: bool) -> tuple[Box, Size]:
    """The crop grown to the sample's aspect ratio (uniform) or to multiples of 8, and the size it is sampled at."""
    if uniform:
        ratio = sampled[0] / sampled[1]
        wide = crop.width / crop.height > ratio
        wanted = (crop.width, round(crop.width / ratio)) if wide else (round(crop.height * ratio), crop.height)
    else:
        wanted = sampled = (-(-crop.width // 8) * 8, -(-crop.height // 8) * 8)
    left, right = _stretched(crop.x, crop.right, wanted[0], picture[0])
    top, bottom = _stretched(crop.y, crop.bottom, wanted[1], picture[1])
    return Box.between(left, top, right, bottom), sampled


def _stretched(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    """[start, end) grown to `length` inside [0, limit): half at the end, then the rest at the start, then at the end."""
    end = min(end + (length - (end - start)) // 2, limit)
    start = max(start - (length - (end - start)), 0)
    return start, min(end + (length - (end - start)), limit)


def _profile(profile: Profile, area: Box) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """`(height, width)` in 0..255. Radial: full in the middle, 74 in the middle of each edge, 0 in the corners."""
    x = np.abs((np.arange(area.width, dtype=np.float32) + 0.5) / area.width * 2 - 1)[None]
    y = np.abs((np.arange(area.height, dtype=np.float32) + 0.5) / area.height * 2 - 1)[:, None]
    across, down = np.broadcast_arrays(x, y)
    if profile == "radial":
        values = 255 - 128 * math.sqrt(2) * np.hypot(across, down)
    else:
        values = {"flat": np.full(across.shape, 255.0), "across": 255 - 255 * across, "down": 255 - 255 * down}[profile]
    rounded: np.ndarray[tuple[int, int], np.dtype[np.uint8]] = np.clip(values, 0, 255).round().astype(np.uint8)
    return rounded


def _tile(left: int, top: int, tiling: Tiling) -> Box:
    return Box(left, top, tiling.tile_width, tiling.tile_height)


def _inside(box: Box, picture: Size) -> Box:
    return box.intersection(Box(0, 0, *picture))


def _padded(area: Box, by: int, picture: Size) -> Box:
    """What of the area lies in the picture, and so much around it."""
    return _inside(_inside(area, picture).grown(by), picture)


def _without_last(box: Box, picture: Size) -> Box:
    """Take back the pixel that the inclusive rectangle added, where it was not at the picture's edge."""
    return Box(box.x, box.y, box.width - (box.right < picture[0]), box.height - (box.bottom < picture[1]))


def _rounded(side: int, multiple_of: Literal[8, 64]) -> int:
    return -(-side // 64) * 64 if multiple_of == 64 else round(side / 8) * 8


@dataclass(frozen=True)
class Span:
    """A window on one axis."""

    start: int
    before: int
    """Pixels shared with the one before it, 0 for the first."""
    after: int
    """Pixels shared with the one after it, 0 for the last."""


@dataclass(frozen=True)
class Window:
    """One of several overlapping parts of equal size."""

    side: int
    across: Span
    down: Span

    @property
    def box(self) -> Box:
        """The window in the picture; it sticks out at the right and the bottom of a smaller one."""
        return Box(self.across.start, self.down.start, self.side, self.side)

    def scaled(self, by: int) -> Window:
        """The same window on a picture `by` times as large."""
        across, down = (Span(span.start * by, span.before * by, span.after * by) for span in (self.across, self.down))
        return Window(self.side * by, across, down)

    def share(self) -> Float:
        """How strongly this window covers those before it, `(side, side, 1)` in [0, 1].

        Laid over each other in their order, windows fade into each other evenly over the middle half of what they share (near a
        border, networks see too little around a pixel), and at every pixel their weights add up to 1.
        """
        here, later = _ramps(self.side, self.across)
        below, further = (ramp[:, None] for ramp in _ramps(self.side, self.down))
        weight = (below - further) * (here - later)
        so_far = 1 - below + (below - further) * (1 - later)
        # Where there is no weight yet, a later window covers what this one puts down.
        return np.divide(weight, so_far, out=np.ones_like(weight), where=so_far > 0)[..., None]


def windows(picture: Size, side: int, overlap: int) -> list[Window]:
    """The fewest windows of `side` that cover the picture, row by row, sharing at least `overlap` pixels, evenly spread."""
    assert overlap * 3 <= side, "else three windows would fade into each other at once"
    columns, rows = (_spans(length, side, overlap) for length in picture)
    return [Window(side, across, down) for down, across in product(rows, columns)]


def _spans(length: int, side: int, overlap: int) -> list[Span]:
    count = 1 if length <= side else -(-(length - overlap) // (side - overlap))
    starts = [round(i * (length - side) / (count - 1)) for i in range(count)] if count > 1 else [0]
    shared = [0, *(first + side - second for first, second in pairwise(starts)), 0]
    return [Span(start, shared[i], shared[i + 1]) for i, start in enumerate(starts)]


def _ramps(side: int, span: Span) -> tuple[Float, Float]:
    """How far this window has taken over from the one before, and the next one from it; `(side)` each in [0, 1]."""
    position = np.arange(side, dtype=np.float32) + np.float32(0.5)
    here = (position - span.before / 4) / (span.before / 2) if span.before else np.ones(side)
    later = (position - side + span.after * 3 / 4) / (span.after / 2) if span.after else np.zeros(side)
    return np.clip(here, 0, 1).astype(np.float32), np.clip(later, 0, 1).astype(np.float32)
