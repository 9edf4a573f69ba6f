"""Composition: what a document looks like, as one picture.

Porter-Duff source-over on straight sRGB values, as Krita, Photoshop and GIMP's perceptual mode do it (never linear light), of
8 or 16 bits, kept in float32 until the end, so that many soft layers do not add up rounding. Works in bands of rows: the memory
needed besides the result does not grow with the canvas. Knows no file format.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from acetate.raster import Float, Pixels, scale_of, source_over
from acetate.raster.arrays import rounded
from acetate.vocabulary.box import Box

from ..layer import PASS_THROUGH, Document, Layer, Node
from .blending import BLENDS
from .blending_space import in_space
from .rgb_space import RGBSpace, srgb

SAMPLES = {8: np.uint8, 16: np.uint16}
"""What pixels of each depth are to numpy."""
BAND = 64
"""Rows per step: six float planes of 64 x 4096 fit the second-level cache of current CPUs."""


@dataclass(frozen=True, eq=False)
class _Paint:
    """Premultiplied float32 colour `(3, H, W)` and alpha `(H, W)`, both in [0, 1], of one box."""

    box: Box
    colour: Float
    alpha: Float

    @classmethod
    def clear(cls, box: Box) -> _Paint:
        return cls(box, np.zeros((3, box.height, box.width), np.float32), np.zeros((box.height, box.width), np.float32))

    def view(self, box: Box) -> _Paint:
        """The part inside `box`, sharing memory."""
        rows, columns = box.relative_to(self.box).slices
        return _Paint(box, self.colour[:, rows, columns], self.alpha[rows, columns])


def compose(document: Document) -> Pixels:
    """The visible layers as one picture of the canvas, `(H, W, 4)` straight in the document's depth; colour is 0 where nothing
    covers."""
    return render(document.layers, document.box, document.depth, document.space)


def render(nodes: Sequence[Node], box: Box, depth: int = 8, space: RGBSpace | None = None) -> Pixels:
    """The nodes (bottom to top) over transparency, cut to `box`: `(H, W, 4)` straight of 8 or 16 bits in sRGB.

    They are blended in the space, if one is given, else in sRGB.
    """
    rgba: Pixels = np.zeros((box.height, box.width, 4), SAMPLES[depth])
    opaque = np.float32(scale_of(rgba))
    for rows, paint in _bands(nodes, box, space):
        colour = paint.colour * (1 / np.maximum(paint.alpha, np.float32(1e-6)))
        if space is not None:
            colour = space.converted(np.minimum(colour, 1), srgb())
        for channel in range(3):
            rgba[rows, :, channel] = rounded(colour[channel] * opaque, rgba.dtype)
        rgba[rows, :, 3] = rounded(paint.alpha * opaque, rgba.dtype)
    return rgba


def render_over_white(nodes: Sequence[Node], box: Box, depth: int = 8, space: RGBSpace | None = None) -> Pixels:
    """As `render`, but with the colour laid over white and alpha kept, as in a PSD's merged picture.

    Rounded up, so that readers that take the white out again and cut off fractions (psd-tools, ImageMagick) find the colour.
    """
    rgba = render(nodes, box, depth, space)
    white = scale_of(rgba)
    for top in range(0, box.height, BAND):
        band = rgba[top : top + BAND]
        alpha = band[..., 3].astype(np.uint32)
        for channel in range(3):
            covered = (band[..., channel] * alpha + (white - 1)) // white
            band[..., channel] = covered + (white - alpha)
    return rgba


def _bands(nodes: Sequence[Node], box: Box, space: RGBSpace | None) -> Iterator[tuple[slice, _Paint]]:
    for top in range(0, box.height, BAND):
        height = min(BAND, box.height - top)
        paint = _Paint.clear(Box(box.x, box.y + top, box.width, height))
        _draw(nodes if space is None else in_space(nodes, paint.box, space), paint)
        yield slice(top, top + height), paint


def _draw(nodes: Sequence[Node], backdrop: _Paint) -> None:
    """Blend the nodes into `backdrop`, bottom to top."""
    for node in nodes:
        if not node.visible or node.opacity == 0:
            continue
        box = node.box.intersection(backdrop.box)
        if box.empty:
            continue
        target = backdrop.view(box)
        if isinstance(node, Layer):
            source = _paint(node, box)
            if source is not None:
                _blend(source, target.view(source.box), node.blend_mode)
        elif node.blend_mode == PASS_THROUGH:
            _draw_through(node.children, node.opacity, target)
        else:
            source = _Paint.clear(box)
            _draw(node.children, source)
            if node.opacity < 1:
                np.multiply(source.colour, np.float32(node.opacity), out=source.colour)
                np.multiply(source.alpha, np.float32(node.opacity), out=source.alpha)
            _blend(source, target, node.blend_mode)


def _draw_through(children: Sequence[Node], opacity: float, target: _Paint) -> None:
    """A pass-through group: its opacity fades between the picture without it and the picture with it."""
    if opacity == 1:
        _draw(children, target)
        return
    colour, alpha = target.colour.copy(), target.alpha.copy()
    _draw(children, target)
    for after, before in ((target.colour, colour), (target.alpha, alpha)):
        after -= before
        after *= np.float32(opacity)
        after += before


def _paint(layer: Layer, box: Box) -> _Paint | None:
    """The layer's pixels inside `box`, premultiplied and faded, cut to the columns that it covers; `None` if it covers none."""
    pixels = layer.rgba[box.relative_to(layer.box).slices]
    columns = np.flatnonzero(pixels[..., 3].any(axis=0))
    if columns.size == 0:
        return None
    first, end = int(columns[0]), int(columns[-1]) + 1
    pixels = pixels[:, first:end]
    scale = scale_of(pixels)
    alpha = pixels[..., 3] * np.float32(layer.opacity / scale)
    colour = np.empty((3, *alpha.shape), np.float32)
    shade = alpha * np.float32(1 / scale)
    for channel in range(3):
        np.multiply(pixels[..., channel], shade, out=colour[channel])
    return _Paint(Box(box.x + first, box.y, end - first, box.height), colour, alpha)


def _blend(source: _Paint, target: _Paint, mode: str) -> None:
    """Source over target, in place: co = cs + cb (1 - as), where a blend mode first mixes cs with the backdrop as far as
    there is a backdrop (PDF 32000-1:2008, 11.3.6)."""
    mix = BLENDS.get(mode)
    colour = source.colour
    if mix is not None and target.alpha.any():
        mixed = mix(_straight(target), _straight(source))
        colour = (1 - target.alpha) * source.colour + (target.alpha * source.alpha) * mixed
    remaining = 1 - source.alpha
    for laid, plane in zip((*colour, source.alpha), (*target.colour, target.alpha), strict=True):
        source_over(laid, remaining, plane)


def _straight(paint: _Paint) -> Float:
    return np.minimum(paint.colour / np.maximum(paint.alpha, np.float32(1e-6)), 1)
