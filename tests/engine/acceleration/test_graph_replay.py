"""What is replayed equals what was called, bit for bit, and what cannot be replayed truly is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from acetate.engine import Engine, Picture, Request
from acetate.engine.acceleration import graph_replay
from acetate.engine.acceleration.graph_replay import Recording, TracedNetwork
from diffusers import UNet2DConditionModel
from torch import Tensor, nn


class Played:
    """A network's calls through a `TracedNetwork`; counts those that reached the network."""

    def __init__(self, network: nn.Module, call: Callable[..., Tensor]) -> None:
        self.replay, self.call, self.calls = TracedNetwork(network), call, 0

    def __call__(self, *inputs: Tensor) -> Tensor:
        def call(*given: Tensor) -> Tensor:
            self.calls += 1
            return self.call(*given)

        with torch.no_grad():
            return self.replay.run(inputs, call)


def played(unet: UNet2DConditionModel) -> Played:
    return Played(unet, lambda sample, timestep, text: unet(sample, timestep, text, return_dict=False)[0])


def inputs(seed: int, side: int = 8) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    sample = torch.randn(2, 4, side, side, generator=generator)
    return sample, torch.tensor(900.0 - seed), torch.randn(2, 7, 24, generator=generator)


def test_other_values_of_a_known_shape_give_the_calls_bits_without_calling(narrow_unet: UNet2DConditionModel) -> None:
    play = played(narrow_unet)
    play(*inputs(1))
    for seed in (2, 3):
        assert torch.equal(play(*inputs(seed)), play.call(*inputs(seed)))
    assert play.calls == 1


def test_every_shape_has_its_own_recording(narrow_unet: UNet2DConditionModel) -> None:
    play = played(narrow_unet)
    for seed, side in enumerate((8, 16, 8, 16)):
        assert torch.equal(play(*inputs(seed, side)), play.call(*inputs(seed, side)))
    assert play.calls == 2


def test_weights_changed_in_place_are_seen(narrow_unet: UNet2DConditionModel) -> None:
    """As patches, LoRAs and moves between devices change them: also by another storage."""
    play = played(narrow_unet)
    before = play(*inputs(1)).clone()
    for parameter in narrow_unet.parameters():
        parameter.data = parameter.data * 0.9
    assert torch.equal(play(*inputs(1)), play.call(*inputs(1)))
    assert not torch.equal(play(*inputs(1)), before)
    assert play.calls == 1


def test_a_weight_that_was_replaced_by_another_is_recorded_anew(narrow_unet: UNet2DConditionModel) -> None:
    """As `conv_in` is for each of the modes with conditions, all of which see inputs of one shape."""
    play = played(narrow_unet)
    play(*inputs(1))
    narrow_unet.conv_in.weight = nn.Parameter(narrow_unet.conv_in.weight * 2, requires_grad=False)
    for seed in (1, 2):
        assert torch.equal(play(*inputs(seed)), play.call(*inputs(seed)))
    assert play.calls == 2


def test_the_oldest_recording_goes_first(narrow_unet: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_replay, "SHAPES", 2)
    play = played(narrow_unet)
    for side in (8, 16, 24):
        play(*inputs(1, side))
    play(*inputs(2, 24))
    assert play.calls == 3
    play(*inputs(2, 8))
    assert play.calls == 4


def test_a_single_graph_is_made_only_when_a_shape_comes_again_at_once(
    narrow_unet: UNet2DConditionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured: list[bool] = []
    play = Recording.play

    def noted(recording: Recording, given: Sequence[Tensor], *, capture: bool) -> Tensor:
        captured.append(capture)
        return play(recording, given, capture=capture)

    monkeypatch.setattr(Recording, "play", noted)
    unet, graph_replay = narrow_unet, TracedNetwork(narrow_unet, single=True)

    def call(sample: Tensor, timestep: Tensor, text: Tensor) -> Tensor:
        result: Tensor = unet(sample, timestep, text, return_dict=False)[0]
        return result

    with torch.no_grad():
        for side in (8, 16, 8, 8, 8, 16, 8):
            graph_replay.run(inputs(1, side), call, plentiful=True)
        assert captured == [False, True, True, False, False]
        captured.clear()
        for _ in range(3):
            graph_replay.run(inputs(1, 8), call)
    assert captured == [False] * 3, "memory is not plentiful"


class Branching(nn.Module):
    """Doubles what is positive, and asks the host whether it is."""

    def forward(self, values: Tensor) -> Tensor:
        return values * 2 if values.sum().item() > 0 else values - 1


class Leaning(nn.Module):
    """Adds what somebody put there before the call, as attention sharing does with its control."""

    def __init__(self) -> None:
        super().__init__()
        self.__dict__["control"] = torch.ones(3)

    def forward(self, values: Tensor) -> Tensor:
        control: Tensor = self.__dict__["control"]
        return values + control


@pytest.mark.parametrize("network", [Branching(), Leaning()], ids=["asks for a value", "uses a tensor from outside"])
def test_what_would_not_be_true_for_other_values_is_called_each_time(network: nn.Module) -> None:
    play = Played(network, network)
    for sign in (1, -1, 1):
        network.__dict__["control"] = torch.full((3,), 5.0 * sign)
        assert torch.equal(play(torch.ones(3) * sign), play.call(torch.ones(3) * sign))
    assert play.calls == 3


def test_who_listens_to_a_network_hears_every_call(narrow_unet: UNet2DConditionModel) -> None:
    play, heard = played(narrow_unet), []
    play(*inputs(1))
    with narrow_unet.register_forward_pre_hook(lambda network, given: heard.append(given)):
        play(*inputs(2))
    assert len(heard) == 1 and play.calls == 2


class Flat(nn.Module):
    """Its weight as one row, by a view, which not every layout allows."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(6.0).reshape(2, 3), requires_grad=False)

    def forward(self, values: Tensor) -> Tensor:
        return values + self.weight.reshape(-1)


def test_weights_that_lie_otherwise_than_they_did_are_recorded_anew() -> None:
    network = Flat()
    play = Played(network, network)
    play(torch.zeros(6))
    network.weight.data = torch.arange(6.0).reshape(3, 2).t()
    for _ in range(3):
        assert torch.equal(play(torch.zeros(6)), torch.tensor([0.0, 2, 4, 1, 3, 5]))
    assert play.calls == 3, "the first, the one that failed, and a new recording"


def test_a_call_that_fails_is_not_recorded() -> None:
    network = Flat()
    play = Played(network, network)
    with pytest.raises(RuntimeError, match="size"):
        play(torch.zeros(5))
    assert torch.equal(play(torch.zeros(6)), torch.arange(6.0)) and torch.equal(play(torch.ones(6)), torch.arange(6.0) + 1)
    assert play.calls == 2


def test_a_layer_is_the_same_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(prompt="a red apple", steps=4, count=2)
    replayed = layers(request)
    monkeypatch.setattr(TracedNetwork, "run", lambda self, inputs, function, **others: function(*inputs))
    assert [layer.rgba.tobytes() for layer in replayed] == [layer.rgba.tobytes() for layer in layers(request)]


def layers(request: Request) -> list[Picture]:
    results: list[Any] = list(Engine("cpu").run(request))
    return [result for result in results if isinstance(result, Picture)]
