"""An opened base model: its networks, and the facts that decide how it is run.

Knows tensors and devices; knows no request and no task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from .alpha import to_u8, unpremultiply
from .codec import AlphaCodec
from .frame import WorkingSizes
from .recipes import Family
from .request import RGBA


@dataclass(frozen=True)
class Defaults:
    """What a request that says nothing gets."""

    steps: int
    guidance_scale: float
    scheduler: str
    alpha_passes: int


@dataclass(frozen=True)
class Text:
    """Encoded prompts of one chunk count."""

    embeds: Tensor
    """`(B, tokens, width)`."""
    pooled: Tensor | None = None
    """`(B, width)`, SDXL only."""


class TextEncoding(Protocol):
    """Prompts -> embeddings, all padded to the same number of chunks."""

    def encode(self, prompts: list[str]) -> Text: ...


@dataclass
class Model:
    """One base model on its device."""

    name: str
    family: Family
    unet: Any
    text: TextEncoding
    codec: AlphaCodec
    scheduler_config: Mapping[str, Any]
    sizes: WorkingSizes
    defaults: Defaults
    device: torch.device
    preview_matrix: Tensor
    """`(C + 1, 4)`: latents in sampling space and a constant -> premultiplied RGBA in [0, 1], a least-squares fit."""
    licence: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def dtype(self) -> torch.dtype:
        """Of the UNet's arithmetic."""
        found: torch.dtype = self.unet.dtype
        return found

    def preview(self, clean: Tensor) -> RGBA:
        """`(1, C, h, w)` latents -> `(h, w, 4)` straight, 1/8 of the working size; a matrix product, no network."""
        rows = clean[0].float().cpu().permute(1, 2, 0)
        rows = torch.cat([rows, torch.ones_like(rows[..., :1])], dim=2) @ self.preview_matrix
        return to_u8(unpremultiply(np.clip(rows.numpy(), 0, 1)))
