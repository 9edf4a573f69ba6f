"""Samplers against other people's: k-diffusion's results, and diffusers' schedulers where only it has one."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from acetate.engine.sampling.denoising_loop import DenoisingLoop, noise_like
from acetate.engine.sampling.noise_levels import SPACINGS, TrainedLevels
from acetate.engine.sampling.samplers import METHODS, SCHEDULERS, TCD_GAMMA, Sampler, Solver
from torch import Tensor

SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
CPU = torch.device("cpu")
GOLDEN: dict[str, list[float]] = json.loads((Path(__file__).parents[2] / "golden/k_diffusion.json").read_text(encoding="utf-8"))
"""What k-diffusion 0.1.1 makes in double precision of `START`, `predicted` and `drawn`, by sampler, spacing and steps.

Its timesteps are not rounded, but for `dpmpp-2m` and `dpmpp-2m-sde` with `karras`, where diffusers rounds them (`quantize=True`).
"""
START = torch.tensor([[[[0.5, -1.25], [0.75, 2.0]]]])


def predicted(scaled: Tensor, timestep: float) -> Tensor:
    return torch.tanh(scaled * 0.7 + timestep / 1000) * 0.8 + 0.3 * scaled


def drawn(count: int) -> list[Tensor]:
    return [torch.sin(torch.arange(4) + float(index)).reshape(1, 1, 2, 2) * 1.4 for index in range(1, count + 1)]


def sampled(loop: DenoisingLoop, start: Tensor, generator: torch.Generator | None = None) -> Tensor:
    predict = lambda scaled, timestep, index: predicted(scaled.double(), float(timestep)).float()  # noqa: E731
    for _ in loop.run(start, predict, generator or torch.Generator()):
        pass
    return loop.latents


@pytest.mark.parametrize("case", GOLDEN)
def test_every_sampler_at_every_spacing_is_k_diffusions(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, spacing, steps = case.split()
    loop = DenoisingLoop(Sampler(name, SD, spacing), int(steps), 1.0, CPU)
    noises = iter(drawn(2 * int(steps)))
    monkeypatch.setattr(torch, "randn", lambda *shape, **how: next(noises))
    found, expected = sampled(loop, loop.start(START, None)), torch.tensor(GOLDEN[case]).reshape(1, 1, 2, 2)
    assert (found - expected).norm() <= 1e-4 * expected.norm()


@pytest.mark.parametrize(
    ("name", "kind"), [("euler-a", diffusers.EulerAncestralDiscreteScheduler), ("lcm", diffusers.LCMScheduler)]
)
@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize(("steps", "strength"), [(1, 1.0), (6, 1.0), (6, 0.5)])
def test_noise_drawn_beforehand_changes_no_bit(name: str, kind: Any, prediction_type: str, steps: int, strength: float) -> None:
    """diffusers' own loop with the same generator."""
    config, noise = {**SD, "prediction_type": prediction_type}, noise_like((1, 4, 8, 8), 1)
    loop = DenoisingLoop(Sampler(name, config), steps, strength, CPU)
    start = loop.start(noise, None if strength == 1 else noise * 0.1)
    theirs: Any = kind(**config, **({} if name == "lcm" else {"timestep_spacing": "linspace"}))
    theirs.set_timesteps(steps, **({"original_inference_steps": 50} if name == "lcm" else {}))
    theirs.timesteps, theirs.sigmas = loop.scheduler.timesteps, getattr(loop.scheduler, "sigmas", None)
    theirs.set_begin_index(steps - loop.count)
    generator, sample = torch.Generator().manual_seed(7), start
    for timestep in loop.timesteps:
        output = predicted(theirs.scale_model_input(sample, timestep).double(), float(timestep)).float()
        sample = theirs.step(output, timestep, sample, generator, return_dict=False)[0]
    assert torch.equal(sampled(loop, start, torch.Generator().manual_seed(7)), sample)


@pytest.mark.parametrize("prediction_type", ["epsilon", "v_prediction"])
@pytest.mark.parametrize(("steps", "strength"), [(1, 1.0), (4, 1.0), (20, 0.5), (30, 1.0)])
def test_unipc_with_numbers_of_the_host_is_diffusers(prediction_type: str, steps: int, strength: float) -> None:
    config, noise = {**SD, "prediction_type": prediction_type}, noise_like((1, 4, 8, 8), 1)
    loop = DenoisingLoop(Sampler("unipc", config), steps, strength, CPU)
    sample = start = loop.start(noise, None if strength == 1 else noise * 0.1)
    theirs: Any = diffusers.UniPCMultistepScheduler(**config, use_karras_sigmas=True)
    theirs.set_timesteps(steps)
    theirs.set_begin_index(steps - loop.count)
    for timestep in loop.timesteps:
        output = predicted(theirs.scale_model_input(sample, timestep).double(), float(timestep)).float()
        sample = theirs.step(output, timestep, sample, return_dict=False)[0]
    assert (sampled(loop, start) - sample).norm() <= 1e-6 * sample.norm()


@pytest.mark.parametrize("spacing", ["karras", "sgm-uniform", "linspace"])
@pytest.mark.parametrize("steps", [4, 8, 20, 30])
@pytest.mark.filterwarnings("ignore:__array_wrap__")
def test_deis_is_diffusers_of_order_three(spacing: str, steps: int) -> None:
    loop, noise = DenoisingLoop(Sampler("deis", SD, spacing), steps, 1.0, CPU), noise_like((1, 4, 8, 8), 5)
    theirs: Any = diffusers.DEISMultistepScheduler(**SD, solver_order=3, lower_order_final=False)
    theirs.set_timesteps(steps)
    levels = loop.scheduler.levels
    theirs.sigmas, theirs.timesteps = torch.tensor([*levels[:-1], 1e-7]), loop.timesteps
    theirs.set_begin_index(0)
    sample = noise * levels[0] / math.hypot(levels[0], 1)
    for index, timestep in enumerate(loop.timesteps):
        if index == steps - 1:
            theirs.lower_order_nums = 0
        sample = theirs.step(predicted(sample, float(timestep)), timestep, sample, return_dict=False)[0]
    found = sampled(loop, loop.start(noise, None))
    assert (found - sample).norm() <= 1e-4 * sample.norm()


@pytest.mark.parametrize("timesteps", [[999], [999, 749, 499, 249], [999, 874, 749, 624, 499, 374, 249, 124]])
@pytest.mark.filterwarnings("ignore:The custom timestep schedule")
def test_tcd_is_diffusers_until_its_last_step_which_ends_without_noise(timesteps: list[int]) -> None:
    scheduler = Sampler("tcd", SD).scheduler
    trained = TrainedLevels.of(scheduler.alphas_cumprod.double().numpy())
    levels = trained.at(np.asarray(timesteps, dtype=np.float64))
    theirs: Any = diffusers.TCDScheduler(**SD)
    theirs.set_timesteps(timesteps=timesteps)
    noise, generator = noise_like((1, 4, 8, 8), 5), torch.Generator().manual_seed(3)
    sample, clean = noise * levels[0] / math.hypot(levels[0], 1), noise
    for timestep in theirs.timesteps:
        kept, output = theirs.alphas_cumprod[timestep], predicted(sample, float(timestep))
        clean = (sample - (1 - kept).sqrt() * output) / kept.sqrt()
        sample = theirs.step(output, timestep, sample, eta=TCD_GAMMA, generator=generator, return_dict=False)[0]
    scheduler.set_levels(levels)
    generator = torch.Generator().manual_seed(3)
    noises = iter([torch.randn(noise.shape, generator=generator) for _ in timesteps])
    found = noise * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        output = predicted(scheduler.scale_model_input(found, timestep), float(timestep))
        (found,) = scheduler.step(output, timestep, found, noises, return_dict=False)
    assert (found - clean).norm() <= 1e-5 * clean.norm()


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("spacing", [None, *SPACINGS])
@pytest.mark.parametrize("steps", [1, 2])
def test_every_sampler_begins_in_pure_noise_at_every_spacing_and_ends_without_any(
    name: str, spacing: str | None, steps: int
) -> None:
    """Of a model that knows the picture; the last level of LCM's and Euler's own ways is not 0 to the last bit."""
    loop = DenoisingLoop(Sampler(name, SD, spacing), steps, 1.0, CPU)
    target = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)
    leading = "ddim-uniform" in (spacing, spacing or SCHEDULERS[name][2]) and steps == 2
    assert float(loop.timesteps[0]) == pytest.approx(501 if leading else 999, abs=0.6), "DDIM's own way begins late"

    def predict(scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        trained = TrainedLevels.of(loop.scheduler.alphas_cumprod.double().numpy())
        sigma = float(trained.at(np.asarray(float(timestep))))
        return (scaled * math.hypot(sigma, 1) - target) / sigma

    for _ in loop.run(loop.start(noise_like((1, 1, 8, 8), 1), None), predict, torch.Generator().manual_seed(0)):
        pass
    assert (loop.latents - target).abs().mean() < 0.06


def test_names_of_old_mean_their_old_levels_and_a_spacing_replaces_them() -> None:
    def timesteps(*how: Any) -> list[float]:
        return [round(float(one), 2) for one in DenoisingLoop(Sampler(how[0], SD, *how[1:]), 4, 1.0, CPU).timesteps]

    assert timesteps("dpmpp-2m-karras") == timesteps("dpmpp-2m", "karras") == [999, 687, 146, 0]
    assert timesteps("euler") == [999, 666, 333, 0]
    assert timesteps("lcm") == [999, 759, 499, 259]
    assert timesteps("euler", "sgm-uniform") == timesteps("tcd") == [999, 749.25, 499.5, 249.75]
    assert timesteps("lcm", "sgm-uniform") == [999, 749, 500, 250]
    assert timesteps("ddim") == [751, 501, 251, 1]


def test_methods_of_two_evaluations_visit_a_second_level_in_every_step_but_the_last() -> None:
    for name, method in METHODS.items():
        scheduler: Solver = Sampler(name, SD).prepare(5)
        assert len(scheduler.timesteps) == (9 if method.evaluations == 2 else 5), name
        assert (scheduler.sigmas[:-1].diff() <= 0).all()
