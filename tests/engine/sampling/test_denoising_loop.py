"""Schedulers, starting points and the loop."""

import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from acetate.engine import BadRequest, NumericFailure
from acetate.engine.sampling.denoising_loop import DenoisingLoop, executed, noise_like, sigma_at
from acetate.engine.sampling.samplers import METHODS, SCHEDULERS, Sampler
from acetate.vocabulary.parameters import SCHEDULERS as NAMES
from acetate.vocabulary.parameters import range_of
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}
CPU = torch.device("cpu")
KARRAS_20 = (14.615, 11.725, 9.340, 7.384, 5.789, 4.500, 3.465, 2.641, 1.991, 1.483,
             1.091, 0.791, 0.565, 0.396, 0.273, 0.184, 0.121, 0.078, 0.048, 0.029, 0)  # fmt: skip
"""The reference's sigmas (layerdiffuse.md 10.6)."""


def denoiser(name: str = "dpmpp-2m-karras", steps: int = 20, strength: float = 1.0, **config: object) -> DenoisingLoop:
    return DenoisingLoop(Sampler(name, {**SD, **config}), steps, strength, CPU)


def evaluations(name: str, steps: int) -> int:
    """How often the model is run: twice in each step but the last by some solvers."""
    twice = name in METHODS and METHODS[name].evaluations == 2
    return max(2 * steps - 1, 0) if twice else steps


def run(d: DenoisingLoop, target: Tensor, noise: Tensor, clean: Tensor | None = None) -> Tensor:
    """Sample with a perfect model of one picture: it always predicts the noise that leads to `target`."""

    def predict(scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        kept = d.scheduler.alphas_cumprod[timestep.round().long()]
        return (scaled - kept.sqrt() * target) / (1 - kept).sqrt()

    for _ in d.run(d.start(noise, clean), predict, torch.Generator().manual_seed(0)):
        pass
    return d.latents


def test_karras_sigmas_are_the_references() -> None:
    sigmas = denoiser().scheduler.sigmas.tolist()
    assert sigmas == pytest.approx(KARRAS_20, abs=6e-4)


def test_the_schedulers_are_those_that_a_request_may_name() -> None:
    assert tuple(SCHEDULERS) == NAMES


@pytest.mark.parametrize("name", SCHEDULERS)
def test_every_scheduler_takes_as_many_steps_as_a_request_may_ask_for(name: str) -> None:
    most = range_of("steps")[1]
    assert denoiser(name, most).count == evaluations(name, most)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_every_scheduler_reaches_what_the_model_knows(name: str, strength: float) -> None:
    target = torch.linspace(-1, 1, 4 * 64).reshape(1, 4, 8, 8)
    found = run(denoiser(name, 12, strength), target, noise_like((1, 4, 8, 8), 1), None if strength == 1 else target * 0.5)
    assert (found - target).abs().mean() < 0.06, name


@pytest.mark.parametrize("name", SCHEDULERS)
def test_the_first_sample_has_the_spread_that_the_solver_expects(name: str) -> None:
    """Of the highest level of noise: in the variance-exploding form for Euler's, preserving for the others."""
    d = denoiser(name)
    start = d.start(torch.ones(1, 4, 8, 8), None).flatten()[0].item()
    peak = sigma_at(float(d.timesteps[0]), d.scheduler.alphas_cumprod)
    exploding = name in ("euler", "euler-a", "ddim", "tcd", *METHODS)
    expected = 1.0 if name == "lcm" else peak if exploding else peak / math.hypot(peak, 1)
    assert start == pytest.approx(expected, rel=1e-6)


def test_samples_are_the_references_own_to_the_last_bits() -> None:
    """DPM-Solver++(2M) as k-diffusion writes it, in the variance-exploding form and in double precision, with the same noise.

    Without the correction of the first sample they are 4e-3 apart.
    """
    d, noise = denoiser("dpmpp-2m-karras", 20), noise_like((1, 4, 8, 8), 5)

    def network(scaled: Tensor, timestep: Tensor) -> Tensor:
        return torch.tanh(scaled * 0.7 + timestep / 1000) * 0.8 + 0.3 * scaled

    for _ in d.run(d.start(noise, None), lambda scaled, timestep, index: network(scaled, timestep), torch.Generator()):
        pass
    sigmas = d.scheduler.sigmas.double()
    sample, before = noise.double() * sigmas[0], torch.empty(0)
    for index, (sigma, following) in enumerate(pairwise(sigmas)):
        clean = sample - sigma * network(sample / (sigma**2 + 1).sqrt(), d.timesteps[index])
        if index == 0 or following == 0:
            direction = clean
        else:
            ratio = (sigmas[index - 1].log() - sigma.log()) / (sigma.log() - following.log())
            direction = clean + (clean - before) / (2 * ratio)
        sample = following / sigma * sample + (1 - following / sigma) * direction
        before = clean
    assert (d.latents - sample).norm() <= 4e-7 * sample.norm()


def test_velocity_models_are_understood() -> None:
    d = denoiser(prediction_type="v_prediction")
    target = torch.linspace(-1, 1, 256).reshape(1, 4, 8, 8)
    seen: list[Tensor] = []

    def predict(scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        kept = d.scheduler.alphas_cumprod[timestep.round().long()]
        noise = (scaled - kept.sqrt() * target) / (1 - kept).sqrt()
        return kept.sqrt() * noise - (1 - kept).sqrt() * target

    for step in d.run(d.start(noise_like((1, 4, 8, 8), 0), None), predict, torch.Generator()):
        seen.append(step.clean)
    assert (d.latents - target).abs().max() < 0.05
    assert (seen[0] - target).abs().max() < 0.05, "the preview's clean latents are wrong"


def test_noise_depends_on_the_seed_alone() -> None:
    assert torch.equal(noise_like((1, 4, 8, 8), 5), noise_like((1, 4, 8, 8), 5))
    assert not torch.equal(noise_like((1, 4, 8, 8), 5), noise_like((1, 4, 8, 8), 6))


def test_every_bit_of_a_seed_counts_and_short_ones_mean_the_old_noise() -> None:
    for seed in (0, 5, 2**32 - 1):
        assert torch.equal(noise_like((4, 8), seed), torch.randn((4, 8), generator=torch.Generator().manual_seed(seed)))
    seeds = (0, 2**32, 2**32 + 1, 2**33, 2**62, 2**63 - 1, 2**63 - 2, 2**32 - 1)
    drawn = [noise_like((4, 8, 64), seed) for seed in seeds]
    for index, one in enumerate(drawn):
        assert abs(float(one.mean())) < 0.1 and float(one.std()) == pytest.approx(1, abs=0.1)
        for other in drawn[:index]:
            assert abs(float((one * other).mean())) < 0.1, "independent"


def test_strength_sets_how_many_steps_run() -> None:
    assert denoiser(strength=0.25).count == 5
    assert denoiser(strength=0.0).count == 0
    assert denoiser(strength=1.0).count == 20


@pytest.mark.parametrize("name", SCHEDULERS)
def test_what_is_kept_arrives_unchanged(name: str) -> None:
    d = denoiser(name, strength=0.6)
    clean, noise = torch.randn(1, 4, 8, 8), noise_like((1, 4, 8, 8), 2)
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4] = 1
    keep = lambda sample, index: mask * sample + (1 - mask) * d.noised(clean, noise, index)  # noqa: E731
    for _ in d.run(d.start(noise, clean), lambda s, t, i: torch.zeros_like(s), torch.Generator(), keep):
        pass
    assert torch.equal(d.latents[..., 4:], clean[..., 4:])
    assert not torch.equal(d.latents[..., :4], clean[..., :4])


def test_nan_from_the_model_is_named() -> None:
    d = denoiser(steps=3)
    with pytest.raises(NumericFailure, match="NaN"):
        for _ in d.run(d.start(noise_like((1, 4, 8, 8), 0), None), lambda s, t, i: s * float("nan"), torch.Generator()):
            pass


class Copies(TorchDispatchMode):
    """Notes tensors that go from the host to the device; single numbers travel with the kernel that takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten._to_copy.default and args[0].device.type == "cpu" and result.device.type != "cpu":
            self.found.append(tuple(result.shape))
        return result


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_no_step_waits_for_the_device(name: str, strength: float) -> None:
    """On the meta device there are no values: whoever asks for one fails. Copies from the host wait as well."""
    nowhere = torch.device("meta")
    d = DenoisingLoop(Sampler(name, SD), 6, strength, nowhere)
    start, clean = torch.empty(1, 4, 8, 8, device=nowhere), torch.empty(1, 4, 8, 8, device=nowhere)
    keep = lambda sample, index: sample + d.noised(clean, start, index)  # noqa: E731
    steps = d.run(start, lambda scaled, timestep, index: scaled * timestep, torch.Generator(), keep)
    assert next(steps).index == 1
    with Copies() as copies:
        assert [next(steps).index for _ in range(d.count - 1)] == list(range(2, d.count + 1))
    assert copies.found == []


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_noise_drawn_beforehand_is_what_the_solver_would_draw(strength: float) -> None:
    """diffusers' own loop with the same generator."""
    d, target = denoiser("dpmpp-2m-sde-karras", 6, strength), torch.linspace(-1, 1, 256).reshape(1, 4, 8, 8)
    found = run(d, target, noise_like((1, 4, 8, 8), 1), target)
    again, generator = denoiser("dpmpp-2m-sde-karras", 6, strength), torch.Generator().manual_seed(0)
    sample = again.start(noise_like((1, 4, 8, 8), 1), target)
    for timestep in again.timesteps:
        kept = again.scheduler.alphas_cumprod[timestep]
        output = (sample - kept.sqrt() * target) / (1 - kept).sqrt()
        sample = again.scheduler.step(output, timestep, sample, generator, return_dict=False)[0]
    assert torch.equal(found, sample)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_noised_is_the_schedulers_own_way(name: str) -> None:
    d, clean, noise = denoiser(name, 6), torch.randn(1, 4, 8, 8), noise_like((1, 4, 8, 8), 2)
    assert torch.equal(d.noised(clean, noise, 0), d.scheduler.add_noise(clean, noise, d.timesteps[:1]))


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_solver_that_forgets_goes_on_as_one_that_begins_there(name: str) -> None:
    """Where another model takes over: what the first one predicted is extrapolated no further."""
    whole, middle = denoiser(name, 12), evaluations(name, 12) // 2 + evaluations(name, 12) % 2
    reached: list[Tensor] = []

    def first_then_second(scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        if index < middle:
            return scaled * 0.5 + 1
        if index == middle:
            whole.forget()
        return scaled * 0.9 - 0.1

    def remember(sample: Tensor, index: int) -> Tensor:
        reached.append(sample.clone())
        return sample

    for _ in whole.run(whole.start(noise_like((1, 4, 8, 8), 3), None), first_then_second, torch.Generator(), remember):
        pass
    assert whole.latents.isfinite().all()
    if name not in ("dpmpp-2m-karras", "dpmpp-2m", "euler", "ddim", "unipc", "heun", "lms", "deis", "dpm2"):
        return  # the others draw noise of their own in every step
    later = denoiser(name, 12, strength=0.5)
    for _ in later.run(reached[middle - 1], lambda scaled, timestep, index: scaled * 0.9 - 0.1, torch.Generator()):
        pass
    torch.testing.assert_close(later.latents, whole.latents, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_nothing_in_double_precision_goes_to_the_device(name: str) -> None:
    """Apple's GPUs have none."""
    d = denoiser(name)
    assert d.timesteps.dtype != torch.float64
    assert d.start(noise_like((1, 4, 8, 8), 0), None).dtype == torch.float32


def test_unknown_schedulers_are_refused_with_the_known_ones() -> None:
    with pytest.raises(BadRequest, match="unknown scheduler 'plms'") as refused:
        Sampler("plms", SD)
    assert "dpmpp-2m-karras" in refused.value.hint
    with pytest.raises(BadRequest, match="unknown spacing 'even'") as refused:
        Sampler("euler", SD, "even")
    assert "sgm-uniform" in refused.value.hint


def test_sigma_between_timesteps_is_log_linear() -> None:
    alphas = denoiser().scheduler.alphas_cumprod
    middle = sigma_at(500.5, alphas)
    assert middle == pytest.approx((sigma_at(500, alphas) * sigma_at(501, alphas)) ** 0.5, rel=1e-6)
    assert sigma_at((1 - 0.5) * 999, alphas) == pytest.approx(1.6156, abs=1e-4)
    assert sigma_at((1 - 0.3) * 999, alphas) == pytest.approx(3.3251, abs=1e-4)


@pytest.mark.parametrize(("stop_at", "active"), [(0.30, 7), (0.50, 9), (0.62, 11), (0.75, 12)])
def test_stop_at_hands_over_where_the_reference_does(stop_at: float, active: int) -> None:
    """The table of layerdiffuse.md 5.4 for 20 Karras steps."""
    d = denoiser()
    end = sigma_at((1 - stop_at) * 999, d.scheduler.alphas_cumprod)
    assert sum(float(sigma) >= end for sigma in d.scheduler.sigmas[:-1]) == active


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 2, 60])
@pytest.mark.parametrize("strength", [0.0, 0.01, 0.5, 1.0])
def test_any_number_of_steps_and_any_strength_come_to_an_end(name: str, steps: int, strength: float) -> None:
    d = denoiser(name, steps, strength)
    clean = torch.zeros(1, 4, 4, 4)
    start = d.start(noise_like((1, 4, 4, 4), seed=1), clean) if d.count else clean
    ran = list(d.run(start, lambda scaled, timestep, index: scaled * 0.1, torch.Generator().manual_seed(0)))
    assert len(ran) == d.count == evaluations(name, executed(steps, strength))
    assert torch.isfinite(d.latents).all()
