"""The encoder of the control image of `layer_sd15_fg2bg` and `layer_sd15_bg2fg`, and its way into the units.

Knows pictures and features; does not know the UNet (layerdiffuse.md 4.5).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..files.weight_files import listed
from ..values.errors import ModelBroken

PREFIX = "kwargs_encoder."


class ControlEncoder(nn.Module):
    """Map a picture to features at 1/8, 1/16, 1/32, … of its size, one level per UNet resolution.

    Published shape: channels (32, 64, 128, 256) for the three halvings to 1/8, then three further levels of 256.
    """

    def __init__(self, channels: tuple[int, ...] = (32, 64, 128, 256), levels: int = 4) -> None:
        super().__init__()
        self.levels = levels
        self.width = channels[-1]
        """Channels of every level that is handed out."""
        first: list[nn.Module] = [_conv(3, channels[0]), nn.SiLU(), _conv(channels[0], channels[0]), nn.SiLU()]
        for narrow, wide in zip(channels, channels[1:], strict=False):
            first += [_conv(narrow, wide, stride=2), nn.SiLU(), _conv(wide, wide), nn.SiLU()]
        self.multiple_of = 2 ** (len(channels) - 1 + levels - 1)
        self.blocks_0 = nn.Sequential(*first)
        deep = channels[-1]
        for level in range(1, levels):
            block = nn.Sequential(_conv(deep, deep, stride=2), nn.SiLU(), _conv(deep, deep), nn.SiLU())
            self.add_module(f"blocks_{level}", block)

    def forward(self, rgb_11: Tensor) -> tuple[Tensor, ...]:
        """`(1, 3, H, W)` in [-1, 1] -> `(1, 256, H/8, W/8)`, `(1, 256, H/16, W/16)`, …"""
        features: list[Tensor] = []
        for level in range(self.levels):
            features.append(self.get_submodule(f"blocks_{level}")(features[-1] if features else rgb_11))
        return tuple(features)

    @classmethod
    def load(cls, weights: Mapping[str, Tensor]) -> ControlEncoder:
        """The encoder of `weights`, by keys without prefix, in fp32 with their shapes. Raises `ModelBroken` if they do not
        fit."""
        outputs = [weights[key].shape[0] for key in _first_block_weights(weights)]
        if not outputs:
            raise ModelBroken(f"the control encoder lacks its first block, blocks_0; it has {listed(weights)}")
        with torch.device("meta"):
            encoder = cls(tuple(outputs[0::2]), levels=len({key.split(".")[0] for key in weights}))
        try:
            encoder.load_state_dict({key: tensor.float() for key, tensor in weights.items()}, assign=True)
        except RuntimeError as error:
            raise ModelBroken(f"the control encoder's weights are incomplete or of the wrong shape: {error}") from error
        return encoder.eval().requires_grad_(False)


def control_tokens(features: Tensor, weights: Mapping[str, Tensor], frame: int) -> Tensor:
    """One unit's `control_convs` of one frame: `(1, 256, h, w)` -> `(1, h*w, C)`, rows first.

    `weights` are the unit's tensors without their prefix, in any dtype and on any device.
    """
    key = f"control_convs.{frame}."
    first, last = ((weights[f"{key}{n}.weight"].to(features), weights[f"{key}{n}.bias"].to(features)) for n in (0, 2))
    hidden = F.conv2d(F.silu(F.conv2d(features, *first, padding=1)), *last)
    return hidden.flatten(2).transpose(1, 2)


def _first_block_weights(weights: Mapping[str, Tensor]) -> list[str]:
    keys = [key for key in weights if key.startswith("blocks_0.") and key.endswith(".weight")]
    return sorted(keys, key=lambda key: int(key.split(".")[1]))


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1)
