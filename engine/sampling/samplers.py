"""Samplers by name: diffusers' schedulers, and our solvers behind the same interface. Knows no model and no request."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import diffusers
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..values.errors import BadRequest
from . import solvers
from .drawn_noise import EulerAncestral, LatentConsistency
from .noise_levels import SPACINGS, TrainedLevels, is_edm, noise_levels, own_betas
from .solvers import Method, Run
from .unipc import UniPC

_LINSPACE = {"timestep_spacing": "linspace"}
_SDE = {"algorithm_type": "sde-dpmsolver++"}
_MULTISTEP = "DPMSolverMultistepScheduler"
SCHEDULERS: Mapping[str, tuple[str, Mapping[str, Any], str]] = {
    "dpmpp-2m-karras": (_MULTISTEP, {}, "karras"),
    "dpmpp-2m-sde-karras": (_MULTISTEP, _SDE, "karras"),
    "euler": ("EulerDiscreteScheduler", _LINSPACE, "linspace"),
    "euler-a": ("EulerAncestralDiscreteScheduler", _LINSPACE, "linspace"),
    "unipc": ("UniPCMultistepScheduler", {}, "karras"),
    "lcm": ("LCMScheduler", {}, ""),
    "tcd": ("", {}, "sgm-uniform"),
    "ddim": ("EulerDiscreteScheduler", _LINSPACE, "ddim-uniform"),
    "heun": ("", {}, "linspace"),
    "lms": ("", {}, "linspace"),
    "deis": ("", {}, "linspace"),
    "dpmpp-2m": (_MULTISTEP, {}, "linspace"),
    "dpmpp-2m-sde": (_MULTISTEP, _SDE, "linspace"),
    "dpmpp-3m-sde": ("", {}, "exponential"),
    "dpmpp-sde": ("", {}, "linspace"),
    "dpmpp-2s-a": ("", {}, "linspace"),
    "dpm2": ("", {}, "linspace"),
}
"""Name -> diffusers' class, or none for a solver of ours; its settings; the spacing of the name alone.

LCM's own spacing is a part of its class. DDIM without noise is Euler's method, as in ComfyUI. 3M SDE overshoots in the long last
step of `linspace`, with any model (`test_the_third_order_sde_needs_levels_close_together_at_the_end`).
"""

METHODS: Mapping[str, Method] = {
    "heun": Method(solvers.heun, between=lambda here, there: there, evaluations=2),
    "lms": Method(solvers.lms),
    "deis": Method(solvers.deis),
    "dpm2": Method(solvers.dpm2, between=solvers.middle, evaluations=2),
    "dpmpp-sde": Method(solvers.dpmpp_sde, between=solvers.middle, draws=2, evaluations=2),
    "dpmpp-2s-a": Method(
        solvers.dpmpp_2s_ancestral,
        between=lambda here, there: solvers.middle(here, solvers.ancestral(here, there)[0]),
        draws=1,
        evaluations=2,
    ),
    "dpmpp-3m-sde": Method(solvers.dpmpp_3m_sde, draws=1),
}
"""Our solvers, but for TCD's, which takes the model's own levels."""

_OWN: Mapping[str, Any] = {
    "EulerAncestralDiscreteScheduler": EulerAncestral,
    "LCMScheduler": LatentConsistency,
    "UniPCMultistepScheduler": UniPC,
}
"""Ours in place of diffusers', which wait for the device in their steps."""

TCD_GAMMA = 0.3
"""How far TCD's sampler goes down and up again in a step; its authors' default."""

BASE_KEYS = ("beta_start", "beta_end", "beta_schedule", "num_train_timesteps", "prediction_type")
"""What a scheduler takes over from the model's own configuration; the rest of that file concerns another sampler."""


class Sampler:
    """A scheduler and its spacing, for one run."""

    def __init__(self, name: str, config: Mapping[str, Any], spacing: str | None = None, table: str = "StableDiffusion") -> None:
        """For a model whose scheduler configuration is `config`, whose Align Your Steps table is `table`.

        Raises `BadRequest` for an unknown name.
        """
        for what, chosen, known in (("scheduler", name, SCHEDULERS), ("spacing", spacing or "karras", SPACINGS)):
            if chosen not in known:
                raise BadRequest(f"unknown {what} {chosen!r}", f"one of {', '.join(known)}")
        kind, settings, own = SCHEDULERS[name]
        self._kind, self._spacing = kind, spacing or own
        base = {key: config[key] for key in BASE_KEYS if key in config}
        betas = own_betas(config)
        if betas is not None:
            base["trained_betas"] = betas.tolist()
        self._edm = is_edm(config)
        if self._multistep and self._spacing == "karras":
            settings = {**settings, "use_karras_sigmas": True}
        made = _OWN.get(kind) or getattr(diffusers, kind or "EulerDiscreteScheduler")
        plain = made(**base, **settings)
        self._trained = TrainedLevels.of(plain.alphas_cumprod.double().numpy(), table)
        self.scheduler: Any = plain if kind else Solver(_method(name, self._trained), plain, self._trained)
        """diffusers', or one of ours with the same methods."""

    def prepare(self, steps: int) -> Any:
        """The scheduler with its tables for so many steps, on the host."""
        scheduler = self.scheduler
        if self._native(steps):
            # LCM's way has at least 50 steps
            more = {"original_inference_steps": max(50, steps)} if self._kind == "LCMScheduler" else {}
            scheduler.set_timesteps(steps, device="cpu", **more)
            return scheduler
        levels = noise_levels(self._spacing, steps, self._trained)
        timesteps = self._trained.timesteps(levels)
        if isinstance(scheduler, Solver):
            scheduler.set_levels(levels)
        elif self._kind == "LCMScheduler":
            scheduler.set_timesteps(device="cpu", timesteps=np.unique(np.rint(timesteps).astype(int))[::-1].tolist())
        else:
            scheduler.set_timesteps(steps, device="cpu")
            scheduler.sigmas = torch.tensor([*levels, 0.0], dtype=torch.float32)
            scheduler.timesteps = torch.tensor(timesteps, dtype=torch.float32)
        return scheduler

    def for_model(self, timesteps: Tensor) -> Tensor:
        """What the model is told instead of each of the `timesteps`, `(n,)`: for EDM a quarter of the level's logarithm."""
        if not self._edm:
            return timesteps
        return torch.from_numpy(np.log(self._trained.at(timesteps.double().numpy())) / 4).float()

    @property
    def _multistep(self) -> bool:
        return self._kind.endswith("MultistepScheduler")

    def _native(self, steps: int) -> bool:
        """Whether diffusers' own levels are those of the spacing: Karras' with whole timesteps, Euler's between whole ones.

        Of one step diffusers' `linspace` has the lowest level, which draws nothing.
        """
        if self._multistep:
            return self._spacing == "karras"
        return not self._spacing or (self._kind.startswith("Euler") and self._spacing == "linspace" and steps > 1)


class Solver:
    """One of our solvers with the methods and attributes of a diffusers scheduler that `DenoisingLoop` takes."""

    def __init__(self, method: Method, like: Any, trained: TrainedLevels) -> None:
        """`like` is a scheduler of the model: its configuration and training schedule count."""
        self.config, self.alphas_cumprod, self.order = like.config, like.alphas_cumprod, method.evaluations
        self.method = method
        self._trained = trained

    def set_levels(self, levels: NDArray[np.float64]) -> None:
        """Take `(steps,)` levels; 0 comes after the last."""
        self._levels = [*map(float, levels), 0.0]
        self._begin(0)

    def set_begin_index(self, index: int) -> None:
        """Begin at the step that has evaluation `index`."""
        self._begin(index // self.order)

    def _begin(self, step: int) -> None:
        self.levels = self._levels[step:]
        self._visits = self.method.visits(self.levels)
        skipped = self.method.visits(self._levels[: step + 1]) if step else []
        every = np.asarray([*skipped, *self._visits])
        self.timesteps = torch.tensor(self._trained.timesteps(every) if len(every) else every, dtype=torch.float32)
        self.sigmas = torch.tensor([*every, 0.0], dtype=torch.float32)
        self._index = 0
        self._run: Run | None = None

    @property
    def init_noise_sigma(self) -> float:
        """What pure noise is multiplied by."""
        return self.levels[0]

    @property
    def draws(self) -> int:
        """How often the run draws noise."""
        return self.method.draws * max(len(self.levels) - 2, 0)

    def scale_model_input(self, sample: Tensor, timestep: Any) -> Tensor:
        """The sample, `(B, C, h, w)`, as the model takes it: of the variance-preserving form."""
        return sample / math.hypot(self._visits[self._index], 1)

    def add_noise(self, clean: Tensor, noise: Tensor, timesteps: Any) -> Tensor:
        """`clean`, `(B, C, h, w)`, at the level of the evaluation that comes next."""
        return clean + self._visits[self._index] * noise

    def step(self, output: Tensor, timestep: Any, sample: Tensor, noises: Iterator[Tensor], return_dict: bool) -> tuple[Tensor]:
        """The next sample, `(B, C, h, w)`, from the model's `output` for this one."""
        if self._run is None:
            self._run = self.method.run(self._remaining(), noises)
            next(self._run)
        sigma = self._visits[self._index]
        velocity = self.config.prediction_type == "v_prediction"
        clean = sample / (sigma**2 + 1) - output * (sigma / math.hypot(sigma, 1)) if velocity else sample - sigma * output
        self._index += 1
        return (self._run.send((sample, clean)),)

    def forget(self) -> None:
        """Begin a new run from where the old one has come to: at the latest with the next whole step."""
        if self._index in self._starts():
            self._run = None

    def _remaining(self) -> list[float]:
        return self.levels[self._starts().index(self._index) :]

    def _starts(self) -> list[int]:
        """The evaluation that each step begins with."""
        found = [0]
        for here, there in pairwise(self.levels[:-1]):
            found.append(found[-1] + (1 if self.method.between(here, there) is None else 2))
        return found


def _method(name: str, trained: TrainedLevels) -> Method:
    if name != "tcd":
        return METHODS[name]

    def lower(level: float, gamma: float) -> float:
        timestep = math.floor((1 - gamma) * round(float(trained.timesteps(np.asarray(level)))))
        return min(level, float(trained.at(np.asarray(timestep))))

    return Method(solvers.tcd(TCD_GAMMA, lower), draws=1)
