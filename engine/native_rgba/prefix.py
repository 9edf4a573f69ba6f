"""One prompt's way through Qwen-Image-2.1's transformer: what comes before the picture is computed once.

Prompt and references never see the picture that is drawn, so their keys and values are the same in every step: the very numbers,
without their work (qwen-image.md 1.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.models.transformers.transformer_qwenimage21 import QwenImage21KVCache
from torch import Tensor

from ..models.model import Text


class PrefixedTransformer:
    """The transformer with one prompt and its references, as a function of the sample and its noise level."""

    def __init__(
        self, transformer: Any, text: Text, references: Sequence[Tensor], device: torch.device, dtype: torch.dtype
    ) -> None:
        """`references` are `(1, C, h, w)` latents, as many as `text` has pictures; `cached` may be turned off to compare."""
        assert text.slots is not None
        self._transformer, self._device, self._dtype = transformer, device, dtype
        self._embeds, self._slots = text.embeds.to(device, dtype), text.slots.to(device)
        self._references = [one.to(device, dtype) for one in references]
        self._prefix: QwenImage21KVCache | None = None
        self.cached = True

    def velocity(self, sample: Tensor, sigma: float) -> Tensor:
        """The way from clean to noise at `sample`, `(1, C, h, w)`, whose noise level is `sigma` in [0, 1].

        A call that fails leaves nothing behind: the next one computes the prefix anew.
        """
        prefix, self._prefix = self._prefix, None
        mode = "cached" if prefix is not None else "extract" if self.cached else None
        if mode == "extract":
            prefix = QwenImage21KVCache(len(self._transformer.transformer_blocks))
        pictures = [*self._references, sample.to(self._device, self._dtype)]
        target = sample.shape[2] * sample.shape[3]
        slots = torch.cat([self._slots, self._slots.new_ones(1, target // 4)], dim=1)
        output = self._transformer(
            hidden_states=torch.cat([tokens(one) for one in pictures], dim=1),
            timestep=torch.tensor([sigma], device=self._device, dtype=self._dtype),
            encoder_hidden_states=self._embeds,
            img_shapes=[[(1, one.shape[2], one.shape[3]) for one in pictures]],
            img_mask=slots,
            kv_cache=prefix,
            kv_cache_mode=mode,
            return_dict=False,
        )[0]
        self._prefix = prefix
        return output[:, -target:].transpose(1, 2).reshape(sample.shape).float()  # type: ignore[no-any-return]


def tokens(latents: Tensor) -> Tensor:
    """`(1, C, h, w)` -> `(1, h * w, C)`, row by row."""
    return latents.flatten(2).transpose(1, 2)
