"""Two of diffusers' schedulers that take noise which was drawn beforehand, and are equal to them bit for bit.

Theirs draw on the host and copy it to the device in every step, which waits for the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diffusers import EulerAncestralDiscreteScheduler, LCMScheduler
from torch import Tensor


class EulerAncestral(EulerAncestralDiscreteScheduler):  # type: ignore[misc]
    """Euler's method with ancestral noise."""

    @property
    def draws(self) -> int:
        """How often a run draws noise, the steps that are left out included."""
        return len(self.timesteps)

    def step(self, output: Tensor, timestep: Any, sample: Tensor, noises: Iterator[Tensor], return_dict: bool) -> tuple[Tensor]:
        """The next sample, `(B, C, h, w)`, from the model's `output` for this one."""
        if self.step_index is None:
            self._init_step_index(timestep)
        here, there = self.sigmas[self.step_index], self.sigmas[self.step_index + 1]
        if self.config.prediction_type == "v_prediction":
            clean = output * (-here / (here**2 + 1) ** 0.5) + (sample / (here**2 + 1))
        else:
            clean = sample - here * output
        up = (there**2 * (here**2 - there**2) / here**2) ** 0.5
        down = (there**2 - up**2) ** 0.5
        following = sample + (sample - clean) / here * (down - here)
        self._step_index += 1
        return (following + next(noises) * up,)


class LatentConsistency(LCMScheduler):  # type: ignore[misc]
    """The sampler of latent consistency models; its last step draws nothing."""

    @property
    def draws(self) -> int:
        """How often a run draws noise, the steps that are left out included."""
        return len(self.timesteps) - 1

    def step(self, output: Tensor, timestep: Any, sample: Tensor, noises: Iterator[Tensor], return_dict: bool) -> tuple[Tensor]:
        """The next sample, `(B, C, h, w)`, from the model's `output` for this one."""
        if self.step_index is None:
            self._init_step_index(timestep)
        last = self.step_index + 1 == len(self.timesteps)
        kept = self.alphas_cumprod[timestep]
        signal, noise = kept.sqrt(), (1 - kept).sqrt()
        skip, out = self.get_scalings_for_boundary_condition_discrete(timestep)
        velocity = self.config.prediction_type == "v_prediction"
        clean = signal * sample - noise * output if velocity else (sample - noise * output) / signal
        clean = out * clean + skip * sample
        self._step_index += 1
        if last:
            return (clean,)
        there = self.alphas_cumprod[self.timesteps[self.step_index]]
        return (there.sqrt() * clean + (1 - there).sqrt() * next(noises),)
