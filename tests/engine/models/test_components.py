"""The parts of a base model: empty networks of the published sizes, and how they are filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from accelerate import init_empty_weights
from acetate.engine.files.structures import packaged_configs
from acetate.engine.models.components import empty_text_encoder, empty_unet, empty_vae, fill
from acetate.engine.values.errors import ModelBroken
from torch import Tensor, nn


@pytest.mark.parametrize(("family", "total"), [("sd15", 859_520_964), ("sdxl", 2_567_463_684)])
def test_packaged_configurations_describe_the_published_networks(golden: Path, family: Any, total: int) -> None:
    configs = packaged_configs(family)
    unet = empty_unet(configs)
    rows = [line.split("\t") for line in (golden / f"keys/{family}_unet_ldm_to_diffusers.tsv").read_text().splitlines()]
    assert {name: str(tuple(tensor.shape)) for name, tensor in unet.state_dict().items()} == {row[1]: row[2] for row in rows}
    counts = [unet, empty_vae(configs), empty_text_encoder(configs, "text_encoder")]
    assert [sum(p.numel() for p in network.parameters()) for network in counts] == [total, 83_653_863, 123_060_480]
    if family == "sdxl":
        second = empty_text_encoder(configs, "text_encoder_2")
        assert sum(p.numel() for p in second.parameters()) == 694_659_840


class Network(nn.Module):
    """A linear `proj_in`, and a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.proj_in = nn.Linear(4, 3)
        self.register_buffer("scale", torch.ones(2))


@pytest.fixture
def network() -> Network:
    with init_empty_weights():
        return Network()


@pytest.fixture
def weights() -> dict[str, Tensor]:
    return {"proj_in.weight": torch.rand(3, 4), "proj_in.bias": torch.rand(3), "scale": torch.rand(2)}


def test_a_filled_network_has_the_weights_and_is_ready_to_run(network: Network, weights: dict[str, Tensor]) -> None:
    filled = fill(network, weights, torch.float32, "it", exact=True)
    assert filled is network and not filled.training
    assert not any(parameter.requires_grad for parameter in filled.parameters())
    assert all(torch.equal(tensor, weights[name]) for name, tensor in filled.state_dict().items())


def test_weights_of_the_wanted_type_are_no_copies_and_others_are_cast(network: Network, weights: dict[str, Tensor]) -> None:
    weights["scale"] = weights["scale"].half()
    filled = fill(network, weights, torch.float32, "it", exact=True).state_dict()
    assert filled["proj_in.weight"].data_ptr() == weights["proj_in.weight"].data_ptr()
    assert filled["scale"].dtype == torch.float32 and torch.equal(filled["scale"], weights["scale"].float())


@pytest.mark.parametrize("shape", [(3, 4, 1, 1), (3, 4), (3, 4, 1)])
def test_a_convolution_of_one_pixel_is_a_linear_layer(
    network: Network, weights: dict[str, Tensor], shape: tuple[int, ...]
) -> None:
    weights["proj_in.weight"] = weights["proj_in.weight"].reshape(shape)
    filled = fill(network, weights, torch.float32, "it", exact=True)
    assert torch.equal(filled.proj_in.weight, weights["proj_in.weight"].reshape(3, 4))


@pytest.mark.parametrize("shape", [(4, 3), (3, 4, 2), (12,), (1, 3)])
def test_weights_of_another_shape_are_refused_with_both(
    network: Network, weights: dict[str, Tensor], shape: tuple[int, ...]
) -> None:
    weights["proj_in.weight"] = torch.rand(shape)
    with pytest.raises(ModelBroken) as refused:
        fill(network, weights, torch.float32, "the UNet of m", exact=True)
    assert all(part in str(refused.value) for part in ("the UNet of m", "proj_in.weight", str(shape), "(3, 4)"))
    assert network.proj_in.weight.is_meta and network.proj_in.bias.is_meta, "nothing was filled"


def test_what_is_missing_is_refused_and_counted(network: Network, weights: dict[str, Tensor]) -> None:
    del weights["proj_in.bias"], weights["scale"]
    with pytest.raises(ModelBroken, match=r"the VAE of m .*2 of 3 tensors: proj_in\.bias, scale"):
        fill(network, weights, torch.float32, "the VAE of m", exact=False)


@pytest.mark.parametrize("exact", [True, False])
def test_weights_of_another_network_are_refused_only_where_all_must_fit(
    network: Network, weights: dict[str, Tensor], exact: bool
) -> None:
    weights["position_ids"] = torch.arange(3)
    if exact:
        with pytest.raises(ModelBroken, match="position_ids"):
            fill(network, weights, torch.float32, "it", exact=True)
    else:
        assert "position_ids" not in fill(network, weights, torch.float32, "it", exact=False).state_dict()


def test_an_empty_network_takes_no_memory(tiny: Any, tmp_path: Path) -> None:
    configs = tiny.write_configs(tmp_path / "configs")
    networks = [empty_unet(configs), empty_vae(configs), empty_text_encoder(configs, "text_encoder")]
    assert all(parameter.is_meta for network in networks for parameter in network.parameters())
    kinds = [type(empty_text_encoder(configs, name)) for name in ("text_encoder", "text_encoder_2")[: len(tiny.text_encoders)]]
    assert kinds == [type(encoder) for encoder in tiny.text_encoders]
