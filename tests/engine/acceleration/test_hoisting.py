"""What follows from weights and constant inputs is computed once, and anew as soon as either is another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from acetate.engine.acceleration.graph_replay import Recording, TracedNetwork
from diffusers import UNet2DConditionModel
from torch import Tensor, nn


@pytest.fixture(autouse=True)
def _without_gradients() -> Any:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


class Attending(nn.Module):
    """A product with the prompt, a constant that only weights decide, and something for the sample."""

    def __init__(self) -> None:
        super().__init__()
        self.key, self.first, self.second = nn.Linear(3, 4), nn.Parameter(torch.ones(4)), nn.Parameter(torch.ones(4))

    def forward(self, sample: Tensor, prompt: Tensor) -> Tensor:
        return sample * self.key(prompt).t().sum(1) + (self.first + self.second)


def recording_of(replay: TracedNetwork) -> Recording:
    (recording,) = replay._recorded.values()
    assert recording is not None
    return recording


def operators(recording: Recording) -> list[str]:
    return [str(node.target) for node in recording.graph.nodes if node.op == "call_function"]


def test_products_with_the_prompt_and_sums_of_weights_leave_the_call() -> None:
    network = Attending()
    replay, prompt = TracedNetwork(network), torch.randn(2, 3)
    replay.run([torch.randn(4), prompt], network, constant=1)
    assert sorted(operators(recording_of(replay))) == ["aten.add.Tensor", "aten.mul.Tensor"]
    sample = torch.randn(4)
    assert torch.equal(replay.run([sample, prompt], network, constant=1), network(sample, prompt))


def changed_in_place(prompt: Tensor) -> Tensor:
    return prompt.mul_(2)


def through_a_view(prompt: Tensor) -> Tensor:
    prompt[0].fill_(7.0)
    return prompt


def another(prompt: Tensor) -> Tensor:
    return prompt + 1


@pytest.mark.parametrize("change", [changed_in_place, through_a_view, another])
def test_another_prompt_is_seen(change: Callable[[Tensor], Tensor]) -> None:
    network = Attending()
    replay, sample, prompt = TracedNetwork(network), torch.randn(4), torch.randn(2, 3)
    for _ in range(3):
        found = replay.run([sample, prompt], network, constant=1)
        assert torch.equal(found, network(sample, prompt))
        prompt = change(prompt)


def test_other_weights_are_seen_once_it_is_told() -> None:
    network = Attending()
    replay, inputs = TracedNetwork(network), [torch.randn(4), torch.randn(2, 3)]
    for _ in range(3):
        assert torch.equal(replay.run(inputs, network, constant=1), network(*inputs))
        network.key.weight.data.mul_(2)
        network.first.data.add_(1)
        replay.forget()


def test_both_halves_of_guidance_in_turn_compute_their_part_once() -> None:
    network = Attending()
    replay, sample, prompts = TracedNetwork(network), torch.randn(4), (torch.randn(2, 3), torch.randn(2, 3))
    replay.run([sample, prompts[0]], network, constant=1)
    recording = recording_of(replay)
    made, run = [], recording._hoisted._run
    recording._hoisted._run = lambda *inputs: made.append(inputs) or run(*inputs)  # type: ignore[func-returns-value]
    for _ in range(3):
        for prompt in prompts:
            assert torch.equal(replay.run([sample, prompt], network, constant=1), network(sample, prompt))
    assert len(made) == 2


class Noisy(nn.Module):
    """Draws new noise at every call, and reads a view of its weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 3))

    def forward(self, sample: Tensor, prompt: Tensor) -> Tensor:
        return sample + torch.rand(3, 2) + self.weight.t() + prompt


def test_noise_stays_noise_and_a_moved_weight_is_seen() -> None:
    network = Noisy()
    replay, inputs = TracedNetwork(network), [torch.zeros(3, 2), torch.zeros(3, 2)]
    first, second = (replay.run(inputs, network, constant=1) for _ in range(2))
    assert not torch.equal(first, second)
    network.weight.data = torch.full((2, 3), 5.0)
    assert (replay.run(inputs, network, constant=1) >= 5).all()


def test_a_unets_cross_attention_takes_keys_and_values_from_before(narrow_unet: UNet2DConditionModel) -> None:
    replay = TracedNetwork(narrow_unet)

    def call(sample: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        result: Tensor = narrow_unet(sample, timestep, text, return_dict=False)[0]
        return result

    text = torch.randn(2, 7, 24)
    for turn in range(3):
        inputs = (torch.randn(2, 4, 8, 8), torch.tensor(900.0 - turn), text)
        assert torch.equal(replay.run(inputs, call, constant=1), call(*inputs))
    blocks = sum(type(module).__name__ == "BasicTransformerBlock" for module in narrow_unet.modules())
    handed = [node for node in recording_of(replay).graph.nodes if node.op == "placeholder"]
    assert len(handed) >= 3 + 2 * blocks
