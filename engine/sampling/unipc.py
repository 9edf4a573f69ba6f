"""diffusers' UniPC with numbers of the host: its own copies some to the device in every step, and waits for that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from diffusers import UniPCMultistepScheduler
from torch import Tensor


class UniPC(UniPCMultistepScheduler):  # type: ignore[misc]
    """Equal to diffusers' own but for rounding.

    Predictor and corrector add up samples and earlier outputs of the model. What each counts is asked of diffusers, by giving it
    the rows of the unit matrix in their place.
    """

    model_outputs: Sequence[Any]

    def multistep_uni_p_bh_update(self, model_output: Tensor, *args: Any, sample: Tensor, order: int) -> Tensor:
        """The sample, `(B, C, h, w)`, at the next level."""
        predict = super().multistep_uni_p_bh_update
        known = [sample, *self.model_outputs[: -order - 1 : -1]]
        return self._summed(known, lambda rows: predict(rows[1], sample=rows[0], order=order))

    def multistep_uni_c_bh_update(
        self, this_model_output: Tensor, *args: Any, last_sample: Tensor, this_sample: Tensor, order: int
    ) -> Tensor:
        """This sample, `(B, C, h, w)`, corrected by the model's output for it."""
        correct = super().multistep_uni_c_bh_update
        known = [last_sample, *self.model_outputs[: -order - 1 : -1], this_model_output]
        return self._summed(
            known, lambda rows: correct(rows[-1], last_sample=rows[0], this_sample=rows[0], order=order), outputs=slice(1, -1)
        )

    def _summed(
        self, known: Sequence[Tensor], update: Callable[[Sequence[Tensor]], Tensor], outputs: slice = slice(1, None)
    ) -> Tensor:
        """What `update` makes of `known`, of which `outputs` are the model's earlier ones, the newest first."""
        rows = torch.eye(len(known)).split(1)
        own, self.model_outputs = self.model_outputs, rows[outputs][::-1]
        try:
            weights = update(rows)[0].tolist()
        finally:
            self.model_outputs = own
        total: Tensor = weights[0] * known[0]
        for weight, tensor in zip(weights[1:], known[1:], strict=True):
            total = total + weight * tensor
        return total
