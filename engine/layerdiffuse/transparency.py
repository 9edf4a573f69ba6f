"""LayerDiffuse's two networks: RGBA to latent offset, and (pixels, latents) to RGBA.

Knows nothing of the base model: the caller hands in its decoded pixels and its *unscaled* latents.
Keys, channel order (alpha first) and arithmetic are those of the published weight files, which load with `strict=True`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .upsample_conv import Doubling

PUBLISHED_CHANNELS = (32, 32, 64, 128, 256, 512, 512)
"""Channels per resolution level of the published decoder files."""

LATENT_LEVEL = 3
"""The latent joins before this level, at 1/8 resolution, as the VAE downsamples by 8."""


class TransparentEncoder(nn.Module):
    """Map alpha and padded colour to an offset for the VAE posterior.

    `(B, 4, H, W)` in [0, 1], channels [alpha, R, G, B] -> `(B, latent_channels, H/8, W/8)`, unscaled.
    Height and width are multiples of 8.
    """

    def __init__(self, latent_channels: int = 4, channels: Sequence[int] = (32, 64, 128, 256)) -> None:
        super().__init__()
        first = channels[0]
        layers: list[nn.Module] = [nn.Conv2d(4, first, 3, padding=1), nn.SiLU()]
        layers += [nn.Conv2d(first, first, 3, padding=1), nn.SiLU()]
        for narrow, wide in pairwise(channels):
            layers += [nn.Conv2d(narrow, wide, 3, padding=1, stride=2), nn.SiLU()]
            layers += [nn.Conv2d(wide, wide, 3, padding=1), nn.SiLU()]
        self.blocks = nn.Sequential(*layers, nn.Conv2d(channels[-1], latent_channels, 3, padding=1))

    def forward(self, alpha_rgb_01: Tensor) -> Tensor:
        """`(B, 4, H, W)` -> `(B, latent_channels, H/8, W/8)`, as the class says."""
        result: Tensor = self.blocks(alpha_rgb_01)
        return result


class TransparentDecoder(nn.Module):
    """Recover straight-alpha RGBA from decoded pixels and the latents they came from.

    A U-Net over pixels into which the latents are added at 1/8 resolution. `channels` sets the width of each resolution
    level; the deepest `attention_levels` of them carry self-attention. The defaults are the published files'
    104,104,804 parameters (538 tensors).
    """

    def __init__(self, latent_channels: int = 4, channels: Sequence[int] = PUBLISHED_CHANNELS, attention_levels: int = 3) -> None:
        super().__init__()
        depth = len(channels)
        if depth <= LATENT_LEVEL:
            raise ValueError(f"channels has {depth} levels; the latents join at level {LATENT_LEVEL}, so at least 4 are needed")
        self.multiple_of = 2 ** (depth - 1)
        """Height and width in pixels must be multiples of this (64 for the published files)."""
        self.conv_in = nn.Conv2d(3, channels[0], 3, padding=1)
        self.latent_conv_in = nn.Conv2d(latent_channels, channels[LATENT_LEVEL - 1], 1)
        inputs = (channels[0], *channels[:-1])
        self.down_blocks = nn.ModuleList(
            _DownBlock(inputs[i], channels[i], attention=i >= depth - attention_levels, last=i == depth - 1) for i in range(depth)
        )
        self.mid_block = _MidBlock(channels[-1])
        self.up_blocks = nn.ModuleList()
        hidden = channels[-1]
        for i in reversed(range(depth)):
            skips = (channels[i], channels[i], inputs[i])
            self.up_blocks.append(_UpBlock(hidden, skips, channels[i], attention=i >= depth - attention_levels, last=i == 0))
            hidden = channels[i]
        self.conv_norm_out = nn.GroupNorm(4, channels[0], eps=1e-5)
        self.conv_out = nn.Conv2d(channels[0], 4, 3, padding=1)

    def forward(self, pixels_01: Tensor, latents: Tensor) -> Tensor:
        """One pass: `(B, 3, H, W)` in [0, 1] and unscaled `(B, C, H/8, W/8)` -> raw `(B, 4, H, W)`, alpha first, straight."""
        _check_sizes(pixels_01, latents, self.multiple_of)
        hidden = self.conv_in(pixels_01)
        skips = [hidden]
        for level, block in enumerate(self.down_blocks):
            if level == LATENT_LEVEL:  # out of place: the skip stored last must stay as it was
                hidden = hidden + self.latent_conv_in(latents)
            hidden = block(hidden, skips)
        hidden = self.mid_block(hidden)
        for block in self.up_blocks:
            hidden = block(hidden, skips)
        result: Tensor = self.conv_out(F.silu(self.conv_norm_out(hidden)))
        return result

    @torch.no_grad()
    def estimate(self, pixels_01: Tensor, latents: Tensor, passes: int = 8, batch: int = 1) -> Tensor:
        """Lower median of `passes` flips and rotations, `(B, 4, H, W)` in [0, 1], alpha first, straight.

        Eight passes are the reference and exactly equivariant to flips and rotations; 4 are the rotations, 2 a picture and
        its half turn, 1 a plain pass. `batch` runs that many at once (memory for launches, equal up to rounding).
        """
        return lower_median([estimate for group in self.estimates(pixels_01, latents, passes, batch) for estimate in group])

    def estimates(
        self,
        pixels_01: Tensor,
        latents: Tensor,
        passes: int,
        batch: int = 1,
        done: int = 0,
        forward: Callable[[Tensor, Tensor], Tensor] | None = None,
        beyond: int | None = None,
    ) -> Iterator[list[Tensor]]:
        """The single estimates, `(B, 4, H, W)` each, in a list for every network call: time to report progress or to stop.

        The first `done` of them are left out; their order does not depend on `batch`. With `beyond` only those come that an
        estimate of that many passes lacks. `forward` replaces the plain call of the
        network. Raises `ValueError` where `passes` is not 8, 4, 2 or 1.
        """
        if passes not in (1, 2, 4, 8):
            raise ValueError(f"passes is {passes}; it must be 8, 4, 2 or 1")
        known = [] if beyond is None else _symmetries(beyond)
        symmetries = [symmetry for symmetry in _symmetries(passes) if symmetry not in known]
        for group in _groups(symmetries, batch, done, pixels_01.shape[2] == pixels_01.shape[3]):
            raw = (forward or self)(
                torch.cat([_turn(pixels_01, *symmetry) for symmetry in group]),
                torch.cat([_turn(latents, *symmetry) for symmetry in group]),
            )
            parts = raw.clamp(0, 1).chunk(len(group))
            yield [_turn_back(part, *symmetry) for part, symmetry in zip(parts, group, strict=True)]


def lower_median(values: list[Tensor]) -> Tensor:
    """The element-wise lower median of 1, 2, 4 or 8 tensors of one shape, as `torch.median` takes it, but without a sort.

    A min/max selection network: 131 ms -> 11.5 ms for 8x4x512x512 on the CPU (performance.md 9), NaN propagates, and no
    five-dimensional median is needed, on which MPS fails (layerdiffuse.md 2.5). Raises `ValueError` for another number.
    """
    if len(values) == 1:
        return values[0]
    if len(values) == 2:
        return torch.minimum(*values)
    if len(values) == 4:
        low_a, high_a = torch.minimum(values[0], values[1]), torch.maximum(values[0], values[1])
        low_b, high_b = torch.minimum(values[2], values[3]), torch.maximum(values[2], values[3])
        return torch.minimum(torch.maximum(low_a, low_b), torch.minimum(high_a, high_b))
    if len(values) == 8:
        low, high = _sort4(values[:4]), _sort4(values[4:])
        # The 4th smallest of two sorted fours is the largest of the four smallest: max over min(low[i], high[3 - i]).
        smallest = [torch.minimum(low[i], high[3 - i]) for i in range(4)]
        return torch.maximum(torch.maximum(smallest[0], smallest[1]), torch.maximum(smallest[2], smallest[3]))
    raise ValueError(f"{len(values)} estimates; 1, 2, 4 or 8 can be combined")


def _sort4(v: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    a, b = torch.minimum(v[0], v[1]), torch.maximum(v[0], v[1])
    c, d = torch.minimum(v[2], v[3]), torch.maximum(v[2], v[3])
    first, e = torch.minimum(a, c), torch.maximum(a, c)
    f, last = torch.minimum(b, d), torch.maximum(b, d)
    return first, torch.minimum(e, f), torch.maximum(e, f), last


Symmetry = tuple[bool, int]
"""(mirrored, quarter turns)"""


def _symmetries(passes: int) -> list[Symmetry]:
    if passes <= 2:
        return [(False, turns) for turns in (0, 2)][:passes]
    return [(mirrored, turns) for mirrored in (False, True) for turns in range(4)][:passes]


def _groups(symmetries: list[Symmetry], batch: int, done: int, square: bool) -> Iterator[list[Symmetry]]:
    """Groups of at most `batch`; upright and sideways only mix where their pictures have one shape."""
    upright = [symmetry for symmetry in symmetries if symmetry[1] % 2 == 0]
    sideways = [symmetry for symmetry in symmetries if symmetry[1] % 2]
    alike = [upright[done:], sideways[max(0, done - len(upright)) :]]
    for ones in [alike[0] + alike[1]] if square else alike:
        for start in range(0, len(ones), max(1, batch)):
            yield ones[start : start + max(1, batch)]


def _turn(x: Tensor, mirrored: bool, turns: int) -> Tensor:
    return torch.rot90(x.flip(3) if mirrored else x, turns, (2, 3))


def _turn_back(x: Tensor, mirrored: bool, turns: int) -> Tensor:
    x = torch.rot90(x, -turns, (2, 3))
    return x.flip(3) if mirrored else x


def _check_sizes(pixels: Tensor, latents: Tensor, multiple_of: int) -> None:
    height, width = pixels.shape[2:]
    if height % multiple_of or width % multiple_of:
        raise ValueError(f"pixels are {width} x {height}; width and height must be multiples of {multiple_of}")
    if latents.shape[2:] != (height // 8, width // 8):
        found, wanted = f"{latents.shape[3]} x {latents.shape[2]}", f"{width // 8} x {height // 8}"
        raise ValueError(f"latents are {found}; pixels of {width} x {height} need latents of {wanted}")


class _ResnetBlock(nn.Module):
    """Pre-activation residual block; GroupNorm with 4 groups throughout (layerdiffuse.md 2.1)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(4, inputs, eps=1e-5)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm2 = nn.GroupNorm(4, outputs, eps=1e-5)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.conv1(F.silu(self.norm1(x)))
        hidden = self.conv2(F.silu(self.norm2(hidden)))
        shortcut: Tensor = x if self.conv_shortcut is None else self.conv_shortcut(x)
        return shortcut + hidden


class _SelfAttention(nn.Module):
    """Residual self-attention over all positions, heads of dimension 8."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.heads = channels // 8
        self.group_norm = nn.GroupNorm(4, channels, eps=1e-5)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)  # (B, H*W, C)
        q, k, v = (f(tokens).unflatten(2, (self.heads, 8)).transpose(1, 2) for f in (self.to_q, self.to_k, self.to_v))
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        out: Tensor = self.to_out[0](attended)
        return x + out.transpose(1, 2).reshape(batch, channels, height, width)


class _Halving(nn.Module):
    """A convolution with stride 2, with the published key `conv`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x)
        return result


class _DownBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, *, attention: bool, last: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([_ResnetBlock(inputs, outputs), _ResnetBlock(outputs, outputs)])
        self.attentions = nn.ModuleList([_SelfAttention(outputs) for _ in range(2)]) if attention else None
        self.downsamplers = None if last else nn.ModuleList([_Halving(outputs)])

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        for i, resnet in enumerate(self.resnets):
            x = resnet(x)
            if self.attentions is not None:
                x = self.attentions[i](x)
            skips.append(x)
        if self.downsamplers is not None:
            x = self.downsamplers[0](x)
            skips.append(x)
        return x


class _MidBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([_ResnetBlock(channels, channels) for _ in range(2)])
        self.attentions = nn.ModuleList([_SelfAttention(channels)])

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.resnets[1](self.attentions[0](self.resnets[0](x)))
        return result


class _UpBlock(nn.Module):
    def __init__(self, inputs: int, skips: tuple[int, int, int], outputs: int, *, attention: bool, last: bool) -> None:
        super().__init__()
        hidden = (inputs, outputs, outputs)
        self.resnets = nn.ModuleList([_ResnetBlock(h + s, outputs) for h, s in zip(hidden, skips, strict=True)])
        self.attentions = nn.ModuleList([_SelfAttention(outputs) for _ in range(3)]) if attention else None
        self.upsamplers = None if last else nn.ModuleList([Doubling(nn.Conv2d(outputs, outputs, 3, padding=1))])

    def forward(self, x: Tensor, skips: list[Tensor]) -> Tensor:
        for i, resnet in enumerate(self.resnets):
            x = resnet(torch.cat([x, skips.pop()], dim=1))
            if self.attentions is not None:
                x = self.attentions[i](x)
        if self.upsamplers is not None:
            x = self.upsamplers[0](x)
        return x
