from __future__ import annotations

import numpy as np
import pytest
from acetate.server.worker.engine_jobs import PreviewBudget


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
