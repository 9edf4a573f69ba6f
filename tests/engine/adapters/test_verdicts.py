"""What a LoRA or an embedding is called in a listing, and why it cannot be used where it cannot."""

from __future__ import annotations

import pytest
from acetate.engine.adapters.verdicts import Verdict, line_caution, of_embedding, of_lora
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.families.structure import Shape
from acetate.engine.files.headers import Header
from acetate.engine.files.structures import structure_of

from .synthetic_loras import KINDS, SPELLINGS, synthetic_lora

Shapes = dict[str, Shape]
STRUCTURES = {family.name: structure_of(family) for family in BASE_FAMILIES.values()}
ONLY = "only LoRAs for SD 1.5 and SDXL can be used"


def header(shapes: Shapes, **metadata: str) -> Header:
    return Header({key: {"dtype": "F16", "shape": list(shape)} for key, shape in shapes.items()}, metadata, 0)


def pair(layer: str, outputs: int, inputs: int) -> Shapes:
    return {f"{layer}.lora_up.weight": (outputs, 4), f"{layer}.lora_down.weight": (4, inputs)}


def lora(shapes: Shapes, **metadata: str) -> Verdict:
    verdict = of_lora(header(shapes, **metadata), STRUCTURES)
    assert verdict is not None
    return verdict


@pytest.mark.parametrize("family", BASE_FAMILIES)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_family_is_told_from_every_kind_and_spelling(family: str, spelling: str, kind: str) -> None:
    structure = STRUCTURES[BASE_FAMILIES[family].name]
    verdict = lora(synthetic_lora(family, structure, kind, spelling).shapes)
    assert (verdict.family, verdict.problem, verdict.caution) == (family, "", "")
    assert verdict.what.startswith(f"a LoRA for {BASE_FAMILIES[family].title}")


def test_kinds_and_embeddings_are_named() -> None:
    sides = {"a": (1280, 4), "b": (4, 1280)}
    loha = {f"lora_unet_mid_block_attentions_0_proj_in.hada_w{n}_{ab}": sides[ab] for n in "12" for ab in "ab"}
    magnitudes = {"lora_unet_mid_block_attentions_0_proj_in.dora_scale": (1280, 1)}
    text = pair("lora_te_text_model_encoder_layers_0_mlp_fc1", 3072, 768)
    assert lora({**loha, **magnitudes, **text}).what == "a LoRA for SD 1.5 (LoHa, LoRA, DoRA)"
    bundled = {"bundle_emb.cat.clip_l": (2, 768), "bundle_emb.cat.clip_g": (2, 1280)}
    both = {**pair("lora_te2_text_model_encoder_layers_0_mlp_fc1", 5120, 1280), **bundled}
    assert lora(both).what == "a LoRA for SDXL with the embedding 'cat', 2 vectors"


@pytest.mark.parametrize(
    ("embedding", "said"),
    [
        ({"bundle_emb.cat.clip_l": (2, 768)}, "its vectors have width 768; this model's text encoders have 768 and 1280"),
        ({"bundle_emb.cat.t5": (2, 4096)}, "it is of no known kind"),
    ],
)
def test_an_embedding_inside_that_the_model_cannot_read_is_said_beside_the_lora(embedding: Shapes, said: str) -> None:
    verdict = lora({**pair("lora_te2_text_model_encoder_layers_0_mlp_fc1", 5120, 1280), **embedding})
    assert (verdict.what, verdict.problem) == ("a LoRA for SDXL", "")
    assert verdict.caution == f"its embedding 'cat' cannot be used: {said}"


@pytest.mark.parametrize(
    ("shapes", "what"),
    [
        (pair("lora_unet_double_blocks_0_img_attn_qkv", 9216, 3072), "Flux or Hunyuan Video"),
        (pair("diffusion_model.double_blocks.0.img_attn.qkv", 9216, 3072), "Flux"),
        (pair("transformer.single_transformer_blocks.0.attn.to_q", 3072, 3072), "Flux"),
        (pair("lora_unet_joint_blocks_0_x_block_attn_qkv", 1536, 1536), "Stable Diffusion 3"),
        (pair("transformer.transformer_blocks.0.attn.add_q_proj", 1536, 1536), "Stable Diffusion 3 or Qwen-Image"),
        (pair("diffusion_model.blocks.0.self_attn.q", 5120, 5120), "Wan"),
        (pair("lora_prior_unet_down_blocks_0_1_attention", 2048, 2048), "Stable Cascade"),
        (pair("lora_te3_encoder_block_0_layer_0_SelfAttention_q", 4096, 4096), "Stable Diffusion 3 or Flux"),
        (pair("diffusion_model.layers.0.attention.qkv", 3840, 3840), "Lumina or Z-Image"),
        (pair("lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k", 320, 1024), "SD 2"),
        (pair("lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_v", 640, 1280), "the SDXL refiner"),
        (pair("something.unheard_of", 320, 1024), "another kind of model"),
    ],
)
def test_loras_for_other_architectures_say_which(shapes: Shapes, what: str) -> None:
    assert lora(shapes) == Verdict(None, f"a LoRA for {what}", ONLY)


def test_an_sd_2_lora_is_told_by_the_text_that_it_reads_whatever_else_fits() -> None:
    layer = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn"
    shapes = {**pair(f"{layer}1_to_q", 320, 320), **pair(f"{layer}1_to_k", 320, 320), **pair(f"{layer}2_to_k", 320, 1024)}
    assert lora(shapes) == Verdict(None, "a LoRA for SD 2", ONLY)


@pytest.mark.parametrize(
    ("architecture", "what"),
    [("flux-1-dev/lora", "Flux"), ("wan2.1", "Wan"), ("stable-diffusion-v2-768-v/lora", "SD 2"), ("hunyuan-video", "Hunyuan")],
)
def test_metadata_tell_the_architecture_where_keys_do_not(architecture: str, what: str) -> None:
    shapes = pair("lora_unet_double_blocks_0_img_attn_qkv", 3, 3)
    assert lora(shapes, **{"modelspec.architecture": architecture}).what == f"a LoRA for {what}"


@pytest.mark.parametrize(
    ("layer", "metadata", "family"),
    [
        ("lora_te_text_model_encoder_layers_3_mlp_fc1", {}, "sd15"),
        ("lora_te1_text_model_encoder_layers_3_mlp_fc1", {}, "sdxl"),
        ("text_encoder.text_model.encoder.layers.3.mlp.fc1", {}, None),
        ("text_encoder.text_model.encoder.layers.3.mlp.fc1", {"ss_base_model_version": "sdxl_base_v1-0"}, "sdxl"),
        ("text_encoder.text_model.encoder.layers.3.mlp.fc1", {"modelspec.architecture": "stable-diffusion-v1/lora"}, "sd15"),
    ],
)
def test_what_fits_both_families_is_told_by_spelling_or_metadata(
    layer: str, metadata: dict[str, str], family: str | None
) -> None:
    verdict = lora(pair(layer, 3072, 768), **metadata)
    assert (verdict.family, verdict.problem) == (family, "")
    assert verdict.what == f"a LoRA for {BASE_FAMILIES[family].title if family else 'SD 1.5 or SDXL'}"


def test_what_is_left_out_is_a_caution() -> None:
    shapes = {**pair("lora_te_text_model_encoder_layers_3_mlp_fc1", 3072, 768), **pair("lora_unet_nowhere", 3, 3)}
    assert lora(shapes).caution == "used 1 of 2 layers; lora_unet_nowhere has no place here"


@pytest.mark.parametrize(
    ("metadata", "line"),
    [
        ({"ss_sd_model_name": "ponyDiffusionV6XL_v6StartWithThisOne.safetensors"}, "Pony"),
        ({"ss_base_model_version": "illustrious"}, "Illustrious"),
        ({"ss_sd_model_name": "noobaiXLNAIXL_epsilonPred11.safetensors"}, "NoobAI"),
        ({"ss_sd_model_name": "sd_xl_base_1.0.safetensors"}, ""),
    ],
)
def test_a_line_of_retrained_models_is_named_unless_the_checkpoint_is_of_it(metadata: dict[str, str], line: str) -> None:
    shapes = pair("lora_te2_text_model_encoder_layers_0_mlp_fc1", 5120, 1280)
    caution = f"it was made with {line}: other checkpoints than those of that line may not follow it" if line else ""
    assert lora(shapes, **metadata).caution == caution
    assert line_caution(header(shapes, **metadata), "juggernautXL") == caution
    assert line_caution(header(shapes, **metadata), f"my{line}XL_v2") == ""


def test_files_without_a_change_say_why() -> None:
    layer = "lora_te_text_model_encoder_layers_0_mlp_fc1"
    assert lora({f"{layer}.lora_up.weight": (3072, 0), f"{layer}.lora_down.weight": (0, 768)}).problem.startswith("it is empty")
    assert lora({f"{layer}.lora_up.weight": (3072, 4)}).problem.startswith("its layers are incomplete")
    layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn2_to_k"
    assert lora({f"{layer}.oft_blocks": (4, 8, 8)}).problem.startswith("its layers have other sizes than this model's")
    control = {"lora_controlnet": (0,), "input_blocks.0.0.up": (320, 4), "time_embed.0.lora_up.weight": (1, 1)}
    assert lora(control) == Verdict(None, "a Control-LoRA", "a Control-LoRA is not supported")
    assert "VeRA" in lora({f"unet.{layer}.vera_lambda_b": (1280,), f"unet.{layer}.vera_lambda_d": (4,)}).problem
    assert of_lora(header({"blocks.0.weight": (3, 3)}), STRUCTURES) is None


@pytest.mark.parametrize(
    ("shapes", "family", "what"),
    [
        ({"emb_params": (8, 768)}, "sd15", "an embedding for SD 1.5, 8 vectors"),
        ({"string_to_param.*": (1, 768)}, "sd15", "an embedding for SD 1.5, 1 vector"),
        ({"<my-cat>": (768,)}, "sd15", "an embedding for SD 1.5, 1 vector"),
        ({"clip_l": (4, 768), "clip_g": (4, 1280)}, "sdxl", "an embedding for SDXL, 4 vectors"),
        ({"text_encoders_0": (4, 768), "text_encoders_1": (4, 1280)}, "sdxl", "an embedding for SDXL, 4 vectors"),
        ({"emb_params": (8, 1024)}, None, "an embedding for SD 2"),
        ({"clip_g": (4, 1280)}, None, "a textual inversion embedding"),
        ({"clip_l": (4, 768), "clip_g": (2, 1280)}, None, "a textual inversion embedding"),
        ({"emb_params": (0, 768)}, None, "a textual inversion embedding"),
        ({"emb_params": (2, 3)}, None, "a textual inversion embedding"),
    ],
)
def test_embeddings_say_for_whom_and_how_many_vectors(shapes: Shapes, family: str | None, what: str) -> None:
    verdict = of_embedding(header(shapes), STRUCTURES)
    assert verdict is not None
    assert (verdict.family, verdict.what) == (family, what)
    assert bool(verdict.problem) == (family is None)


@pytest.mark.parametrize(
    "shapes", [{"mystery": (4, 4)}, {"a.weight": (4, 768)}, {"clip_l": (2, 2, 768)}, {"x": (768,), "y": (768,)}]
)
def test_other_files_are_no_embeddings(shapes: Shapes) -> None:
    assert of_embedding(header(shapes), STRUCTURES) is None
