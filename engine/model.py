"""An opened base model: its networks, and the facts that decide how it is run.

Knows tensors and devices; knows no request and no task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """Latents in sampling space and a constant -> colour, a least-squares fit: `(C + 1, 4)` gives premultiplied RGBA in
    [0, 1]; `(C + 1, 3)` gives RGB over mid-grey, whose distance from grey stands for alpha."""

    @property
    def dtype(self) -> torch.dtype:
        """Of the UNet's arithmetic."""
        found: torch.dtype = self.unet.dtype
        return found

    def preview(self, clean: Tensor) -> RGBA:
        """`(1, C, h, w)` latents -> `(h, w, 4)` straight, 1/8 of the working size; a matrix product, no network."""
        rows = clean[0].float().cpu().permute(1, 2, 0)
        fitted = (torch.cat([rows, torch.ones_like(rows[..., :1])], dim=2) @ self.preview_matrix).clamp(0, 1).numpy()
        if fitted.shape[2] == 4:
            return to_u8(unpremultiply(fitted))
        alpha = np.clip(np.abs(fitted - 0.5).max(axis=2, keepdims=True) * 6, 0, 1)
        return to_u8(np.concatenate([fitted, alpha], axis=2))
