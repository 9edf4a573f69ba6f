"""An opened base model: its networks, and the facts that decide how it is run. Knows no request and no task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from accelerate.utils import send_to_device
from acetate.raster import RGBA, to_u8, unpremultiply
from torch import Tensor, nn

from ..device.accelerator import Accelerator
from ..device.memory_budget import MemoryBudget
from ..device.memory_plans import NetworkSizes
from ..device.placement import Placement, bytes_of, largest_layer
from ..families import Defaults, Family
from ..pixels.working_canvas import WorkingSizes
from ..sketch.recall import Recall
from ..weights.stored_weights import computed_in, is_narrow
from .codec import AlphaCodec
from .embeddings import Embedding
from .runtime import Runtime


@dataclass(frozen=True)
class Text:
    """Encoded prompts of one chunk count."""

    embeds: Tensor
    """`(B, tokens, width)`."""
    pooled: Tensor | None = None
    """`(B, width)`, SDXL only."""
    slots: Tensor | None = None
    """`(B, tokens)` bool, of encoders that see pictures: which tokens stand for parts of them."""


class TextEncoding(Protocol):
    """Prompts -> embeddings, all padded to the same number of chunks."""

    embeddings: Mapping[str, Embedding]

    @property
    def text_encoders(self) -> Sequence[nn.Module]: ...

    def encode(self, prompts: list[str], clip_skip: int | None = None) -> Text: ...


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
    runtime: Runtime
    preview_matrix: Tensor
    """Latents in sampling space and a constant -> colour, a least-squares fit: `(C + 1, 4)` gives premultiplied RGBA in
    [0, 1]; `(C + 1, 3)` gives RGB over mid-grey, whose distance from grey stands for alpha."""
    lacks: tuple[str, ...] = ()
    """Catalogue roles whose files were missing when it was opened."""
    caution: str = ""
    """Why its transparent layers may disappoint."""
    predicts: str = "epsilon"
    """What its UNet was taken to predict when it was opened."""
    notes: tuple[str, ...] = ()
    """What a person should know of its files."""
    noted: Mapping[str, str] = field(default_factory=dict)
    """What a picture's parameters say of where its parts come from."""
    recall: Recall | None = None
    """Where its UNet draws after a reference: what finds one by the prompt's words."""
    dtype: torch.dtype = field(init=False)
    """The type of the UNet's arithmetic."""
    narrow: bool = field(init=False)
    """Whether the UNet's layers widen their weights as they run."""
    accelerator: Accelerator = field(init=False)
    """Runs the calls of all its networks."""
    memory: MemoryBudget = field(init=False)
    """Its share of the device."""

    def __post_init__(self) -> None:
        """Put the parts together: every network in its place, within one budget, called by one accelerator."""
        encoders = list(self.text.text_encoders)
        networks = {"text": encoders, "unet": [self.unet], "pixels": self.codec.networks}
        self.dtype = computed_in(self.unet)
        self.narrow = is_narrow(self.unet)
        self.accelerator = self.runtime.accelerator()
        placement = Placement(networks, self.device, self.accelerator)
        self.memory = MemoryBudget(placement, self._weigh(encoders), self.runtime.others)
        self.codec = self.codec.within(self.memory, self.accelerator)
        for encoder in encoders:  # a known prompt needs no encoder, so each is moved only when it runs
            encoder.register_forward_pre_hook(self._bring_text, with_kwargs=True)

    @property
    def device(self) -> torch.device:
        return self.runtime.device

    def _weigh(self, encoders: list[nn.Module]) -> NetworkSizes:
        return NetworkSizes(
            unet_activations=self.family.unet_activations,
            text=bytes_of(encoders),
            unet=bytes_of([self.unet]),
            pixels=bytes_of(self.codec.networks),
            largest_layer=largest_layer(self.unet),
            unet_element=self.dtype.itemsize,
            narrow=self.narrow,
            vae_element=next(self.codec.networks[0].parameters()).element_size(),
            decoder_element=next(self.codec.networks[-1].parameters()).element_size(),
            pixel_work=self.codec.pixel_work,
            kept=self.family.kept,
        )

    def _bring_text(self, encoder: nn.Module, arguments: Any, keywords: Any) -> tuple[Any, Any]:
        self.memory.placement.need("text")
        return send_to_device((arguments, keywords), self.device)  # type: ignore[no-any-return]

    def preview(self, clean: Tensor) -> RGBA:
        """`(1, C, h, w)` latents -> `(h, w, 4)` uint8 straight, 1/8 of the working size; a matrix product, no network."""
        rows = clean[0].float().cpu().permute(1, 2, 0)
        fitted = (torch.cat([rows, torch.ones_like(rows[..., :1])], dim=2) @ self.preview_matrix).clamp(0, 1).numpy()
        if fitted.shape[2] == 4:
            return to_u8(unpremultiply(fitted))
        alpha = np.clip(np.abs(fitted - 0.5).max(axis=2, keepdims=True) * 6, 0, 1)
        return to_u8(np.concatenate([fitted, alpha], axis=2))
