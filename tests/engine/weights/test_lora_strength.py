"""How strong a LoRA is in a layer: weights of networks multiplied by those of blocks."""

from __future__ import annotations

import pytest
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.files.structures import structure_of
from acetate.engine.values.lora_tag import BLOCK_NAMES, LoraTag
from acetate.engine.weights.lora_strength import block_of, misnamed, strength

UNET, TEXT = (0, "down_blocks.1.attentions.0.proj_in"), (1, "encoder.layers.0.mlp.fc1")


def test_networks_have_weights_of_their_own() -> None:
    tag = LoraTag("ink", 0.8, 0.5)
    assert (strength(tag, UNET), strength(tag, TEXT), strength(tag, (2, TEXT[1]))) == (0.8, 0.5, 0.5)


@pytest.mark.parametrize(
    ("path", "block"),
    [
        ("conv_in", "IN00"),
        ("down_blocks.0.attentions.1.transformer_blocks.0.attn1.to_q", "IN02"),
        ("down_blocks.0.downsamplers.0.conv", "IN03"),
        ("down_blocks.1.attentions.0.proj_in", "IN04"),
        ("mid_block.attentions.0.norm", "MID"),
        ("mid_block.resnets.1.conv2", "MID"),
        ("up_blocks.0.resnets.2.conv1", "OUT02"),
        ("up_blocks.1.upsamplers.0.conv", "OUT05"),
        ("time_embedding.linear_1", ""),
        ("conv_out", ""),
    ],
)
def test_blocks_are_counted_as_checkpoints_count_them(path: str, block: str) -> None:
    assert block_of(path) == block


@pytest.mark.parametrize(("family", "length"), [("sd15", 26), ("sdxl", 20)])
def test_the_long_lists_name_every_block_of_a_family(family: str, length: int) -> None:
    unet = structure_of(BASE_FAMILIES[family]).networks[0]
    found = {block_of(name.rpartition(".")[0]) for name in unet} - {""}
    assert found | {"BASE"} == set(BLOCK_NAMES[length])


@pytest.mark.parametrize(("family", "length"), [("sd15", 17), ("sdxl", 12)])
def test_the_short_lists_name_every_block_with_attention(family: str, length: int) -> None:
    unet = structure_of(BASE_FAMILIES[family]).networks[0]
    found = {block_of(name.rpartition(".")[0]) for name in unet if "attentions" in name}
    assert found | {"BASE"} == set(BLOCK_NAMES[length])


def test_block_weights_multiply_and_what_has_no_name_keeps_the_networks_weight() -> None:
    weights = tuple(float(n) for n in range(12))
    tag = LoraTag("ink", 0.5, 0.25, weights)
    names = BLOCK_NAMES[12]
    assert strength(tag, UNET) == 0.5 * names.index("IN04")
    assert strength(tag, (0, "mid_block.attentions.0.proj_in")) == 0.5 * names.index("MID")
    assert strength(LoraTag("ink", 0.5, 0.25, (3.0, *weights[1:])), TEXT) == 0.75
    assert strength(tag, (0, "time_embedding.linear_1")) == 0.5


@pytest.mark.parametrize(("family", "lengths"), [("sd15", {17, 26}), ("sdxl", {12, 20})])
def test_a_list_for_another_family_is_told_by_its_blocks(family: str, lengths: set[int]) -> None:
    structure = structure_of(BASE_FAMILIES[family])
    fitting = {length for length in BLOCK_NAMES if not misnamed(LoraTag("ink", 1, 1, (1.0,) * length), structure)}
    assert fitting == lengths
    assert not misnamed(LoraTag("ink"), structure)
