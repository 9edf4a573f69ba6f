"""Other programs keep their cores: threads that would wait for one are not started."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from acetate.engine.device.busy_cores import WINDOW, Threads, Usage, usage
from acetate.engine.values.request import Picture, Progress

STEP = Progress(stage="denoise", step=1, steps=2, fraction=0.5)


class Machine:
    """Counts as a system does, of which others use `others` cores and this process `own`."""

    def __init__(self) -> None:
        self.others, self.own, self._counted = 0.0, 1.0, Usage(0.0, 0.0, 0.0)

    def read(self) -> Usage:
        return self._counted

    def go_on(self, seconds: float) -> None:
        clock, computed, own = self._counted
        self._counted = Usage(clock + seconds, computed + seconds * (self.others + self.own), own + seconds * self.own)


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def numbers(machine: Machine, threads: Threads, others: list[float], seconds: float = WINDOW) -> list[int]:
    """How many threads each step is computed with, while others use so many cores in it."""
    seen = []

    def events() -> Iterator[Progress | Picture]:
        for busy in others:
            seen.append(torch.get_num_threads())
            machine.others = busy
            machine.go_on(seconds)
            yield STEP

    assert len(list(threads.beside(events()))) == len(others)
    return seen


def test_as_many_threads_compute_as_cores_are_left() -> None:
    machine = Machine()
    threads = Threads(4, machine.read, {})
    assert numbers(machine, threads, [0.1, 1.0, 2.2, 3.9, 4.0, 0.0, 0.0]) == [4, 4, 3, 2, 1, 1, 4]
    assert torch.get_num_threads() == 4


def test_what_was_seen_counts_for_the_next_job_at_once() -> None:
    machine = Machine()
    threads = Threads(4, machine.read, {})
    assert numbers(machine, threads, [3.0]) == [4]
    assert numbers(machine, threads, [0.0, 0.0]) == [1, 4]


def test_more_cores_than_threads_change_nothing() -> None:
    machine = Machine()
    assert numbers(machine, Threads(16, machine.read, {}), [2.0, 11.0, 14.0, 0.0]) == [4, 4, 4, 2]


@pytest.mark.parametrize("seconds", [WINDOW / 3, 30 * WINDOW])
def test_a_moment_and_a_time_long_ago_say_nothing(seconds: float) -> None:
    machine = Machine()
    assert numbers(machine, Threads(4, machine.read, {}), [4.0, 4.0], seconds) == [4, 4]


@pytest.mark.parametrize("name", ["OMP_NUM_THREADS", "MKL_NUM_THREADS"])
def test_a_number_that_a_person_has_set_stays(name: str) -> None:
    machine = Machine()
    assert numbers(machine, Threads(4, machine.read, {name: "4"}), [4.0, 4.0, 4.0]) == [4, 4, 4]


def test_a_cancelled_job_is_closed_and_gives_its_threads_back() -> None:
    machine, closed = Machine(), []
    machine.others = 4.0

    def events() -> Iterator[Progress | Picture]:
        try:
            while True:
                machine.go_on(WINDOW)
                yield STEP
        finally:
            closed.append(torch.get_num_threads())

    running = Threads(4, machine.read, {}).beside(events())
    next(running), next(running)
    running.close()  # type: ignore[attr-defined]
    assert closed == [1] and torch.get_num_threads() == 4


def test_the_system_counts_forwards() -> None:
    before, after = usage(), usage()
    assert after.clock >= before.clock and after.computed >= before.computed and after.own >= before.own
