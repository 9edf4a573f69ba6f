"""Weights in 8 bit: which, when they are wide, and that everything comes back."""

from __future__ import annotations

import pytest
import torch
from acetate.engine.device.fp8 import KEPT, STORAGE, Fp8Storage
from torch import Tensor, nn


class Network(nn.Module):
    """A first layer and a norm, which stay wide, two large ones, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv_in = nn.Conv2d(3, 8, 1)
        self.norm = nn.GroupNorm(2, 8)
        self.middle = nn.Conv2d(8, 8, 1)
        self.out = nn.Linear(8, 2)
        self.register_buffer("offset", torch.rand(2))
        self.bfloat16().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.middle(self.norm(self.conv_in(x))).mean((2, 3))) + self.offset


X = torch.linspace(-1, 1, 48).reshape(1, 3, 4, 4).bfloat16()


def test_the_large_layers_are_narrow_and_the_rest_stays_as_it_is() -> None:
    network = Network()
    Fp8Storage(network)
    types = {name: tensor.dtype for name, tensor in network.state_dict().items()}
    assert {name for name, dtype in types.items() if dtype == STORAGE} == {"middle.weight", "out.weight"}
    assert set(types.values()) == {STORAGE, torch.bfloat16}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("conv_in", True),
        ("conv_out", True),
        ("time_embedding.linear_1", True),
        ("add_embedding.linear_2", True),
        ("down_blocks.0.resnets.0.norm1", True),
        ("down_blocks.0.resnets.0.conv1", False),
        ("down_blocks.0.resnets.0.time_emb_proj", False),
        ("mid_block.attentions.0.proj_in", False),
        ("down_blocks.0.conv_input", False),
    ],
)
def test_layers_that_everything_passes_through_are_kept(name: str, kept: bool) -> None:
    assert bool(KEPT.search(name)) is kept


def test_a_layer_computes_in_its_own_type_with_what_8_bit_hold_and_is_narrow_again() -> None:
    network = Network()
    wide = network(X)
    weights = network.middle.weight.clone()
    Fp8Storage(network)
    seen: list[Tensor] = []
    network.middle.register_forward_pre_hook(lambda module, _: seen.append(module.weight.data.clone()))
    found = network(X)
    assert torch.equal(seen[0], weights.to(STORAGE).to(torch.bfloat16))
    assert found.dtype == torch.bfloat16 and 0 < (found - wide).abs().max() < 0.1
    assert network.middle.weight.dtype == network.out.weight.dtype == STORAGE


def test_a_layer_that_fails_is_narrow_again_too() -> None:
    network = Network()
    Fp8Storage(network)
    with pytest.raises(RuntimeError):
        network.middle(X)  # three channels instead of eight
    assert network.middle.weight.dtype == STORAGE


def test_removing_gives_back_the_very_tensors() -> None:
    network = Network()
    wide, places = network(X), [tensor.data_ptr() for tensor in network.state_dict().values()]
    storage = Fp8Storage(network)
    network(X)
    storage.remove()
    assert [tensor.data_ptr() for tensor in network.state_dict().values()] == places
    assert torch.equal(network(X), wide) and network.middle.weight.dtype == torch.bfloat16
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network.modules())


def test_what_moves_is_a_narrow_copy_and_the_originals_stay() -> None:
    network = Network()
    wide, places = network(X), [tensor.data_ptr() for tensor in network.state_dict().values()]
    storage = Fp8Storage(network)
    moved: list[torch.dtype] = []

    def upload(tensor: Tensor) -> Tensor:
        moved.append(tensor.dtype)
        return tensor.clone()

    storage.move(upload)
    assert moved.count(STORAGE) == 2 and len(moved) == len(places)
    assert not {tensor.data_ptr() for tensor in network.state_dict().values()} & set(places)
    storage.remove()
    assert [tensor.data_ptr() for tensor in network.state_dict().values()] == places
    assert torch.equal(network(X), wide)
