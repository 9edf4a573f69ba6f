"""Models that predict velocity or were trained at EDM's levels draw what the same model draws as one that predicts noise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from acetate.engine.checkpoints.prediction import Prediction, schedule
from acetate.engine.sampling.denoising_loop import DenoisingLoop, generator_of, noise_like
from acetate.engine.sampling.noise_levels import own_betas
from acetate.engine.sampling.samplers import SCHEDULERS, Sampler
from torch import Tensor

CONFIG = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
SPREAD = 0.7
Predict = Callable[[Tensor, Tensor, int], Tensor]


def clean_of(sample: Tensor, sigma: float) -> Tensor:
    """The exact denoiser of a normal distribution of spread SPREAD: an analytic model; `sample` is variance-exploding."""
    return sample * (SPREAD**2 / (SPREAD**2 + sigma**2))


def model(loop: DenoisingLoop, level: Callable[[Tensor], float], *, velocity: bool) -> Predict:
    """The analytic model as one that predicts noise, or that same prediction converted to velocity."""

    def predict(scaled: Tensor, told: Tensor, index: int) -> Tensor:
        sigma = level(told)
        root = (sigma**2 + 1) ** 0.5
        clean = clean_of(scaled * root, sigma)
        noise = (scaled * root - clean) / sigma
        return (noise - sigma * clean) / root if velocity else noise

    return predict


def levels_of(sampler: Sampler) -> Callable[[Tensor], float]:
    return lambda told: float(sampler._trained.at(np.asarray(float(told))))


def drawn(
    config: dict[str, Any],
    scheduler: str,
    *,
    velocity: bool,
    level: Callable[[Tensor], float] | None = None,
    steps: int = 12,
    spacing: str | None = None,
) -> Tensor:
    sampler = Sampler(scheduler, config, spacing)
    loop = DenoisingLoop(sampler, steps, 1.0, torch.device("cpu"))
    sample = loop.start(noise_like((1, 4, 8, 8), 5), None)
    for step in loop.run(sample, model(loop, level or levels_of(sampler), velocity=velocity), generator_of(6)):
        assert step.velocity == velocity
    return loop.latents


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_velocity_model_converted_from_a_noise_model_draws_the_same(scheduler: str) -> None:
    noise = drawn({**CONFIG, "prediction_type": "epsilon"}, scheduler, velocity=False)
    velocity = drawn(schedule(CONFIG, Prediction("v")), scheduler, velocity=True)
    torch.testing.assert_close(velocity, noise, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("scheduler", [name for name in SCHEDULERS if name not in ("lcm", "tcd")])
@pytest.mark.parametrize("predicts", ["v", "edm"])
def test_zero_terminal_snr_and_edm_are_denoised_to_the_data(scheduler: str, predicts: Any) -> None:
    """From pure noise forty steps come near the spread of the data; a wrong schedule or level does not.

    Not those of consistency, which end at the mean.
    """
    config = schedule(CONFIG, Prediction(predicts, zero_snr=predicts == "v"))
    level = (lambda told: float(torch.exp(4 * told.double()))) if predicts == "edm" else None
    found = drawn(config, scheduler, velocity=True, level=level, steps=40)
    assert bool(torch.isfinite(found).all())
    assert abs(float(found.std()) - SPREAD) < 0.2


@pytest.mark.parametrize("zero_snr", [False, True])
def test_the_third_order_sde_needs_levels_close_together_at_the_end(zero_snr: bool) -> None:
    """Over the long last step of `linspace` it extrapolates too far, with an ordinary model and with zero terminal SNR alike."""
    config = schedule(CONFIG, Prediction("v", zero_snr=zero_snr))
    spread = {
        spacing: float(drawn(config, "dpmpp-3m-sde", velocity=True, steps=40, spacing=spacing).std())
        for spacing in ("linspace", "exponential", "karras", "sgm-uniform")
    }
    assert spread.pop("linspace") > SPREAD + 0.5
    assert max(spread.values()) < SPREAD + 0.1


def test_zero_terminal_snr_is_the_published_schedule() -> None:
    betas = own_betas(schedule(CONFIG, Prediction("v", zero_snr=True)))
    assert betas is not None
    kept = np.cumprod(1 - betas)
    assert kept[0] == pytest.approx(1 - 0.00085)
    assert kept[-1] == pytest.approx(2.0**-24)
    assert (np.diff(kept) < 0).all()


def test_edm_visits_its_own_levels() -> None:
    sampler = Sampler("euler", schedule(CONFIG, Prediction("edm"), (0.01, 50.0)))
    sigmas = sampler._trained.sigmas
    assert (sigmas[0], sigmas[-1]) == (pytest.approx(0.01, rel=0.01), pytest.approx(50, rel=0.01))
    told = sampler.for_model(torch.tensor([0.0, 999.0]))
    assert told.tolist() == pytest.approx([np.log(0.01) / 4, np.log(50) / 4], rel=0.01)
