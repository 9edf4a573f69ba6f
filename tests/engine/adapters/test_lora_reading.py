"""LoRAs of every kind and spelling, compared with the real structures of both families by names and shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from acetate.engine.adapters.lora_kinds import KINDS as OUR_KINDS
from acetate.engine.adapters.lora_reading import LoraReading, read
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.families.structure import Shape, Structure
from acetate.engine.files.headers import Header
from acetate.engine.files.structures import structure_of

from .synthetic_loras import KINDS, RANK, SPELLINGS, TEXT_LAYERS, UNET_LAYERS, synthetic_lora

Shapes = dict[str, Shape]
LAYER = "lora_unet_mid_block_attentions_0_proj_in"


def header(shapes: Shapes, **metadata: str) -> Header:
    return Header({key: {"dtype": "F16", "shape": list(shape)} for key, shape in shapes.items()}, metadata, 0)


def pair(layer: str, outputs: int, inputs: int, rank: int = RANK) -> Shapes:
    return {f"{layer}.lora_up.weight": (outputs, rank), f"{layer}.lora_down.weight": (rank, inputs)}


@pytest.fixture(scope="module", params=BASE_FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def structure(family: str) -> Structure:
    return structure_of(BASE_FAMILIES[family])


@pytest.fixture(scope="module")
def sd15() -> Structure:
    return structure_of(BASE_FAMILIES["sd15"])


def check_whole(reading: LoraReading, layers: set[tuple[int, str]]) -> None:
    assert reading.note == reading.problem == ""
    assert {change.layer for change in reading.changes} == layers
    assert (reading.used, reading.layers) == (len(layers), len(layers))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fits_the_layers_that_it_was_made_for(family: str, structure: Structure, kind: str) -> None:
    made = synthetic_lora(family, structure, kind, "kohya, diffusers names")
    check_whole(read(header(made.shapes), structure), set(made.layers))


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", ["LoRA and LoCon", "PEFT", "LoHa"])
def test_every_spelling_names_the_same_layers(family: str, structure: Structure, kind: str, spelling: str) -> None:
    made = synthetic_lora(family, structure, kind, spelling)
    reading = read(header(made.shapes), structure)
    encoders = range(1, len(structure.networks)) if SPELLINGS[spelling].text else ()
    check_whole(reading, {(0, path) for path in UNET_LAYERS} | {(n, path) for n in encoders for path in TEXT_LAYERS})


def test_every_kind_of_change_has_a_synthetic_file(sd15: Structure) -> None:
    found = {
        change.kind.name for kind in KINDS for change in read(header(synthetic_lora("sd15", sd15, kind).shapes), sd15).changes
    }
    assert found | {"LoRA with biases"} == {kind.name for kind in OUR_KINDS}


def test_every_layer_of_both_families_is_found_in_both_worlds_of_names(family: str, structure: Structure) -> None:
    unet = [name.removesuffix(".weight") for name in structure.networks[0] if name.endswith(".weight")]
    for spelling in ("kohya, ldm names", "kohya, diffusers names", "diffusers"):
        made = synthetic_lora(family, structure, "full difference", spelling, unet=unet, text=())
        check_whole(read(header(made.shapes), structure), {(0, path) for path in unet})


@pytest.mark.parametrize(
    ("spelled", "network"),
    [
        ("unet.base_model.model.mid_block.attentions.0.proj_in.lora_{}.my-style.weight", 0),
        ("base_model.model.mid_block.attentions.0.proj_in.lora_{}.default_0.weight", 0),
        ("lora_unet.mid_block.attentions.0.proj_in.lora_{}.weight", 0),
        ("base_model.model.text_model.encoder.layers.0.mlp.fc1.lora_{}.weight", 1),
        ("text_encoder.base_model.model.text_model.encoder.layers.0.mlp.fc1.lora_{}.weight", 1),
        ("text_encoder.encoder.layers.0.mlp.fc1.lora_{}.weight", 1),
        ("lora_te1.text_model.encoder.layers.0.mlp.fc1.lora_{}.weight", 1),
    ],
)
def test_rarer_prefixes_and_names_of_adapters_are_understood(sd15: Structure, spelled: str, network: int) -> None:
    outputs, inputs = (3072, 768) if network else (1280, 1280)
    (change,) = read(header({spelled.format("B"): (outputs, 4), spelled.format("A"): (4, inputs)}), sd15).changes
    assert change.layer[0] == network


def test_norms_and_biases_have_their_place(sd15: Structure) -> None:
    norm = "lora_unet_down_blocks_0_resnets_0_norm1"
    reading = read(header({f"{norm}.w_norm": (320,), f"{norm}.b_norm": (320,), "diffusion_model.out.0.diff": (320,)}), sd15)
    assert reading.note == ""
    norms = ["down_blocks.0.resnets.0.norm1.bias", "down_blocks.0.resnets.0.norm1.weight", "conv_norm_out.weight"]
    assert sorted(change.name for change in reading.changes) == sorted(norms)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (pair("lora_unet_nowhere", 320, 320), "used 1 of 2 layers; lora_unet_nowhere has no place here"),
        (
            {key: shape for n in range(5) for key, shape in pair(f"lora_unet_no_{n}", 320, 320).items()},
            "used 1 of 6 layers; lora_unet_no_0, lora_unet_no_1, lora_unet_no_2 and 2 more have no place here",
        ),
        (pair("lora_unet_conv_in", 320, 5), "lora_unet_conv_in (320 x 5; 320 x 4 x 3 x 3) has another size here"),
        ({"lora_unet_conv_out.lora_up.weight": (4, 4)}, "lora_unet_conv_out (lora_up.weight) has parts that make no change"),
        (pair("lora_unet_conv_out", 4, 320 * 9, rank=0), "lora_unet_conv_out has no values (rank 0)"),
        ({"something.else": (3,)}, "used 1 of 1 layers; something.else has no place here"),
        ({f"{LAYER}.scalar": ()}, f"{LAYER}.scalar has no place here"),
        ({f"{LAYER}.rescale": (1280,)}, f"{LAYER} (rescale) has parts that make no change of a known kind"),
    ],
)  # fmt: skip
def test_what_has_no_place_is_said_and_the_rest_is_used(sd15: Structure, more: Shapes, said: str) -> None:
    reading = read(header({**pair(LAYER, 1280, 1280), **more}), sd15)
    assert said in reading.note
    assert reading.problem == ""
    assert [change.name for change in reading.changes] == ["mid_block.attentions.0.proj_in.weight"]


@pytest.mark.parametrize(
    ("shapes", "problem"),
    [
        (pair("lora_unet_nowhere", 1, 1), "no place for any of its layers: lora_unet_nowhere"),
        (pair(LAYER, 640, 640), f"its layers have other sizes than this model's: {LAYER} (640 x 640; 1280 x 1280 x 1 x 1)"),
        (pair(LAYER, 1280, 1280, rank=0), "it is empty: its tensors hold no values (rank 0)"),
        ({f"{LAYER}.lora_up.weight": (1280, 4)}, f"its layers are incomplete: {LAYER} (lora_up.weight)"),
        ({f"{LAYER}.lora_up.weight": (1280, 4), f"{LAYER}.lora_down.weight": (5, 1280)}, "do not belong together"),
        ({f"{LAYER}.hada_w1_a": (2, 2)}, "incomplete"),
        ({f"{LAYER}.oft_R.weight": (4, 28)}, f"its layers are incomplete: {LAYER} (oft_R.weight)"),
        ({f"{LAYER}.vera_lambda_b": (1280,)}, f"its layers are incomplete: {LAYER} (vera_lambda_b)"),
        ({}, "it has no tensors"),
    ],
)  # fmt: skip
def test_where_nothing_fits_the_true_reason_is_said(sd15: Structure, shapes: Shapes, problem: str) -> None:
    reading = read(header(shapes), sd15)
    assert problem in reading.problem
    assert reading.changes == []


def test_a_magnitude_of_another_length_is_a_misfit(sd15: Structure) -> None:
    reading = read(header({**pair(LAYER, 1280, 1280), f"{LAYER}.dora_scale": (77, 1)}), sd15)
    assert "other sizes" in reading.problem


def test_embeddings_that_were_trained_together_are_no_layers(sd15: Structure) -> None:
    reading = read(header({**pair(LAYER, 1280, 1280), "bundle_emb.my cat.string_to_param.*": (4, 768)}), sd15)
    assert reading.note == ""
    assert reading.embeddings == {"my cat": {"string_to_param.*": "bundle_emb.my cat.string_to_param.*"}}


def test_a_token_embedding_is_changed_as_its_layer_sees_it(sd15: Structure) -> None:
    kohya = pair("lora_te_text_model_embeddings_token_embedding", 768, 49408)
    name = "text_encoder.text_model.embeddings.token_embedding.lora_embedding"
    for shapes in (kohya, {f"{name}_A": (4, 49408), f"{name}_B": (768, 4)}):
        (change,) = read(header(shapes), sd15).changes
        assert change.transposed
        assert change.name == "embeddings.token_embedding.weight"


@pytest.mark.parametrize(
    ("config", "scale"),
    [
        ({"lora_alpha": 16, "r": 4}, 4.0),
        ({"lora_alpha": 16, "r": 4, "use_rslora": True}, 8.0),
        ({"lora_alpha": 16, "alpha_pattern": {"attentions.0.proj_in": 2}}, 0.5),
        ({"lora_alpha": 16, "r": 8, "rank_pattern": {"proj_in": 4}}, 4.0),
        ({"lora_alpha": "much"}, None),
        ({}, None),
    ],
)
def test_scales_that_only_a_configuration_says_are_heeded(sd15: Structure, config: dict[str, Any], scale: float | None) -> None:
    layer = "unet.mid_block.attentions.0.proj_in"
    shapes = {f"{layer}.lora_A.weight": (4, 1280), f"{layer}.lora_B.weight": (1280, 4)}
    noted = json.dumps({f"unet.{key}": value for key, value in config.items()})
    assert read(header(shapes, lora_adapter_metadata=noted), sd15).changes[0].scale == scale
    assert read(header(shapes), sd15, config).changes[0].scale == scale
    with_tensor = {**shapes, f"{layer}.alpha": ()}
    assert read(header(with_tensor, lora_adapter_metadata=noted), sd15).changes[0].scale is None
    assert read(header(shapes, lora_adapter_metadata="{damaged"), sd15).changes[0].scale is None


def test_pefts_alpha_of_a_loha_has_another_name(sd15: Structure) -> None:
    sides = {"a": (1280, 4), "b": (4, 1280)}
    layer = "base_model.model.mid_block.attentions.0.proj_in"
    shapes = {f"{layer}.hada_w{n}_{ab}": sides[ab] for n in "12" for ab in "ab"}
    assert read(header(shapes), sd15, {"alpha": 8, "r": 4}).changes[0].scale == 2.0
