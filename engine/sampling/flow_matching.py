"""Sampling of models that learnt the straight way from noise to picture: noise levels, starting points, and the loop.

A sample at level sigma is `(1 - sigma) * clean + sigma * noise`; the model tells `noise - clean` (qwen-image.md 1.5, 2). Knows
latents and numbers; knows no prompt and no alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..device.host_lead import OneStepAhead
from ..values.errors import NumericFailure
from .denoising_loop import executed


@dataclass(frozen=True)
class FlowSchedule:
    """Where the noise levels of a model's steps lie, by the scheduler's configuration that is saved with it."""

    config: Mapping[str, Any]
    """Of diffusers' `FlowMatchEulerDiscreteScheduler`."""
    listed: Sequence[float] = ()
    """The levels that a model was distilled to, falling; they stand as they are unless the configuration shifts them."""

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> FlowSchedule:
        """From a model's configuration, with the list of a distilled one as `sample_sigmas`."""
        return cls(config, tuple(config.get("sample_sigmas") or ()))

    @property
    def steps(self) -> int | None:
        """How many steps a distilled model is made for; `None` for any other."""
        return len(self.listed) or None

    def sigmas(self, steps: int, tokens: int) -> NDArray[np.float64]:
        """The level that each step begins at, `(steps,)` falling from 1, for a picture of so many latents; 0 comes after.

        A distilled model's list is followed with more or fewer steps, too.
        """
        plain = np.linspace(1, 1 / steps, steps)
        if self.listed:
            places = np.linspace(0, len(self.listed), steps + 1)
            plain = np.interp(places, np.arange(len(self.listed) + 1), [*self.listed, 0.0])[:-1]
        config = self.config
        if not config.get("use_dynamic_shifting"):
            shift = float(config.get("shift", 1.0))
            shifted = shift * plain / (1 + (shift - 1) * plain)
        else:
            mu = self.mu(tokens)
            factor = math.exp(mu) if config.get("time_shift_type", "exponential") == "exponential" else mu
            shifted = factor / (factor + (1 / plain - 1))
        if terminal := config.get("shift_terminal"):
            shifted = 1 - (1 - shifted) * ((1 - terminal) / (1 - shifted[-1])) if steps > 1 else shifted
        return shifted

    def mu(self, tokens: int) -> float:
        """How far the levels are shifted towards noise: linear in the picture's size."""
        least, most = self.config.get("base_image_seq_len", 256), self.config.get("max_image_seq_len", 4096)
        low, high = self.config.get("base_shift", 0.5), self.config.get("max_shift", 1.15)
        return float(low + (high - low) * (tokens - least) / (most - least))


@dataclass(frozen=True)
class FlowStep:
    """The state after one denoising step."""

    index: int
    """1-based number of the step."""
    count: int
    sample: Tensor
    """What the model was given, `(B, C, h, w)`."""
    velocity: Tensor
    """What it returned."""
    sigma: float

    @property
    def clean(self) -> Tensor:
        """The noise-free latents that the model predicts, `(B, C, h, w)`."""
        return self.sample - self.sigma * self.velocity


class FlowLoop:
    """One picture's way from noise to latents, with Euler's method: the counterpart of `DenoisingLoop`."""

    def __init__(
        self,
        schedule: FlowSchedule,
        steps: int,
        strength: float,
        tokens: int,
        device: torch.device,
        pace: OneStepAhead | None = None,
    ) -> None:
        """`tokens` is how many latents the picture has."""
        self.steps = executed(steps, strength)
        self.sigmas: list[float] = [*schedule.sigmas(steps, tokens).tolist()[steps - self.steps :], 0.0]
        """The levels between which the steps lead."""
        self._pace = pace or OneStepAhead(device)
        self.latents: Tensor

    @property
    def count(self) -> int:
        """The number of steps that are run."""
        return self.steps

    def step_of(self, index: int) -> int:
        """The step, from 0, that evaluation `index` belongs to."""
        return index

    def start(self, noise: Tensor, clean: Tensor | None) -> Tensor:
        """The first sample, `(B, C, h, w)`: pure noise, or `clean` with the first step's noise."""
        return noise if clean is None else self.noised(clean, noise, 0)

    def noised(self, clean: Tensor, noise: Tensor, index: int) -> Tensor:
        """`clean`, `(B, C, h, w)`, at the level that step `index` (0-based) begins at; unchanged past the last one."""
        sigma: float = self.sigmas[min(index, self.count)]
        return (1 - sigma) * clean + sigma * noise

    @torch.no_grad()
    def run(
        self,
        sample: Tensor,
        predict: Callable[[Tensor, float, int], Tensor],
        keep: Callable[[Tensor, int], Tensor] | None = None,
    ) -> Iterator[FlowStep]:
        """Denoise `sample`, `(B, C, h, w)`; then `self.latents` holds the result. Raises `NumericFailure` for NaN or infinity.

        `keep(sample, index)` may mix what is known back in after every step (repaint).
        """
        self.latents = sample
        for index, (sigma, lower) in enumerate(zip(self.sigmas[:-1], self.sigmas[1:], strict=True)):
            velocity = predict(sample, sigma, index)
            following = sample + (lower - sigma) * velocity
            if keep is not None:
                following = keep(following, index + 1)
            self._pace.step()
            yield FlowStep(index + 1, self.count, sample, velocity, sigma)
            sample = following
        if not bool(torch.isfinite(sample).all()):
            raise NumericFailure("the denoised latents hold NaN or infinity")
        self.latents = sample
