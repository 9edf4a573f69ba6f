"""The straight way from noise to picture: published noise levels, starting points and Euler's steps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from acetate.engine.sampling.flow_matching import FlowLoop, FlowSchedule
from acetate.engine.values.errors import NumericFailure
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

CPU = torch.device("cpu")
PUBLISHED = {
    "base_image_seq_len": 256,
    "base_shift": 0.5,
    "max_image_seq_len": 8192,
    "max_shift": 0.9,
    "shift": 1.0,
    "shift_terminal": 0.02,
    "time_shift_type": "exponential",
    "use_dynamic_shifting": True,
}
TURBO = (1.0, 0.978453, 0.95418, 0.926626, 0.89508, 0.845148, 0.704534, 0.414568)


@pytest.mark.parametrize("steps", [4, 25, 40])
@pytest.mark.parametrize("side", [512, 1024, 2048])
def test_levels_are_those_of_diffusers(steps: int, side: int) -> None:
    schedule, tokens = FlowSchedule(PUBLISHED), (side // 16) ** 2
    own = FlowMatchEulerDiscreteScheduler(**PUBLISHED)
    own.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps), mu=schedule.mu(tokens))
    assert np.abs(schedule.sigmas(steps, tokens) - own.sigmas[:-1].numpy()).max() < 1e-6


def test_published_levels_of_a_megapixel() -> None:
    found = FlowSchedule(PUBLISHED).sigmas(40, 64 * 64)
    assert [round(float(one), 3) for one in found[[0, 1, 2, 20, -1]]] == [1.0, 0.987, 0.974, 0.657, 0.02]


def test_a_distilled_list_stands_as_it_is_and_is_followed_by_other_numbers_of_steps() -> None:
    schedule = FlowSchedule({"use_dynamic_shifting": False, "shift": 1.0}, TURBO)
    assert schedule.sigmas(8, 4096).tolist() == pytest.approx(TURBO)
    for steps in (1, 4, 12):
        found = schedule.sigmas(steps, 4096)
        assert len(found) == steps
        assert found[0] == 1
        assert (np.diff(found) < 0).all()


def _prediction(clean: Tensor, noise: Tensor) -> Tensor:
    return noise - clean


def test_a_perfect_prediction_leads_to_the_picture_from_any_strength() -> None:
    clean, noise = (torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    for strength in (1.0, 0.5, 0.1):
        loop = FlowLoop(FlowSchedule(PUBLISHED), 10, strength, 64, CPU)
        assert loop.count == round(10 * strength)
        for step in loop.run(loop.start(noise, clean), lambda sample, sigma, _: _prediction(clean, noise)):
            assert torch.allclose(step.clean, clean, atol=1e-5)
        assert torch.allclose(loop.latents, clean, atol=1e-5)


def test_full_strength_begins_in_the_noise_itself() -> None:
    clean, noise = torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2, 2)
    loop = FlowLoop(FlowSchedule(PUBLISHED), 4, 1.0, 64, CPU)
    assert torch.equal(loop.start(noise, None), noise)
    assert torch.equal(loop.start(noise, clean), noise)


def test_no_strength_runs_nothing() -> None:
    loop = FlowLoop(FlowSchedule(PUBLISHED), 4, 0.0, 64, CPU)
    clean = torch.ones(1, 4, 2, 2)
    assert loop.count == 0
    assert list(loop.run(clean, lambda *_: 1 / 0)) == []
    assert torch.equal(loop.latents, clean)
    assert torch.equal(loop.noised(clean, torch.zeros_like(clean), 0), clean)


def test_what_is_kept_follows_the_sources_own_way_and_ends_as_it_is() -> None:
    clean, noise = (torch.randn(1, 4, 4, 4, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    loop = FlowLoop(FlowSchedule(PUBLISHED), 5, 1.0, 16, CPU)

    def keep(sample: Tensor, index: int) -> Tensor:
        return mask * sample + (1 - mask) * loop.noised(clean, noise, index)

    for _ in loop.run(noise, lambda sample, sigma, _: torch.ones_like(sample), keep):
        pass
    assert torch.equal(loop.latents[..., 2:], clean[..., 2:])
    assert not torch.equal(loop.latents[..., :2], clean[..., :2])


def test_no_numbers_are_named() -> None:
    loop = FlowLoop(FlowSchedule(PUBLISHED), 2, 1.0, 16, CPU)
    with pytest.raises(NumericFailure):
        list(loop.run(torch.zeros(1, 4, 2, 2), lambda sample, *_: sample / 0))
