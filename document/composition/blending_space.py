"""Blending in another RGB space than sRGB, where whoever made the document blended so: soft edges and modes mix other numbers.

Layers stay in sRGB; what a band of rows needs of them is converted, and the band is converted back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from acetate.raster import RGBA16, Pixels, scale_of, to_16_bits
from acetate.raster.arrays import rounded
from acetate.vocabulary.box import Box

from ..adjustment import Adjustment
from ..layer import Group, Node
from .rgb_space import RGBSpace, srgb


def in_space(nodes: Sequence[Node], box: Box, space: RGBSpace) -> tuple[Node, ...]:
    """The nodes as far as they reach into the box, their pixels as 16-bit numbers of the space."""
    return tuple(_converted(node, box, space) for node in nodes)


def _converted(node: Node, box: Box, space: RGBSpace) -> Node:
    if isinstance(node, Group):
        return replace(node, children=in_space(node.children, box, space))
    if isinstance(node, Adjustment):
        return node
    inside = node.box.intersection(box)
    pixels = node.rgba[inside.relative_to(node.box).slices] if not inside.empty else node.rgba[:0, :0]
    return replace(node, rgba=_numbers(pixels, space), x=inside.x, y=inside.y)


def _numbers(pixels: Pixels, space: RGBSpace) -> RGBA16:
    planes = np.moveaxis(pixels[..., :3], -1, 0).astype(np.float32) / np.float32(scale_of(pixels))
    made = np.empty(pixels.shape, np.uint16)
    made[..., :3] = np.moveaxis(rounded(srgb().converted(planes, space) * np.float32(65535), np.uint16), 0, -1)
    made[..., 3] = to_16_bits(pixels[..., 3])
    return cast(RGBA16, made)
