"""Baking: masks, clipping and effects worked into the pixels, for what can hold none. `said` names what that does to a document.

Exact but around pass-through groups: their mask goes to each layer in them, which is the same only where it is fully on or off or
one layer covers, and what is clipped to them is merged with them as with an ordinary group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from acetate.raster import Pixels, scale_of, to_16_bits
from acetate.vocabulary.box import Box

from ..adjustment import Adjustment
from ..layer import PASS_THROUGH, Document, Group, Layer, Node, depth_of, runs
from ..mask import Mask
from .compose import render, without_effects


def baked(document: Document) -> Document:
    """The document without masks and clipping, for what can hold neither; `notes` say what that did."""
    notes = (*document.notes, *said(document.layers))
    return replace(document, layers=bake(document.layers, document.box), notes=notes)


def bake(nodes: Sequence[Node], canvas: Box, *, clipping: bool = False) -> tuple[Node, ...]:
    """Nodes without masks, bottom to top, that look like these; merged groups are cut to the canvas.

    With `clipping`, layers stay clipped where `is_merged` does not say otherwise; else they are merged into their base.
    """
    made: list[Node] = []
    for base, clipped in runs(without_effects(nodes)):
        if isinstance(base, Adjustment):
            continue
        bare = _bare(base, canvas, clipping)
        if is_merged(base, clipped, clipping=clipping):
            made.append(_merged(bare, clipped, canvas))
            continue
        made.append(replace(bare, clipped=False) if bare.clipped else bare)
        made += (_bare(upper, canvas, clipping) for upper in clipped)
    return tuple(made)


def said(nodes: Sequence[Node], *, clipping: bool = False) -> Iterator[str]:
    """What `bake` does to the nodes, one sentence each, for the person."""
    for base, clipped in runs(nodes):
        yield from _said_of_looks((base, *clipped))
        if isinstance(base, Adjustment):
            continue
        merged = is_merged(base, clipped, clipping=clipping)
        if merged and isinstance(base, Group):
            yield f"the group {base.name!r} has layers clipped to it, so it was merged into one layer"
        else:
            yield from _said_of_masks(base, clipping)
        for upper in clipped:
            if not merged:
                yield from _said_of_masks(upper, clipping)
            elif upper.visible:
                yield f"{upper.name!r} was merged into {base.name!r}, to which it was clipped"
            else:
                yield f"{upper.name!r} was hidden and clipped, and left out"


def is_merged(base: Node, clipped: Sequence[Node], *, clipping: bool) -> bool:
    """Whether a run becomes one layer: unless source-atop on the base shows it, in normal mode and mixed with the base first."""
    simple = base.blends_clipped and base.blend_mode != PASS_THROUGH
    normal = all(upper.blend_mode == "normal" and not isinstance(upper, Adjustment) for upper in clipped)
    return bool(clipped) and not (clipping and simple and normal)


def is_flattened(node: Node) -> bool:
    """Whether a group becomes one layer because of its mask."""
    return isinstance(node, Group) and node.mask is not None and node.mask.enabled and node.blend_mode != PASS_THROUGH


def _said_of_looks(run: Sequence[Node]) -> Iterator[str]:
    for node in run:
        if isinstance(run[0], Adjustment) and isinstance(node, Adjustment):
            yield f"{node.name!r} ({node.kind}) changes what lies below it, and was left out"
        if node.style is not None and node.style.effects:
            yield f"the effects of {node.name!r} became layers and pixels"


def _said_of_masks(node: Node, clipping: bool) -> Iterator[str]:
    if isinstance(node, Group) and not is_flattened(node):
        yield from said(node.children, clipping=clipping)
    if node.mask is None:
        return
    if not node.mask.enabled:
        yield f"the mask of {node.name!r}, which was disabled, was left out"
    elif isinstance(node, Layer):
        yield f"the mask of {node.name!r} was applied to its transparency"
    elif is_flattened(node):
        yield f"the group {node.name!r} has a mask, so it was merged into one layer"
    else:
        yield f"the mask of the group {node.name!r} was applied to the layers in it"


def _bare(node: Node, canvas: Box, clipping: bool) -> Node:
    """The node without masks; what is clipped inside it is baked, too."""
    mask = node.mask if node.mask is not None and node.mask.enabled else None
    if isinstance(node, Layer):
        return node if node.mask is None else replace(node, rgba=_masked(node, mask), mask=None)
    if is_flattened(node):
        flat = _flattened(node, canvas)
        return replace(flat, rgba=_masked(flat, mask), mask=None)
    children = bake(node.children, canvas, clipping=clipping)
    if mask is not None:
        under = (child if child.clipped else replace(child, mask=mask) for child in children)
        children = tuple(_bare(child, canvas, clipping) for child in under)
    return replace(node, children=children, mask=None)


def _masked(layer: Layer, mask: Mask | None) -> Pixels:
    """The pixels with the mask in their alpha; hidden colour stays."""
    if mask is None:
        return layer.rgba
    rgba = layer.rgba.copy()
    rgba[..., 3] = (rgba[..., 3] * mask.coverage(layer.box) + np.float32(0.5)).astype(rgba.dtype)
    return rgba


def _flattened(node: Node, canvas: Box) -> Layer:
    """A group as one layer, cut to the canvas; its mask is left to the caller."""
    if isinstance(node, Layer):
        return node
    box = node.box.intersection(canvas)
    mode = "normal" if node.blend_mode == PASS_THROUGH else node.blend_mode
    rgba = render(node.children, box, depth_of(node.children))
    made = Layer(rgba, box.x, box.y, node.name, opacity=node.opacity, blend_mode=mode, visible=node.visible)
    return replace(made, clipped=node.clipped)


def _merged(base: Node, clipped: Sequence[Node], canvas: Box) -> Layer:
    """Base and clipped layers as one: their colours mix as if the base were opaque, and its alpha cuts the result out."""
    flat = _flattened(base, canvas)
    opaque = flat.rgba.copy()
    opaque[..., 3] = scale_of(opaque)
    together = (Layer(opaque, flat.x, flat.y), *(replace(upper, clipped=False) for upper in clipped))
    mixed = render(together, flat.box, depth_of(together))
    mixed[..., 3] = flat.rgba[..., 3] if mixed.dtype == flat.rgba.dtype else to_16_bits(flat.rgba[..., 3])
    return replace(flat, rgba=mixed, clipped=False)
