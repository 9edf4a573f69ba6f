"""bfloat16 arithmetic with float32 weights.

1.6 times as fast as autocast for the transparent decoder on a CPU with AVX-512-BF16, as autocast keeps norms in float32.
"""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Trainer:
    """AdamW on float32 weights for a network that runs in `arithmetic`, with an optional moving average and resumable state."""

    def __init__(
        self,
        network: nn.Module,
        path: Path | None,
        *,
        peak: float,
        steps: int = 0,
        average: float | None = None,
        arithmetic: torch.dtype = torch.bfloat16,
    ) -> None:
        """`arithmetic` is what `fast` computes in: float32 on a processor that has no bfloat16."""
        self.path, self.peak, self.steps = path, peak, steps
        self.network = network.float()
        self.fast = copy.deepcopy(network).to(arithmetic, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.averaged = copy.deepcopy(network).requires_grad_(False) if average else None
        self.decay = average or 0.0
        self.device = next(network.parameters()).device
        on_gpu = self.device.type == "cuda"
        rate = torch.tensor(peak, device=self.device) if on_gpu else peak  # a tensor, as a captured step reads it at every replay
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=1e-3, fused=True, capturable=on_gpu
        )
        self._newest = torch.zeros((), device=self.device)  # weight of the newest step in the average
        self.done = 0
        if path is not None and path.exists():
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            if "optimizer" in state:  # not from a packed model
                self.optimizer.load_state_dict(state["optimizer"])
            if self.averaged is not None:
                self.averaged.load_state_dict(state["averaged"])
            self.done = state["done"]
            self._refresh()

    def step(self, loss: Tensor) -> None:
        """Apply one gradient step of `steps`; the scalar loss must come from `fast`."""
        self.pace((self.done + 1) / 200, self.done / self.steps)
        self.learn(loss)

    def pace(self, warmth: float, share: float) -> None:
        """Set the next step's learning rate: a linear warm-up, and a cosine of the share done, down to 2 % of the peak."""
        rate = self.peak * min(1.0, warmth) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, share))))
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        self.done += 1
        self._newest.fill_(1 - min(self.decay, (1 + self.done) / (10 + self.done)))

    def learn(self, loss: Tensor) -> None:
        """Go down the gradient of a scalar loss at the pace that was set. Reads nothing back, so that a CUDA graph can hold it.

        Gradients take the order in memory of their weights: those of `fast` have the channels last, and on a CPU the fused AdamW
        of torch 2.13 goes through both as they lie, without a check, and mixes up each filter's.
        """
        for half in self.fast.parameters():
            half.grad = None
        loss.backward()
        for master, half in zip(self.network.parameters(), self.fast.parameters(), strict=True):
            master.grad = None if half.grad is None else torch.empty_like(master).copy_(half.grad)
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self._refresh()
        if self.averaged is not None:
            self._average([*self.averaged.parameters()], [*self.network.parameters()])

    def save(self) -> None:
        """Write everything that a resumed run needs, to a temporary name first."""
        assert self.path is not None
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "done": self.done,
        }
        if self.averaged is not None:
            state["averaged"] = self.averaged.state_dict()
        temporary = self.path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(self.path)

    @torch.no_grad()
    def _average(self, averaged: list[Tensor], present: list[Tensor]) -> None:
        """A lerp whose weight is a tensor, which `_foreach_lerp_` does not take."""
        change = list(torch._foreach_sub(present, averaged))
        torch._foreach_mul_(change, self._newest)
        torch._foreach_add_(averaged, change)

    @torch.no_grad()
    def _refresh(self) -> None:
        torch._foreach_copy_(list(self.fast.parameters()), list(self.network.parameters()))
