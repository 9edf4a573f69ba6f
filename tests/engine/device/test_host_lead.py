"""The host does not run ahead of its device; the device here is a list of what it was given."""

from __future__ import annotations

import pytest
import torch
from acetate.engine.device.host_lead import OneStepAhead
from acetate.engine.sampling.denoising_loop import DenoisingLoop
from acetate.engine.sampling.samplers import Sampler
from torch import Tensor

ELSEWHERE = torch.device("cuda")
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


class Queue:
    """Work of a device that takes its time: done when somebody waits for a mark behind it."""

    def __init__(self) -> None:
        self.given = self.done = 0

    def mark(self, device: torch.device) -> Place:
        assert device == ELSEWHERE
        return Place(self)


class Place:
    """As `torch.Event`."""

    def __init__(self, queue: Queue) -> None:
        self._queue, self._behind = queue, -1

    def record(self) -> None:
        self._behind = self._queue.given

    def synchronize(self) -> None:
        assert self._behind >= 0, "nobody recorded it"
        self._queue.done = max(self._queue.done, self._behind)


def test_all_steps_but_the_latest_are_done_and_the_device_never_idles() -> None:
    queue = Queue()
    pace = OneStepAhead(ELSEWHERE, queue.mark)
    for number in range(1, 5):
        queue.given += 1
        pace.step()
        assert (queue.given, queue.done) == (number, number - 1)


def test_a_cancel_between_two_steps_finds_one_step_queued() -> None:
    queue = Queue()
    cpu, start = torch.device("cpu"), torch.zeros(1, 4, 8, 8)
    denoiser = DenoisingLoop(Sampler("dpmpp-2m-karras", SD), 9, 1.0, cpu, OneStepAhead(ELSEWHERE, queue.mark))

    def predict(scaled: Tensor, timestep: Tensor, index: int) -> Tensor:
        queue.given += 1
        return scaled

    for step in denoiser.run(start, predict, torch.Generator()):
        assert queue.given == step.index
        assert queue.given - queue.done == 1
        if step.index == 5:
            break
    assert queue.done == 4


@pytest.mark.parametrize("kind", ["cpu", "meta"])
def test_where_work_is_done_at_once_nothing_is_marked(kind: str) -> None:
    def refuse(device: torch.device) -> Place:
        raise AssertionError(f"{device} has no queue")

    pace = OneStepAhead(torch.device(kind), refuse)
    pace.step()
    pace.step()
