"""Structures by rule are those of the networks that diffusers and transformers build from the same configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.files.structures import packaged_configs, structure_of
from acetate.engine.models.components import empty_text_encoder, empty_unet


def check(family: str, configs: Path) -> None:
    names = [f"text_encoder{encoder.suffix}" for encoder in BASE_FAMILIES[family].text_encoders]
    networks: list[Any] = [empty_unet(configs), *(empty_text_encoder(configs, name) for name in names)]
    found = structure_of(BASE_FAMILIES[family], configs)
    assert len(found.networks) == len(networks)
    for parameters, network in zip(found.networks, networks, strict=True):
        expected = {name.removeprefix("text_model."): tuple(value.shape) for name, value in network.named_parameters()}
        assert dict(parameters) == expected
    widths = tuple(network.config.hidden_size for network in networks[1:])
    assert found.text_widths == widths


@pytest.mark.parametrize("family", BASE_FAMILIES)
def test_a_structure_has_the_parameters_of_the_full_size_networks(family: str) -> None:
    check(family, packaged_configs(family))


def test_a_structure_follows_other_configurations(tiny: Any, tmp_path: Path) -> None:
    check(tiny.family, tiny.write_configs(tmp_path))
