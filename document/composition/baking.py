"""Baking: what a `Layer` cannot hold (masks, clipping, masked groups) is worked into its pixels and noted.

Exact where the picture allows it: a clipped run looks the same after merging. Knows nothing of the file it came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from acetate.raster import Pixels, scale_of, to_16_bits
from acetate.vocabulary.box import Box
from numpy.typing import NDArray

from ..layer import PASS_THROUGH, Group, Layer, Node, depth_of
from .compose import render


@dataclass(frozen=True, eq=False)
class LayerMask:
    """Which part of a layer shows: 255 = all of it."""

    values: NDArray[np.uint8]
    """`(H, W)` uint8; may be empty."""
    x: int
    y: int
    outside: int
    """The value everywhere else."""
    density: int = 255
    """255 = the mask as it is, 0 = no effect."""


@dataclass(frozen=True, eq=False)
class Source:
    """One layer or group as a file describes it, before baking."""

    node: Node
    """A group's children are in `children`, not here."""
    children: tuple[Source, ...] = ()
    mask: LayerMask | None = None
    clipped: bool = False
    """Shows only where the nearest unclipped layer below it does."""
    has_pixels: bool = True
    notes: tuple[str, ...] = field(default=())
    """What was already lost before baking."""


def bake(sources: Sequence[Source], canvas: Box, notes: list[str]) -> tuple[Node, ...]:
    """Nodes that look like the sources, bottom to top; what changed is added to `notes`."""
    nodes: list[Node] = []
    for base, clipped in _runs(sources):
        node = _baked(base, canvas, notes)
        above = [baked for source in clipped if (baked := _baked(source, canvas, notes)) is not None]
        if node is None:
            nodes += above
            notes += [f"{upper.name!r} was clipped to {base.node.name!r} and is now free of it" for upper in above]
        elif above:
            nodes.append(_clipped_together(node, above, canvas, notes))
        else:
            nodes.append(node)
    return tuple(nodes)


def _runs(sources: Sequence[Source]) -> Iterator[tuple[Source, list[Source]]]:
    """Each unclipped source with the clipped ones directly above it."""
    start = 0
    while start < len(sources):
        end = start + 1
        while end < len(sources) and sources[end].clipped:
            end += 1
        yield sources[start], list(sources[start + 1 : end])
        start = end


def _baked(source: Source, canvas: Box, notes: list[str]) -> Node | None:
    notes += source.notes
    node: Node = source.node
    if isinstance(node, Group):
        node = replace(node, children=bake(source.children, canvas, notes))
        if source.mask is None:
            return node
        notes.append(f"the group {node.name!r} has a mask, so it was merged into one layer")
        flat = _flattened(node, canvas)
        return replace(flat, rgba=_masked(flat, source.mask))
    if not source.has_pixels:
        return None
    if source.mask is None:
        return node
    notes.append(f"the mask of {node.name!r} was applied to its transparency")
    return replace(node, rgba=_masked(node, source.mask))


def _flattened(node: Node, canvas: Box) -> Layer:
    """A group as one layer, cut to the canvas."""
    if isinstance(node, Layer):
        return node
    box = node.box.intersection(canvas)
    rgba = render(node.children, box, depth_of(node.children))
    mode = "normal" if node.blend_mode == PASS_THROUGH else node.blend_mode
    return Layer(rgba, box.x, box.y, node.name, opacity=node.opacity, blend_mode=mode, visible=node.visible)


def _masked(layer: Layer, mask: LayerMask) -> Pixels:
    coverage = np.full(layer.rgba.shape[:2], mask.outside, np.float32)
    height, width = mask.values.shape
    place = Box(mask.x, mask.y, width, height)
    both = layer.box.intersection(place)
    if not both.empty:
        coverage[both.relative_to(layer.box).slices] = mask.values[both.relative_to(place).slices]
    share = mask.density / 255
    coverage = coverage * (share / 255) + (1 - share)
    rgba = layer.rgba.copy()
    rgba[..., 3] = (rgba[..., 3] * coverage + 0.5).astype(rgba.dtype)
    return rgba


def _clipped_together(base: Node, above: Sequence[Node], canvas: Box, notes: list[str]) -> Layer:
    """Base and clipped layers as one: their colours mix as if the base were opaque, and its alpha cuts the result out."""
    flat = _flattened(base, canvas)
    for upper in above:
        fate = (
            f"was merged into {base.name!r}, to which it was clipped" if upper.visible else "was hidden and clipped, and left out"
        )
        notes.append(f"{upper.name!r} {fate}")
    opaque = flat.rgba.copy()
    opaque[..., 3] = scale_of(opaque)
    base_and_above = (Layer(opaque, flat.x, flat.y), *above)
    mixed = render(base_and_above, flat.box, depth_of(base_and_above))
    mixed[..., 3] = flat.rgba[..., 3] if mixed.dtype == flat.rgba.dtype else to_16_bits(flat.rgba[..., 3])
    return replace(flat, rgba=mixed)
