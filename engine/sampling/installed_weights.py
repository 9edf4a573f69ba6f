"""Which LoRAs and which LayerDiffuse weights a model carries at the moment, changed in place from one job to the next.

Knows where files lie by functions that it is given; knows no prompt and no picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from acetate.vocabulary.roles import Role
from torch import Tensor

from ..files.library import Find
from ..files.weight_files import WeightFile
from ..layerdiffuse.attention_sharing import AttentionSharing
from ..models.model import Model
from ..values.lora_tag import LoraTag
from ..values.recipes import Recipe
from ..values.request import Request
from ..weights import patches
from ..weights.loras import Loras
from .denoising_loop import DenoisingLoop, sigma_at


@dataclass(frozen=True)
class _Key:
    """What a model carries; equal keys need no work."""

    role: str | None
    layer_weight: float = 1.0
    loras: tuple[tuple[Any, ...], ...] = ()


class InstalledWeights:
    """Keeps each model patched as the running recipe and the artist's LoRAs need it.

    LoRAs lie below: LayerDiffuse's weights come off before the set of LoRAs changes, and go on again after.
    """

    def __init__(self, find: Find, find_lora: Find) -> None:
        self._find, self._find_lora = find, find_lora
        self._present: dict[int, tuple[_Key, patches.Patch | AttentionSharing | None]] = {}
        self._loras: dict[int, Loras] = {}

    @contextmanager
    def installed(self, model: Model, recipe: Recipe, request: Request, controls: Mapping[Role, Tensor]) -> Iterator[Switch]:
        """The model as `recipe` needs it; it stays so afterwards, as the next job is often of the same kind.

        `controls` holds condition pictures `(1, 3, H, W)` in [0, 1] over mid-grey, for attention sharing.
        """
        key = _Key(recipe.weights, request.layer_weight if not recipe.sharing else 1.0, request.loras)
        sharing = self._ensure(model, key, sharing=recipe.sharing)
        if isinstance(sharing, AttentionSharing) and sharing.needs_control:
            sharing.set_control(controls[recipe.conditions[0]].to(model.device))
        active = recipe.weights is not None and request.stop_at < 1
        yield Switch(self, model, request.stop_at if active else 1.0)

    def strip(self, model: Model) -> None:
        """Remove LayerDiffuse's weights; LoRAs stay."""
        _, carried = self._present.get(id(model.unet), (None, None))
        with model.memory.placement.editing(heavily=False):
            if isinstance(carried, AttentionSharing):
                carried.remove()
            elif carried is not None:
                carried.revert()
        self._present.pop(id(model.unet), None)

    def release(self, model: Model) -> None:
        """Restore the model's own weights, bit for bit."""
        self.strip(model)
        loras = self._loras.pop(id(model.unet), None)
        if loras is not None:
            with model.memory.placement.editing(heavily=False):
                loras.remove()

    def _ensure(self, model: Model, key: _Key, *, sharing: bool) -> patches.Patch | AttentionSharing | None:
        present = self._present.get(id(model.unet))
        if present is not None and present[0] == key:
            return present[1]
        self.strip(model)
        carried = model.memory.attempt("denoise", lambda: self._carry(model, key, sharing=sharing))
        self._present[id(model.unet)] = (key, carried)
        return carried

    def _carry(self, model: Model, key: _Key, *, sharing: bool) -> patches.Patch | AttentionSharing | None:
        loras = self._loras.get(id(model.unet))
        if loras is None and key.loras:
            loras = self._loras[id(model.unet)] = Loras(model.unet, model.text.text_encoders)
        if loras is None and key.role is None:
            return None
        with model.memory.placement.editing():
            if loras is not None:
                loras.require([(self._find_lora(model.family, tag.name), tag) for tag in map(LoraTag.of, key.loras)])
            if key.role is None:
                return None
            with WeightFile(self._find(model.family, key.role)) as file:
                return AttentionSharing(model.unet, file) if sharing else patches.apply(model.unet, file, key.layer_weight)


class Switch:
    """Hands the rest of a run to the unpatched base model below a noise level ("Stop At", layerdiffuse.md 5.4)."""

    def __init__(self, weights: InstalledWeights, model: Model, stop_at: float) -> None:
        self._weights, self._model, self._stop_at = weights, model, stop_at

    def reached(self, index: int, loop: DenoisingLoop) -> bool:
        """Whether step `index` belongs to the base model."""
        if self._stop_at >= 1:
            return False
        alphas_cumprod: Tensor = torch.as_tensor(loop.scheduler.alphas_cumprod)
        return self._stop_at <= 0 or loop.sigma(index) < sigma_at((1 - self._stop_at) * 999, alphas_cumprod)

    def strip(self, loop: DenoisingLoop) -> None:
        """Turn the model into the base model: its own weights, and no history of what the patched one predicted."""
        self._weights.strip(self._model)
        loop.forget()
