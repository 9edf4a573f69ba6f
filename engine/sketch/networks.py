"""The small networks between premultiplied RGBA and latents, and from there to four times the size.

No norm anywhere, so that what a network gives at one place depends on its surroundings alone: it may be trained on crops.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PATCH = 8
"""Side in pixels of the square that a latent stands for."""
ENLARGEMENT = 4
"""How many times wider and higher the enlarger's pictures are."""


class PatchEncoder(nn.Module):
    """A linear map of every 8 x 8 patch: `(B, 4, H, W)` premultiplied RGBA in [0, 1] -> `(B, C, H/8, W/8)`.

    Height and width are multiples of 8. Linear, so that no weight of another network is worth less when decoders are trained on.
    The `sizes` of this and the other networks are what they are made with.
    """

    def __init__(self, latent_channels: int) -> None:
        super().__init__()
        self.sizes = {"latent_channels": latent_channels}
        self.patches = nn.Conv2d(4, latent_channels, PATCH, stride=PATCH)

    def forward(self, rgba_01: Tensor) -> Tensor:
        """`(B, 4, H, W)` -> `(B, C, H/8, W/8)`, as the class says."""
        result: Tensor = self.patches(rgba_01)
        return result


class PatchDecoder(nn.Module):
    """Latents `(B, C, h, w)` -> `(B, 4, 8 h, 8 w)` premultiplied RGBA, about [0, 1]: the linear way back, and what it lacks.

    `channels` are the widths at an eighth, a quarter and half of the size, `depths` how many residual blocks each has.
    """

    def __init__(
        self, latent_channels: int, channels: tuple[int, int, int] = (128, 48, 32), depths: tuple[int, int, int] = (2, 3, 3)
    ) -> None:
        super().__init__()
        self.sizes = {"latent_channels": latent_channels, "channels": channels, "depths": depths}
        self.linear = nn.ConvTranspose2d(latent_channels, 4, PATCH, stride=PATCH)
        layers: list[nn.Module] = [nn.Conv2d(latent_channels, channels[0], 3, padding=1)]
        for level, (width, depth) in enumerate(zip(channels, depths, strict=True)):
            layers += [_Block(width) for _ in range(depth)]
            following = channels[level + 1] if level + 1 < len(channels) else 4
            layers += [nn.Conv2d(width, 4 * following, 3, padding=1), nn.PixelShuffle(2)]
        self.detail = nn.Sequential(*layers)

    def forward(self, latents: Tensor) -> Tensor:
        """`(B, C, h, w)` -> `(B, 4, 8 h, 8 w)`, as the class says."""
        result: Tensor = self.linear(latents) + self.detail(latents)
        return result


class Enlarger(nn.Module):
    """`(B, 4, H, W)` premultiplied RGBA -> `(B, 4, 4 H, 4 W)`: outlines that are drawn instead of interpolated."""

    def __init__(self, channels: int = 40, depth: int = 5) -> None:
        super().__init__()
        self.sizes = {"channels": channels, "depth": depth}
        layers: list[nn.Module] = [nn.Conv2d(4, channels, 3, padding=1), nn.SiLU()]
        for _ in range(depth):
            layers += [nn.Conv2d(channels, channels, 3, padding=1), nn.SiLU()]
        layers += [nn.Conv2d(channels, 4 * ENLARGEMENT**2, 3, padding=1), nn.PixelShuffle(ENLARGEMENT)]
        self.detail = nn.Sequential(*layers)

    def forward(self, rgba_01: Tensor) -> Tensor:
        """`(B, 4, H, W)` -> `(B, 4, 4 H, 4 W)`, as the class says."""
        plain = F.interpolate(rgba_01, scale_factor=ENLARGEMENT, mode="bilinear", align_corners=False)
        result: Tensor = plain + self.detail(rgba_01)
        return result


class _Block(nn.Module):
    """A residual block; its second convolution begins at zero."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.conv2(F.silu(self.conv1(F.silu(x))))
        return result


def within_alpha(rgba: Tensor) -> Tensor:
    """Premultiplied `(B, 4, H, W)`, alpha last, brought to what can be: alpha in [0, 1], colour in [0, alpha]."""
    alpha = rgba[:, 3:].clamp(0, 1)
    return torch.cat([torch.minimum(rgba[:, :3].clamp(min=0), alpha), alpha], dim=1)
