"""The plain way to call a network, and what every faster way may be told."""

from __future__ import annotations

import torch
from acetate.engine.device.accelerator import EAGER, Accelerator
from torch import Tensor, nn


class Network(nn.Module):
    """One product; counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([2.0, 3.0]), requires_grad=False)
        self.calls = 0

    def forward(self, values: Tensor) -> Tensor:
        self.calls += 1
        return values * self.weight


def test_eager_keeps_nothing() -> None:
    network = Network()
    assert torch.equal(EAGER.call(network, network, [torch.ones(2)], once=True, plentiful=True), network.weight)
    assert EAGER.kept_bytes == 0


def test_eager_calls_the_function_each_time_with_the_very_tensors_and_hands_on_its_result() -> None:
    seen: list[Tensor] = []
    result = torch.ones(1)

    def function(*inputs: Tensor) -> Tensor:
        seen.extend(inputs)
        return result

    first, second = torch.ones(2), torch.zeros(2)
    for _ in range(2):
        assert EAGER.call(Network(), function, [first, second], constant=1, pure=False) is result
    assert all(one is other for one, other in zip(seen, [first, second] * 2, strict=True))


def test_eager_needs_not_hear_of_weights_that_have_changed() -> None:
    network = Network()
    accelerator = Accelerator()
    accelerator.call(network, network, [torch.ones(2)])
    network.weight.data = torch.tensor([5.0, 7.0])
    accelerator.release()
    accelerator.edited(network)
    accelerator.wait()
    assert accelerator.call(network, network, [torch.ones(2)]).tolist() == [5.0, 7.0] and network.calls == 2
