"""Spacings as their inventors and other programs have them."""

from __future__ import annotations

import numpy as np
import pytest
from acetate.engine.sampling.noise_levels import SPACINGS, TrainedLevels, noise_levels
from acetate.vocabulary.parameters import SPACINGS as NAMES
from hypothesis import given
from hypothesis import strategies as st

BETAS = np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
SD = TrainedLevels.of(np.cumprod(1 - BETAS))
SDXL = TrainedLevels.of(np.cumprod(1 - BETAS), "StableDiffusionXL")


def timesteps(spacing: str, steps: int) -> list[float]:
    return [float(one) for one in SD.timesteps(noise_levels(spacing, steps, SD))]


def test_the_spacings_are_those_that_a_request_may_name() -> None:
    assert tuple(SPACINGS) == NAMES


@given(st.sampled_from(NAMES), st.integers(1, 1000))
def test_levels_fall_strictly_from_the_highest_that_was_trained(spacing: str, steps: int) -> None:
    levels = noise_levels(spacing, steps, SD)
    assert levels.shape == (steps,)
    assert (np.diff(levels) < 0).all() and levels[-1] > 0
    if spacing != "ddim-uniform":
        assert levels[0] == pytest.approx(SD.sigmas[-1], rel=1e-4)


def test_few_step_models_find_the_timesteps_that_they_were_trained_at() -> None:
    assert timesteps("sgm-uniform", 4) == pytest.approx([999, 749.25, 499.5, 249.75])
    assert timesteps("simple", 4) == pytest.approx([999, 749, 499, 249])
    assert timesteps("sgm-uniform", 1) == pytest.approx([999])


def test_ddims_own_way_leads_from_multiples() -> None:
    assert timesteps("ddim-uniform", 20) == pytest.approx([*range(951, 0, -50)])
    assert timesteps("ddim-uniform", 1) == pytest.approx([999]), "one step from the lowest level would draw nothing"


def test_exponential_levels_have_one_ratio() -> None:
    levels = noise_levels("exponential", 7, SD)
    assert levels[1:] / levels[:-1] == pytest.approx(np.full(6, (SD.sigmas[0] / SD.sigmas[-1]) ** (1 / 6)))


BETA_TENTHS = [999.0, 959.4, 876.2, 765.2, 636.6, 499.4, 362.2, 233.7, 122.8, 39.5]
"""Quantiles of 40 million draws of numpy's `Generator.beta(0.6, 0.6)` times 999, at shares 1, 0.9 … 0.1."""


def test_beta_takes_the_quantiles_of_the_beta_distribution() -> None:
    """To whole timesteps, as ComfyUI has it, as long as they differ."""
    found = timesteps("beta", 10)
    assert found == pytest.approx(BETA_TENTHS, abs=0.61)
    assert found == pytest.approx([round(one) for one in found])
    assert len(set(timesteps("beta", 1000))) == 1000


def test_align_your_steps_are_the_published_tables() -> None:
    sd15 = [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152]
    sdxl = [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113]
    assert noise_levels("ays", 10, SD) == pytest.approx(sd15)
    assert noise_levels("ays", 10, SDXL) == pytest.approx(sdxl)
    every_second = noise_levels("ays", 20, SD)[::2]
    assert every_second == pytest.approx(sd15), "others lie between them"
