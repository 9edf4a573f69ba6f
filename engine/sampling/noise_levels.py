"""Spacings: at which noise levels a sampler with so many steps evaluates the model. Knows numbers; knows no sampler, no torch.

A level is sigma of the variance-exploding form. Timesteps are those of training, 0 to 999; between two of them the level is
log-linear, as k-diffusion has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from diffusers.schedulers import AysSchedules
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RHO = 7.0
"""How much more Karras' spacing cares for low levels (Karras et al. 2022, table 1)."""
BETA = 0.6
"""Both parameters of the distribution that `beta` takes its quantiles from (Lee et al. 2024)."""


@dataclass(frozen=True, eq=False)
class TrainedLevels:
    """The noise levels that a model was trained at."""

    sigmas: Numbers
    """By timestep, rising."""
    steps_table: str = "StableDiffusion"
    """Whose published Align Your Steps table fits the model: the beginning of its name in diffusers."""

    @classmethod
    def of(cls, alphas_cumprod: Numbers, steps_table: str = "StableDiffusion") -> TrainedLevels:
        """From the training schedule's products of alphas, falling."""
        return cls(np.sqrt((1 - alphas_cumprod) / alphas_cumprod), steps_table)

    @property
    def last(self) -> int:
        """The timestep of the highest level."""
        return len(self.sigmas) - 1

    def at(self, timesteps: Numbers) -> Numbers:
        """Levels at timesteps, which need not be whole."""
        return np.exp(np.interp(timesteps, np.arange(len(self.sigmas)), np.log(self.sigmas)))

    def timesteps(self, sigmas: Numbers) -> Numbers:
        """Timesteps at levels, 0 to `last`."""
        return np.interp(np.log(sigmas), np.log(self.sigmas), np.arange(len(self.sigmas), dtype=np.float64))


TERMINAL = 2.0**-24
"""The share of signal that the noisiest level keeps where it should keep none: small enough, and a finite level."""


def own_betas(config: Mapping[str, Any]) -> Numbers | None:
    """The training schedule, `(timesteps,)`, of a scheduler configuration that no beta schedule's name tells; `None` else.

    That is zero terminal SNR (Lin et al. 2024, algorithm 1), or EDM's levels from `sigma_min` to `sigma_max`, log-linear.
    """
    count = config.get("num_train_timesteps", 1000)
    if is_edm(config):
        kept = 1 / (1 + np.exp(np.linspace(math.log(config["sigma_min"]), math.log(config["sigma_max"]), count)) ** 2)
    elif config.get("rescale_betas_zero_snr"):
        power = 2 if config.get("beta_schedule") == "scaled_linear" else 1
        ends = (config["beta_start"] ** (1 / power), config["beta_end"] ** (1 / power))
        root = np.sqrt(np.cumprod(1 - np.linspace(*ends, count) ** power))
        kept = ((root - root[-1]) * (root[0] / (root[0] - root[-1]))) ** 2
        kept[-1] = TERMINAL
    else:
        return None
    betas: Numbers = 1 - kept / np.concatenate([[1.0], kept[:-1]])
    return betas


def is_edm(config: Mapping[str, Any]) -> bool:
    """Whether a model with this scheduler configuration is told the level's logarithm instead of a timestep."""
    return "sigma_data" in config


def _linspace(steps: int, trained: TrainedLevels) -> Numbers:
    return trained.at(np.linspace(trained.last, 0, steps))


def _trailing(steps: int, trained: TrainedLevels) -> Numbers:
    return trained.at(np.linspace(trained.last, 0, steps + 1)[:-1])


def _simple(steps: int, trained: TrainedLevels) -> Numbers:
    return trained.at(trained.last - np.floor(np.arange(steps) * (len(trained.sigmas) / steps)))


def _leading(steps: int, trained: TrainedLevels) -> Numbers:
    """One step would begin at the lowest level and draw nothing: it begins at the highest."""
    every = len(trained.sigmas) // steps
    raised = 1 if (steps - 1) * every < trained.last else 0
    found = np.arange(steps)[::-1] * every + raised if steps > 1 else np.asarray([trained.last])
    return trained.at(found.astype(np.float64))


def _karras(steps: int, trained: TrainedLevels) -> Numbers:
    low, high = trained.sigmas[0] ** (1 / RHO), trained.sigmas[-1] ** (1 / RHO)
    levels: Numbers = (high + np.linspace(0, 1, steps) * (low - high)) ** RHO
    return levels


def _exponential(steps: int, trained: TrainedLevels) -> Numbers:
    return np.exp(np.linspace(np.log(trained.sigmas[-1]), np.log(trained.sigmas[0]), steps))


def _beta(steps: int, trained: TrainedLevels) -> Numbers:
    exact = _beta_quantiles(1 - np.arange(steps) / steps) * trained.last
    whole = np.rint(exact)
    return trained.at(whole if len(np.unique(whole)) == steps else exact)


def _align_your_steps(steps: int, trained: TrainedLevels) -> Numbers:
    """The published ten, between which others are log-linear; the eleventh level is the lowest."""
    table = np.asarray(AysSchedules[f"{trained.steps_table}Sigmas"], dtype=np.float64)
    table[-1] = trained.sigmas[0]
    places = np.linspace(0, 1, len(table))
    return np.exp(np.interp(np.linspace(0, 1, steps + 1), places, np.log(table)))[:-1]


SPACINGS: Mapping[str, Callable[[int, TrainedLevels], Numbers]] = {
    "linspace": _linspace,
    "karras": _karras,
    "exponential": _exponential,
    "sgm-uniform": _trailing,
    "simple": _simple,
    "ddim-uniform": _leading,
    "beta": _beta,
    "ays": _align_your_steps,
}
"""Name -> the levels of so many steps, falling; 0 comes after the last."""


def noise_levels(spacing: str, steps: int, trained: TrainedLevels) -> Numbers:
    """The levels that a sampler of `steps` starts its steps from, `(steps,)`, strictly falling, the first the highest trained."""
    return SPACINGS[spacing](steps, trained)


def _beta_quantiles(shares: Numbers) -> Numbers:
    """Quantiles of the symmetric beta distribution, by its integral up to one half in u = t ** BETA, where it is smooth."""
    u = np.linspace(0, 0.5**BETA, 4001)
    density = (1 - u ** (1 / BETA)) ** (BETA - 1)
    integral = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    lower = np.interp(np.minimum(shares, 1 - shares), integral / integral[-1] / 2, u) ** (1 / BETA)
    return np.where(shares <= 0.5, lower, 1 - lower)
