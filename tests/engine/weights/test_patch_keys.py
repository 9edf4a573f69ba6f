"""What the keys of a weight file mean; no tensor is read."""

from __future__ import annotations

import pytest
from acetate.engine.values.errors import ModelBroken
from acetate.engine.weights.patch_keys import Diff, LowRank, parse, plain

LDM, NAME = "diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1", "down_blocks.0.attentions.0.transformer_blocks.0.attn1"


def test_a_difference_is_added_as_it_is() -> None:
    key = f"{LDM}.to_q.weight::diff::0"
    assert parse([key]) == [Diff(f"{NAME}.to_q.weight", key)]
    assert parse(["unet.conv_in.bias", "conv_out.bias"]) == [
        Diff("conv_in.bias", "unet.conv_in.bias"), Diff("conv_out.bias", "conv_out.bias")
    ]  # fmt: skip


def test_of_a_separated_pair_number_0_is_up_and_1_is_down() -> None:
    key = f"{LDM}.to_out.0.weight::lora::"
    for keys in ([f"{key}0", f"{key}1"], [f"{key}1", f"{key}0"]):
        assert parse(keys) == [LowRank(f"{NAME}.to_out.0.weight", f"{key}0", f"{key}1", None)]


@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("to_k.lora_B.weight", "to_k.lora_A.weight"),
        ("to_k.lora_B.default.weight", "to_k.lora_A.default.weight"),
        ("to_k.lora.up.weight", "to_k.lora.down.weight"),
        ("to_k.lora_up.weight", "to_k.lora_down.weight"),
        ("to_k.lora_linear_layer.up.weight", "to_k.lora_linear_layer.down.weight"),
        ("processor.to_k_lora.up.weight", "processor.to_k_lora.down.weight"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "unet."])
def test_every_spelling_of_a_pair_changes_the_same_weight(prefix: str, up: str, down: str) -> None:
    keys = [f"{prefix}{NAME}.{up}", f"{prefix}{NAME}.{down}"]
    assert parse(reversed(keys)) == [LowRank(f"{NAME}.to_k.weight", *keys)]


def test_the_old_name_of_the_projection_out_is_the_first_of_two_layers() -> None:
    keys = [f"{NAME}.processor.to_out_lora.{part}.weight" for part in ("up", "down")]
    (delta,) = parse(keys)
    assert delta.target == f"{NAME}.to_out.0.weight"


def test_an_alpha_belongs_to_its_pair_and_alone_is_half_of_one() -> None:
    keys = [f"{NAME}.to_v.lora_B.weight", f"{NAME}.to_v.lora_A.weight", f"{NAME}.to_v.alpha"]
    assert parse(keys) == [LowRank(f"{NAME}.to_v.weight", *keys)]
    with pytest.raises(ModelBroken, match="alpha"):
        parse(keys[2:])


@pytest.mark.parametrize(
    ("keys", "named"),
    [
        ([], "empty"),
        ([f"{NAME}.to_v.lora_A.weight"], "lora_A"),
        ([f"{LDM}.to_q.weight::lora::0"], "::lora::0"),
        ([f"{LDM}.to_q.weight::lora::2"], "::lora::2"),
        ([f"{LDM}.to_q.weight::diff"], "::diff"),
        ([f"{LDM.removeprefix('diffusion_model.')}.to_q.weight::diff::0"], "input_blocks"),
        (["diffusion_model.nowhere.weight::diff::0"], "nowhere"),
    ],
)
def test_keys_that_mean_nothing_are_named(keys: list[str], named: str) -> None:
    with pytest.raises(ModelBroken, match=named):
        parse(keys)


def test_blocks_of_another_length_have_other_numbers() -> None:
    (delta,) = parse([f"{LDM.replace('.1.1.', '.3.1.')}.to_q.weight::diff::0"], layers_per_block=1)
    assert delta.target.startswith("down_blocks.1.attentions.0.")


def test_another_prefix_can_be_dropped_and_no_key_is_fine_there() -> None:
    assert plain(["text_encoder.a.weight", "unet.a.weight"], prefix="text_encoder.") == [
        Diff("a.weight", "text_encoder.a.weight"), Diff("unet.a.weight", "unet.a.weight")
    ]  # fmt: skip
    assert plain([], prefix="unet.") == []


def test_the_share_of_a_change_is_the_whole_unless_it_is_said() -> None:
    assert {delta.weight for delta in parse(["conv_in.bias", "a.lora_A.weight", "a.lora_B.weight"])} == {1.0}
