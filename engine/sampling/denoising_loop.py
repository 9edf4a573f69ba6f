"""Denoising over a sampler: noise, starting points, and the loop.

Knows latents and a UNet; knows no prompt text and no alpha. Notation: `sigma` is the noise of the variance-exploding form,
`sample / sqrt(sigma^2 + 1)` the variance-preserving one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..device.host_lead import OneStepAhead
from ..values.errors import NumericFailure
from .samplers import Sampler

TWISTER, TWISTER_BEGINS = 624, 24
"""How many words of eight bytes the twister's state has, and where they begin in the state of a torch generator."""


def executed(steps: int, strength: float) -> int:
    """How many of `steps` are run: the last ones, down from the noise level that `strength` allows."""
    return min(steps, max(round(steps * strength), 0))


def noise_like(shape: tuple[int, ...], seed: int) -> Tensor:
    """float32 standard normal noise of `shape`, drawn on the CPU: the same seed gives the same picture on every device."""
    return torch.randn(shape, generator=generator_of(seed))


def generator_of(seed: int) -> torch.Generator:
    """A generator on the CPU for a seed of up to 63 bits.

    torch seeds it by 32 bits alone. The state of its Mersenne twister is made from all of a longer seed instead.
    """
    generator = torch.Generator("cpu").manual_seed(seed % 2**32)
    if seed >= 2**32:
        words = np.frombuffer(hashlib.shake_256(seed.to_bytes(8, "big")).digest(4 * TWISTER), dtype=">u4").astype(np.int64)
        state = generator.get_state()
        state[TWISTER_BEGINS : TWISTER_BEGINS + 8 * TWISTER] = torch.from_numpy(words).view(torch.uint8)
        generator.set_state(state)
    return generator


def sigma_at(timestep: float, alphas_cumprod: Tensor) -> float:
    """Sigma between two timesteps, log-linear as the reference interpolates it; `alphas_cumprod` is `(timesteps,)`."""
    sigmas = ((1 - alphas_cumprod) / alphas_cumprod).sqrt().log()
    low = min(max(int(timestep), 0), len(sigmas) - 1)
    high = min(low + 1, len(sigmas) - 1)
    share = timestep - low
    return float(((1 - share) * sigmas[low] + share * sigmas[high]).exp())


@dataclass(frozen=True)
class DenoisingStep:
    """The state after one denoising step."""

    index: int
    """1-based number of the step."""
    count: int
    scaled: Tensor
    """What the model was given, `(B, C, h, w)`."""
    output: Tensor
    """What the model returned, `(B, C, h, w)`."""
    kept: float
    """The training schedule's product of alphas at this step, rounded to a whole timestep."""
    velocity: bool
    """Whether the model predicts velocity instead of noise."""

    @property
    def clean(self) -> Tensor:
        """The noise-free latents that the model predicts, `(B, C, h, w)` in sampling space; computed when asked, for previews."""
        signal, noise = self.kept**0.5, (1 - self.kept) ** 0.5
        clean: Tensor = (
            signal * self.scaled - noise * self.output if self.velocity else (self.scaled - noise * self.output) / signal
        )
        return clean


class DenoisingLoop:
    """One picture's way from noise to latents.

    `predict(scaled_sample, timestep)` is the UNet with its guidance; `keep(sample, noised)` may mix the known part back in
    after every step (repaint). Iterate `run()`, then take `latents`.

    Timesteps and levels are tables that are made beforehand, on the host for the scheduler and on the device for the model: no
    step waits for the device. Between steps the host waits until all but the latest are done (`host_lead`).
    """

    def __init__(
        self, sampler: Sampler, steps: int, strength: float, device: torch.device, pace: OneStepAhead | None = None
    ) -> None:
        self.scheduler = scheduler = sampler.prepare(steps)
        self._pace = pace or OneStepAhead(device)
        start = steps - executed(steps, strength)
        start = min(len(scheduler.timesteps), start * scheduler.order)
        scheduler.set_begin_index(start)
        self.timesteps: Tensor = scheduler.timesteps[start:]
        """The timesteps, on the host."""
        self._for_model = sampler.for_model(self.timesteps).to(device)
        levels: Tensor = scheduler.alphas_cumprod
        self.steps = executed(steps, strength)
        """The steps that are run; some solvers evaluate the model twice in each."""
        self._kept: list[float] = levels[self.timesteps.round().long().clamp(0, len(levels) - 1)].tolist()

    @property
    def count(self) -> int:
        """The number of steps that are run."""
        return len(self.timesteps)

    def step_of(self, index: int) -> int:
        """The step, from 0, that evaluation `index` belongs to."""
        return index // int(self.scheduler.order)

    def start(self, noise: Tensor, clean: Tensor | None) -> Tensor:
        """The first sample, `(B, C, h, w)`: pure noise, or `clean` with the first step's noise added.

        A solver of the variance-preserving form starts at sigma_max / sqrt(sigma_max^2 + 1): so it equals the reference's sampler
        to 4e-7 (`test_samples_are_the_references_own_to_the_last_bits`).
        """
        if clean is not None:
            return self.noised(clean, noise, 0)
        sigmas = getattr(self.scheduler, "sigmas", None)
        if self.scheduler.init_noise_sigma == 1 and sigmas is not None:
            peak = float(sigmas[0])
            return noise * (peak / math.hypot(peak, 1))
        return noise * float(self.scheduler.init_noise_sigma)

    def noised(self, clean: Tensor, noise: Tensor, index: int) -> Tensor:
        """`clean`, `(B, C, h, w)`, at the noise level that step `index` (0-based) starts from; unchanged past the last one."""
        if index >= self.count:
            return clean
        one, none = torch.ones(1), torch.zeros(1)  # the scheduler would copy its whole table to the device at every call
        at = self.timesteps[index : index + 1]
        signal, level = (float(self.scheduler.add_noise(*pair, at)) for pair in ((one, none), (none, one)))
        return signal * clean + level * noise

    def sigma(self, index: int) -> float:
        """The noise level that step `index` (0-based) starts from."""
        return sigma_at(float(self.timesteps[index]), self.scheduler.alphas_cumprod)

    def forget(self) -> None:
        """Drop a multistep solver's history: what another model predicted must not be extrapolated (layerdiffuse.md 5.4)."""
        if hasattr(self.scheduler, "forget"):
            self.scheduler.forget()
        if hasattr(self.scheduler, "model_outputs"):
            self.scheduler.model_outputs = [None] * self.scheduler.config.solver_order
            self.scheduler.lower_order_nums = 0
        if hasattr(self.scheduler, "last_sample"):  # by which UniPC corrects what it predicted
            self.scheduler.last_sample = None

    @torch.no_grad()
    def run(
        self,
        sample: Tensor,
        predict: Callable[[Tensor, Tensor, int], Tensor],
        generator: torch.Generator,
        keep: Callable[[Tensor, int], Tensor] | None = None,
    ) -> Iterator[DenoisingStep]:
        """Denoise `sample`, `(B, C, h, w)`; then `self.latents` holds the result. Raises `NumericFailure` for NaN or infinity.

        Stochastic solvers draw from `generator` (CPU).
        """
        self.latents = sample
        if not self.count:
            return
        extra = self._noise(sample, generator)
        velocity = self.scheduler.config.prediction_type == "v_prediction"
        for index, timestep in enumerate(self.timesteps):
            scaled = self.scheduler.scale_model_input(sample, timestep)
            output = predict(scaled, self._for_model[index], index)
            sample = self.scheduler.step(output, timestep, sample, return_dict=False, **next(extra))[0]
            if keep is not None:
                sample = keep(sample, index + 1)
            self._pace.step()
            yield DenoisingStep(index + 1, self.count, scaled, output, self._kept[index], velocity)
        if not bool(torch.isfinite(sample).all()):
            raise NumericFailure("the denoised latents hold NaN or infinity")
        self.latents = sample

    def _noise(self, sample: Tensor, generator: torch.Generator) -> Iterator[dict[str, Any]]:
        """What `scheduler.step` takes for its own noise, step by step.

        Where it takes the noise itself, all of it is drawn beforehand, in the same order: a copy from the host in every step
        would wait for the device.
        """
        takes = self.scheduler.step.__code__.co_varnames
        ours = "noises" in takes
        if ours or self.scheduler.config.get("algorithm_type") == "sde-dpmsolver++":
            count = min(self.scheduler.draws, self.count * self.scheduler.order) if ours else self.count
            drawn = torch.empty(count, *sample.shape)
            for one in drawn:
                one.copy_(torch.randn(sample.shape, generator=generator))
            noises = iter(drawn.to(sample.device))
            return repeat({"noises": noises}) if ours else ({"variance_noise": noise} for noise in noises)
        return repeat({})
