"""Crops and other colours of pictures, many at once, so that few of them show much. On premultiplied tensors."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def crops(pictures: Tensor, count: int, side: int, generator: torch.Generator) -> Tensor:
    """Random squares of random pictures, `(N, H, W, 4)` uint8 -> `(count, 4, side, side)` in [0, 1], turned and mirrored."""
    found = []
    for _ in range(count):
        picture = pictures[_below(len(pictures), generator)]
        top, left = (_below(length - side + 1, generator) for length in picture.shape[:2])
        square = torch.rot90(picture[top : top + side, left : left + side], _below(4, generator))
        found.append(square.flip(1) if _below(2, generator) else square)
    crop = torch.stack(found).permute(0, 3, 1, 2).float() / 255
    return recoloured(crop, generator).contiguous(memory_format=torch.channels_last)


def recoloured(rgba: Tensor, generator: torch.Generator) -> Tensor:
    """Each of `(B, 4, H, W)` premultiplied with its channels in another order, or as it is."""
    orders = ((0, 1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3), (1, 2, 0, 3), (2, 0, 1, 3), (0, 2, 1, 3), (1, 0, 2, 3), (2, 1, 0, 3))
    return torch.stack([one[list(orders[_below(len(orders), generator)])] for one in rgba])


def hue_turned(rgba: Tensor, generator: torch.Generator) -> Tensor:
    """Premultiplied `(B, 4, H, W)` with every hue turned by one random angle a picture: a turn about the grey axis."""
    angle = torch.rand(len(rgba), generator=generator) * 2 * math.pi
    cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
    axis = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    turn = cosine * torch.eye(3) + (1 - cosine) * axis + sine * cross
    colour = torch.einsum("bij,bjhw->bihw", turn, rgba[:, :3])
    return torch.cat([torch.minimum(colour.clamp(min=0), rgba[:, 3:]), rgba[:, 3:]], dim=1)


def _below(limit: int, generator: torch.Generator) -> int:
    return int(torch.randint(limit, (), generator=generator))
