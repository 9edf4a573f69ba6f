"""k-diffusion's solvers that diffusers lacks, or has with other results or packages of their own. Knows numbers and latents.

Each is a generator in the variance-exploding form: it is sent a sample with the model's clean prediction for it, and yields the
next sample. All numbers are the host's, so no step waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from numpy.polynomial import Polynomial
from torch import Tensor

Answer = tuple[Tensor, Tensor]
"""A sample, as repainting may have changed it, and the model's clean prediction for it."""
Run = Generator[Tensor, Answer, None]
Noise = Iterator[Tensor]


@dataclass(frozen=True, eq=False)
class Method:
    """A solver: how it goes, which levels it visits on the way, how much noise it draws."""

    run: Callable[[Sequence[float], Noise], Run]
    """Over the levels of all steps, 0 the last; to be primed with `next`, whose value counts for nothing."""
    between: Callable[[float, float], float | None] = lambda here, there: None
    """The second level of a step at which the model is evaluated; `None` in steps of one evaluation."""
    draws: int = 0
    """How often a step draws noise, but for the last, which ends without noise."""
    evaluations: int = 1
    """How often a step evaluates the model, but for the last."""

    def visits(self, levels: Sequence[float]) -> list[float]:
        """The levels at which the model is evaluated, in order."""
        found: list[float] = []
        for here, there in pairwise(levels):
            second = self.between(here, there) if there > 0 else None
            found += [here] if second is None else [here, second]
        return found


def ancestral(here: float, there: float) -> tuple[float, float]:
    """The level to go down to, and that of the noise which leads up to `there` again."""
    up = min(there, math.sqrt(there**2 * (here**2 - there**2) / here**2))
    return math.sqrt(max(there**2 - up**2, 0.0)), up


def middle(here: float, there: float) -> float:
    """Half way between two levels by their logarithms."""
    return math.sqrt(here * there)


def _start() -> Tensor:
    """What a primed generator yields."""
    return Tensor()


def heun(levels: Sequence[float], noise: Noise) -> Run:
    """Heun's method (Karras et al. 2022, algorithm 1)."""
    return _two_slopes(levels, lambda here, there: there, 0.5)


def dpm2(levels: Sequence[float], noise: Noise) -> Run:
    """DPM-Solver-2 as k-diffusion has it."""
    return _two_slopes(levels, middle, 1.0)


def lms(levels: Sequence[float], noise: Noise) -> Run:
    """Linear multistep, of order 4: earlier slopes are extrapolated over the level."""
    return _multistep(levels, 4, _over_levels)


def deis(levels: Sequence[float], noise: Noise) -> Run:
    """DEIS (Zhang and Chen 2023), of order 3: earlier slopes are extrapolated over the level's logarithm."""
    return _multistep(levels, 3, _over_logarithms)


def dpmpp_sde(levels: Sequence[float], noise: Noise) -> Run:
    """DPM-Solver++(SDE): two evaluations and two draws a step."""
    sample, clean = yield _start()
    for here, there in pairwise(levels[:-1]):
        half = middle(here, there)
        down, up = ancestral(here, half)
        _, corrected = yield _towards(sample, clean, here, down) + next(noise) * up
        down, up = ancestral(here, there)
        sample, clean = yield _towards(sample, corrected, here, down) + next(noise) * up
    yield clean


def dpmpp_2s_ancestral(levels: Sequence[float], noise: Noise) -> Run:
    """DPM-Solver++(2S) with ancestral noise."""
    sample, clean = yield _start()
    for here, there in pairwise(levels[:-1]):
        down, up = ancestral(here, there)
        half = middle(here, down)
        _, corrected = yield _towards(sample, clean, here, half)
        sample, clean = yield _towards(sample, corrected, here, down) + next(noise) * up
    yield clean


def dpmpp_3m_sde(levels: Sequence[float], noise: Noise) -> Run:
    """DPM-Solver++(3M) SDE: one evaluation a step, and the two before it."""
    before: list[tuple[Tensor, float]] = []  # clean predictions with the width of the step that led on from them
    sample, clean = yield _start()
    for here, there in pairwise(levels[:-1]):
        width = math.log(here / there)
        both = 2 * width
        moved = math.exp(-both) * sample - math.expm1(-both) * clean
        second = math.expm1(-both) / both + 1
        if before:
            ratio = before[0][1] / width
            first = (clean - before[0][0]) / ratio
            if len(before) == 2:
                older = before[1][1] / width
                bend = (first - (before[0][0] - before[1][0]) / older) / (ratio + older)
                moved = moved - (second / both - 0.5) * bend
                first = first + bend * ratio
            moved = moved + second * first
        moved = moved + next(noise) * (there * math.sqrt(-math.expm1(-both)))
        before = [(clean, width), *before[:1]]
        sample, clean = yield moved
    yield clean


def tcd(gamma: float, lower: Callable[[float, float], float]) -> Callable[[Sequence[float], Noise], Run]:
    """Trajectory consistency distillation's own sampler (Zheng et al. 2024, algorithm 4).

    `lower(level, gamma)` is the level at the share `1 - gamma` of the timestep of `level`: so far down, then up again by noise.
    """

    def run(levels: Sequence[float], noise: Noise) -> Run:
        sample, clean = yield _start()
        for here, there in pairwise(levels[:-1]):
            down = lower(there, gamma)
            up = math.sqrt(max(there**2 - down**2, 0.0))
            sample, clean = yield clean + (sample - clean) * (down / here) + next(noise) * up
        yield clean

    return run


def _towards(sample: Tensor, clean: Tensor, here: float, there: float) -> Tensor:
    """The exact solution from one level to another for a constant clean prediction."""
    return there / here * sample + (1 - there / here) * clean


def _two_slopes(levels: Sequence[float], second: Callable[[float, float], float], share: float) -> Run:
    """Along the slope at the step's begin, corrected by that at its `second` level, which has the weight `share`."""
    sample, clean = yield _start()
    for here, there in pairwise(levels[:-1]):
        slope, between = (sample - clean) / here, second(here, there)
        ahead, corrected = yield sample + slope * (between - here)
        sample, clean = yield sample + ((1 - share) * slope + share * (ahead - corrected) / between) * (there - here)
    yield clean


Interpolation = Callable[[Sequence[float], float], list[float]]
"""Levels of the latest slopes, the newest first, and the next level -> what each slope weighs in the step to there."""


def _multistep(levels: Sequence[float], most: int, weights: Interpolation) -> Run:
    """The slope's integral over the level, interpolated through the latest `most`."""
    slopes: list[Tensor] = []
    sample, clean = yield _start()
    for index, (here, there) in enumerate(pairwise(levels)):
        slopes = [(sample - clean) / here, *slopes[: most - 1]]
        known = [levels[index - back] for back in range(len(slopes))]
        for weight, slope in zip(weights(known, there), slopes, strict=False):
            sample = sample + weight * slope
        sample, clean = yield sample


def _over_levels(known: Sequence[float], there: float) -> list[float]:
    wholes = [slope.integ() for slope in _lagrange(known)]
    return [float(whole(there) - whole(known[0])) for whole in wholes]


def _over_logarithms(known: Sequence[float], there: float) -> list[float]:
    """By parts, as a level is its logarithm's exponential; the last step, to 0, takes the newest slope alone."""
    if there == 0:
        return [-known[0]]
    logarithms = [math.log(level) for level in known]
    wholes = [slope - slope.deriv() + slope.deriv(2) for slope in _lagrange(logarithms)]
    return [float(there * whole(math.log(there)) - known[0] * whole(logarithms[0])) for whole in wholes]


def _lagrange(places: Sequence[float]) -> list[Polynomial]:
    """Polynomials that are 1 at one place and 0 at all others."""
    found: list[Polynomial] = []
    for one, place in enumerate(places):
        others = [other for index, other in enumerate(places) if index != one]
        through = Polynomial.fromroots(others) if others else Polynomial([1.0])
        found.append(through / through(place))
    return found
