"""Drawings moved, turned, stretched and bent, many at once. On premultiplied tensors `(B, 4, H, W)`."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def affine(
    count: int, generator: torch.Generator, *, turn: float, scale: float, stretch: float, shift: float, mirror: float
) -> Tensor:
    """Random maps `(count, 2, 3)` for `warped`: at most `turn` degrees, `scale` smaller or larger and `stretch` wider as shares,
    `shift` in half sides, mirrored with the chance `mirror`."""
    angle = _spread(count, generator) * math.radians(turn)
    size = 1 + _spread(count, generator) * scale
    wider = 1 + _spread(count, generator) * stretch
    flip = torch.where(torch.rand(count, generator=generator) < mirror, -1.0, 1.0)
    cosine, sine = angle.cos(), angle.sin()
    first = torch.stack([flip * cosine * size * wider, -sine * size / wider, _spread(count, generator) * shift], dim=1)
    second = torch.stack([flip * sine * size * wider, cosine * size / wider, _spread(count, generator) * shift], dim=1)
    return torch.stack([first, second], dim=1)


def warped(rgba: Tensor, maps: Tensor, bend: float, generator: torch.Generator, cells: int = 4) -> Tensor:
    """Premultiplied `(B, 4, H, W)` seen through `maps` and bent smoothly by about `bend` half sides; clear beyond the border."""
    count, _, height, width = rgba.shape
    grid = F.affine_grid(maps, [count, 4, height, width], align_corners=False)
    if bend:
        rough = torch.randn(count, 2, cells, cells, generator=generator) * bend
        grid = grid + F.interpolate(rough, (height, width), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    return F.grid_sample(rgba, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _spread(count: int, generator: torch.Generator) -> Tensor:
    return torch.rand(count, generator=generator) * 2 - 1
