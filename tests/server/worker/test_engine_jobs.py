from __future__ import annotations

import numpy as np
import pytest
from acetate.server.worker.engine_jobs import PreviewBudget
from acetate.server.worker.layers import thumbnail


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def generate(budget: PreviewBudget, clock: Clock, *, step: float, cost: float, steps: int) -> int:
    """A job whose steps and previews take so long; returns how many previews were made."""

    def preview() -> np.ndarray:
        clock.now += cost
        return np.zeros((4, 4, 4), np.uint8)

    budget.begin()
    made = 0
    for _ in range(steps):
        clock.now += step
        if budget.allows():
            budget.make(preview)
            made += 1
    return made


@pytest.mark.parametrize(("step", "cost"), [(0.001, 0.00001), (0.05, 0.001), (0.5, 0.05), (3.0, 0.2), (0.01, 0.5)])
def test_previews_cost_no_more_than_their_share(step: float, cost: float) -> None:
    clock = Clock()
    budget = PreviewBudget(0.25, 0.02, clock)
    generate(budget, clock, step=step, cost=cost, steps=200)  # the first preview of a worker's life tells what one costs
    began = clock.now
    generate(budget, clock, step=step, cost=cost, steps=2000)

    assert budget.spent <= 0.02 * (clock.now - began)


def test_cheap_previews_come_four_times_a_second_and_not_more() -> None:
    clock = Clock()
    made = generate(PreviewBudget(0.25, 0.02, clock), clock, step=0.01, cost=0.0001, steps=1000)

    assert 38 <= made <= 41  # in 10 seconds


def test_a_preview_during_which_the_machine_paused_does_not_silence_later_jobs() -> None:
    clock = Clock()
    budget = PreviewBudget(0.25, 0.02, clock)
    generate(budget, clock, step=0.01, cost=0.0001, steps=100)
    generate(budget, clock, step=0.01, cost=5.0, steps=25)

    assert generate(budget, clock, step=0.01, cost=0.0001, steps=1000) > 30


def test_large_previews_are_thinned() -> None:
    budget = PreviewBudget(0, 1, Clock())

    assert budget.make(lambda: np.zeros((2048, 1000, 4), np.uint8)).shape == (256, 125, 4)


def test_a_thumbnail_is_weighted_by_alpha() -> None:
    rgba = np.zeros((256, 256, 4), np.uint8)
    rgba[..., :3] = 255
    rgba[::2] = [200, 10, 10, 255]
    small = thumbnail(rgba)

    assert small.shape == (128, 128, 4)
    assert np.abs(small[5, 5].astype(int) - [200, 10, 10, 128]).max() <= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (4096, 3), (129, 128), (4096, 4096)])
def test_a_thumbnail_fits_whatever_the_shape(shape: tuple[int, int]) -> None:
    small = thumbnail(np.full((*shape, 4), 9, np.uint8))

    assert max(small.shape[:2]) <= 128 and min(small.shape[:2]) >= 1
