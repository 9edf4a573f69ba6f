"""Composition: what a document looks like, as one picture.

Porter-Duff source-over on straight sRGB values, as Krita, Photoshop and GIMP's perceptual mode do it (never linear light), of
8 or 16 bits, kept in float32 until the end, so that many soft layers do not add up rounding. Works in bands of rows: the memory
needed besides the result does not grow with the canvas. Knows no file format.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from weakref import WeakKeyDictionary

import numpy as np
from acetate.raster import Float, Pixels, scale_of, source_over
from acetate.raster.arrays import rounded
from acetate.vocabulary.box import Box

from ..adjustment import Adjustment
from ..effects.drawing import drawn, margin
from ..layer import PASS_THROUGH, Document, Group, Layer, Node, depth_of, runs
from .blending import BLENDS
from .blending_space import in_space
from .rgb_space import RGBSpace, srgb

SAMPLES = {8: np.uint8, 16: np.uint16}
"""What pixels of each depth are to numpy."""
BAND = 64
"""Rows per step: six float planes of 64 x 4096 fit the second-level cache of current CPUs."""
WIDE = 2**14
"""Columns from which on a band has fewer rows: a canvas may be 300,000 wide."""


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

    def copy(self) -> _Paint:
        return _Paint(self.box, self.colour.copy(), self.alpha.copy())

    def fade(self, share: Float | np.float32) -> None:
        """Leave only a share, one number or `(H, W)` in [0, 1], of it, in place."""
        np.multiply(self.colour, share, out=self.colour)
        np.multiply(self.alpha, share, out=self.alpha)

    def scale_change(self, before: _Paint, share: Float | np.float32) -> None:
        """Make the change since `before`, in place, as many times as large as `share`, one number or `(H, W)`, says."""
        for now, was in ((self.colour, before.colour), (self.alpha, before.alpha)):
            now -= was
            now *= share
            now += was


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
    if space is not None:  # effects are drawn from whole layers, of which a band in another space has a part
        nodes = without_effects(nodes)
    for rows, paint in _bands(nodes, box, space):
        colour = _straight(paint) if space is None else space.converted(_straight(paint), srgb())
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


def plain(node: Node, clipped: Sequence[Node] = ()) -> tuple[Node, ...]:
    """A node with effects as nodes without that look like it, bottom to top.

    The last one has its name and what is clipped to it, unless effects lie over its pixels: then they lie over what is clipped,
    too, which becomes part of it. A group stays one unless an effect lies over its pixels.
    """
    if node.style is None:
        return (node,)
    known = _PLAIN.get(node)
    if known is None or known[0] != tuple(clipped):
        flat = _flat(node)
        if clipped and node.style.over:
            opaque = flat.rgba.copy()
            opaque[..., 3] = scale_of(opaque)
            mixed = render(
                (Layer(opaque, flat.x, flat.y), *(replace(one, clipped=False) for one in clipped)), flat.box, depth_of((flat,))
            )
            mixed[..., 3] = flat.rgba[..., 3]
            flat = replace(flat, rgba=mixed)
        *below, last = drawn(flat, node.style)
        kept = isinstance(node, Group) and not node.style.over
        known = _PLAIN[node] = tuple(clipped), (*below, replace(node, style=None) if kept else last)
    return known[1]


_PLAIN: MutableMapping[Node, tuple[tuple[Node, ...], tuple[Node, ...]]] = WeakKeyDictionary()
"""Drawing effects takes the whole layer, and composition works in bands. With each result, what had been clipped to the node."""


def without_effects(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Nodes without effects that look like these, bottom to top."""
    made: list[Node] = []
    for base, clipped in runs(nodes):
        over = base.style is not None and base.style.over and base.blends_clipped
        shown = plain(base, clipped if over else ())
        shown += tuple(part for one in ((), clipped)[not over] for part in plain(one))
        made += (replace(one, children=without_effects(one.children)) if isinstance(one, Group) else one for one in shown)
    return tuple(made)


def _flat(node: Node) -> Layer:
    """A layer or group as a layer without a mask."""
    if isinstance(node, Layer):
        rgba, box = node.rgba, node.box
    else:
        box = reach(node, node.box)
        if node.style is not None and node.style.within is not None:
            box = box.intersection(node.style.within)
        rgba = render(node.children, box, depth_of((node,)))
    if node.mask is not None and node.mask.enabled:
        rgba = rgba.copy()
        rgba[..., 3] = np.rint(rgba[..., 3] * node.mask.coverage(box)).astype(rgba.dtype)
    if isinstance(node, Layer):
        return replace(node, rgba=rgba, mask=None)
    mode = "normal" if node.blend_mode == PASS_THROUGH else node.blend_mode
    look = {"opacity": node.opacity, "blend_mode": mode, "visible": node.visible, "clipped": node.clipped}
    return Layer(rgba, box.x, box.y, node.name, blends_clipped=node.blends_clipped, **look)  # type: ignore[arg-type]


def reach(node: Node, canvas: Box) -> Box:
    """Where a node can show: effects lie around it, and an adjustment changes all of the canvas."""
    if isinstance(node, Adjustment):
        return canvas
    box = node.box
    if isinstance(node, Group):
        box = reduce(Box.union, (reach(child, canvas) for child in node.children), Box(0, 0, 0, 0))
    return box if node.style is None or box.empty else box.grown(margin(node.style))


def _bands(nodes: Sequence[Node], box: Box, space: RGBSpace | None) -> Iterator[tuple[slice, _Paint]]:
    rows = max(1, min(BAND, BAND * WIDE // max(1, box.width)))
    for top in range(0, box.height, rows):
        height = min(rows, box.height - top)
        paint = _Paint.clear(Box(box.x, box.y + top, box.width, height))
        _draw(nodes if space is None else in_space(nodes, paint.box, space), paint)
        yield slice(top, top + height), paint


def _draw(nodes: Sequence[Node], backdrop: _Paint) -> None:
    """Blend the nodes into `backdrop`, bottom to top."""
    for base, clipped in runs(nodes):
        _draw_run(base, clipped, backdrop)


def _draw_run(base: Node, clipped: Sequence[Node], backdrop: _Paint) -> None:
    """Blend a node, with what is clipped to it, into `backdrop`."""
    if not base.visible or base.opacity == 0:
        return
    if isinstance(base, Adjustment):
        _adjust(base, clipped, backdrop)
        return
    bare = None
    if base.style is not None:
        bare = replace(base, style=None)
        over = base.style.over and base.blends_clipped
        *below, base = plain(base, clipped if over else ())
        clipped = () if over else clipped
        for one in below:
            _draw_run(one, (), backdrop)
    box = reach(base, backdrop.box).intersection(backdrop.box)
    if box.empty:
        return
    if base.blend_mode == PASS_THROUGH and isinstance(base, Group):
        _draw_through(base, clipped, backdrop.view(box))
        return
    source = _paint(base, box, 1.0 if clipped else base.opacity)
    if source is None:
        return
    target = backdrop.view(source.box)
    if clipped and base.blends_clipped:
        _mix_clipped(clipped, source)
        source.fade(np.float32(base.opacity))
        clipped = ()
    if not clipped:
        _blend(source, target, base.blend_mode)
        return
    before, shape = target.copy(), source.alpha.copy()
    solid = None if bare is None else _paint(bare, source.box, 1.0)
    if solid is not None:  # the fill fades its pixels, and not its shape
        shape[solid.box.relative_to(source.box).slices] = solid.alpha
    source.fade(np.float32(base.opacity))
    _blend(source, target, base.blend_mode)
    _draw_within(clipped, shape, before, target)


def _draw_through(group: Group, clipped: Sequence[Node], target: _Paint) -> None:
    """A pass-through group: its opacity and its mask fade between the picture without it and the picture with it."""
    mask = group.mask if group.mask is not None and group.mask.enabled else None
    before = target.copy() if clipped or mask is not None or group.opacity < 1 else None
    _draw(group.children, target)
    if before is None:
        return
    if clipped:
        _draw_within(clipped, _isolated(group, target.box).alpha, before, target)
    share = np.float32(group.opacity)
    target.scale_change(before, share if mask is None else share * mask.coverage(target.box))


def _adjust(node: Adjustment, clipped: Sequence[Node], target: _Paint) -> None:
    """Change the colours that are there, as far as opacity and mask say; alpha stays."""
    if not target.alpha.any():
        return
    before = _straight(target)
    after = node.change(before)
    if clipped:
        changed = _Paint(target.box, np.array(after, np.float32), np.ones_like(target.alpha))
        for upper in clipped:
            _draw_run(upper, (), changed)
        after = changed.colour
    mix = BLENDS.get(node.blend_mode)
    if mix is not None:
        after = mix(before, after)
    share: Float = np.full(target.alpha.shape, np.float32(node.opacity))
    if node.mask is not None and node.mask.enabled:
        share *= node.mask.coverage(target.box)
    np.multiply(before + (after - before) * share, target.alpha, out=target.colour)


def _mix_clipped(clipped: Sequence[Node], source: _Paint) -> None:
    """Mix the clipped nodes into a base as if it were opaque; its alpha stays, and cuts the result out."""
    opaque = _Paint(source.box, _straight(source), np.ones_like(source.alpha))
    for node in clipped:
        _draw_run(node, (), opaque)
    np.multiply(opaque.colour, source.alpha, out=source.colour)


def _draw_within(nodes: Sequence[Node], shape: Float, before: _Paint, target: _Paint) -> None:
    """Blend the nodes into `target`, which a base of that shape, `(H, W)` in [0, 1], made of `before`: again as if the base
    were opaque. What an opaque one would have made follows from what this one did."""
    target.scale_change(before, np.reciprocal(np.maximum(shape, np.float32(1e-6))))
    for plane in (target.colour, target.alpha):
        np.clip(plane, 0, 1, out=plane)
    for node in nodes:
        _draw_run(node, (), target)
    target.scale_change(before, shape)


def _paint(node: Node, box: Box, share: float) -> _Paint | None:
    """A share of what a layer or group has inside `box`, under its mask, cut to the columns that it covers; `None` if none."""
    if isinstance(node, Layer):
        source = _pixels(node, box, share)
    else:
        source = _isolated(node, box)
        if share < 1:
            source.fade(np.float32(share))
    if source is not None and node.mask is not None and node.mask.enabled:
        source.fade(node.mask.coverage(source.box))
    return source


def _isolated(group: Group, box: Box) -> _Paint:
    """A group's children inside `box`, composed among themselves."""
    paint = _Paint.clear(box)
    _draw(group.children, paint)
    return paint


def _pixels(layer: Layer, box: Box, share: float) -> _Paint | None:
    """A share of the layer's pixels inside `box`, premultiplied, cut to the columns that they cover; `None` if none."""
    pixels = layer.rgba[box.relative_to(layer.box).slices]
    columns = np.flatnonzero(pixels[..., 3].any(axis=0))
    if columns.size == 0:
        return None
    first, end = int(columns[0]), int(columns[-1]) + 1
    pixels = pixels[:, first:end]
    scale = scale_of(pixels)
    alpha = pixels[..., 3] * np.float32(share / scale)
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
