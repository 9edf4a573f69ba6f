"""What files are, from their headers; no weight is read, as the files here have none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from acetate.engine.files.headers import Header
from acetate.engine.files.recognition import Kind, base_family, kind_of, recognise
from acetate.engine.values.errors import ModelBroken

Shapes = Mapping[str, tuple[int, ...]]


def kind(shapes: Shapes, name: str = "", **metadata: str) -> Kind:
    return kind_of(Header({k: {"dtype": "F16", "shape": list(shape)} for k, shape in shapes.items()}, metadata, 0), name)


@pytest.fixture(scope="module")
def unets(golden: Path) -> dict[str, dict[str, tuple[int, ...]]]:
    """Real keys and shapes of both UNets, under their names in checkpoints."""
    found = {}
    for family in ("sd15", "sdxl"):
        rows = [line.split("\t") for line in (golden / f"keys/{family}_unet_ldm_to_diffusers.tsv").read_text().splitlines()]
        shapes = {ldm: tuple(int(n) for n in re.findall(r"\d+", shape)) for ldm, _, shape in rows}
        found[family] = {f"model.diffusion_model.{key}": shape for key, shape in shapes.items()}
    return found


def lora(layer: str, outputs: int, inputs: int, prefix: str = "lora_") -> Shapes:
    return {f"{layer}.{prefix}up.weight": (outputs, 8), f"{layer}.{prefix}down.weight": (8, inputs)}


def peft(layer: str, outputs: int, inputs: int) -> Shapes:
    return {f"{layer}.lora_B.weight": (outputs, 8), f"{layer}.lora_A.weight": (8, inputs)}


TEXT: dict[str, Shapes] = {
    "sd15": {"cond_stage_model.transformer.text_model.final_layer_norm.bias": (768,)},
    "sdxl": {
        "conditioner.embedders.0.transformer.text_model.final_layer_norm.bias": (768,),
        "conditioner.embedders.1.model.ln_final.bias": (1280,),
    },
}
VAE = {"first_stage_model.encoder.conv_in.weight": (128, 3, 3, 3)}
INPUT = "model.diffusion_model.input_blocks.0.0.weight"


@pytest.mark.parametrize(("family", "what"), [("sd15", "an SD 1.5 checkpoint"), ("sdxl", "an SDXL checkpoint")])
def test_base_models_are_told_apart(unets: dict[str, Shapes], family: str, what: str) -> None:
    assert kind({**unets[family], **TEXT[family], **VAE}) == Kind("checkpoint", family, what, has_vae=True)  # type: ignore[arg-type]
    assert kind({**unets[family], **TEXT[family]}) == Kind("checkpoint", family, what)  # type: ignore[arg-type]


def test_tiny_models_with_real_keys_are_recognised(tiny: Any, tmp_path: Path) -> None:
    path = tiny.write_file(tmp_path / "m.safetensors")
    assert base_family(path).name == tiny.family
    assert recognise(path).has_vae
    assert recognise(tiny.write_folder(tmp_path / "folder")).family == tiny.family


def test_checkpoints_that_layerdiffuse_does_not_fit_are_named(unets: dict[str, Shapes]) -> None:
    sd15, sdxl = {**unets["sd15"], **TEXT["sd15"]}, {**unets["sdxl"], **TEXT["sdxl"]}

    def what(shapes: Shapes, name: str = "", **metadata: str) -> str:
        found = kind(shapes, name, **metadata)
        assert found.role == "checkpoint"
        assert found.problem
        return found.what

    context = {key: (shape[0], 1024) if "attn2.to_k" in key else shape for key, shape in sd15.items()}
    shallow = {key: shape for key, shape in sdxl.items() if not re.search(r"middle.*blocks\.[4-9]\.", key)}
    assert what({**sd15, INPUT: (320, 9, 3, 3)}) == "an inpainting checkpoint"
    assert what({**sdxl, INPUT: (320, 9, 3, 3)}) == "an inpainting checkpoint"
    assert what({**sd15, INPUT: (320, 8, 3, 3)}) == "an InstructPix2Pix checkpoint"
    assert what({**sd15, INPUT: (320, 5, 3, 3)}) == "a depth-conditioned SD 2 checkpoint"
    assert what({**sd15, INPUT: (320, 16, 3, 3)}) == "a checkpoint with 16 input channels"
    assert what({**sd15, "model.diffusion_model.label_emb.weight": (1000, 1280)}) == "the SD 2 upscaler"
    assert what(context) == "an SD 2 checkpoint"
    assert what({**unets["sd15"], "cond_stage_model.model.ln_final.weight": (1024,)}) == "an SD 2 checkpoint"
    assert what(shallow) == "the SDXL refiner"
    assert what({k: s for k, s in shallow.items() if "middle_block.1" not in k}) == "a reduced SDXL model such as SSD-1B"
    assert what({**sdxl, "edm_mean": (4,)}) == "a Playground v2.5 checkpoint"


def test_a_stray_tensor_of_another_text_encoder_makes_no_other_model(unets: dict[str, Shapes]) -> None:
    found = kind({**unets["sd15"], **TEXT["sd15"], "cond_stage_model.model.stray": (1,)})
    assert (found.what, found.problem) == ("an SD 1.5 checkpoint", "")


def test_a_unet_alone_is_a_checkpoint_that_needs_other_files(unets: dict[str, Shapes]) -> None:
    for family, title in (("sdxl", "an SDXL"), ("sd15", "an SD 1.5")):
        found = kind(unets[family])
        assert (found.what, found.has_text, found.problem) == (f"{title} checkpoint without text encoders", False, "")


@pytest.mark.parametrize(("width", "name"), [(768, "CLIP L"), (1280, "CLIP G")])
def test_text_encoders_are_told_apart_by_their_width(width: int, name: str) -> None:
    found = kind({"text_model.encoder.layers.0.mlp.fc1.weight": (4 * width, width)})
    assert (found.role, found.what, found.problem) == ("text-encoder", f"the text encoder {name}", "")
    assert kind({"transformer.resblocks.0.mlp.c_fc.weight": (4 * width, width)}) == found


def test_distilled_models_come_with_a_caution(unets: dict[str, Shapes]) -> None:
    found = kind({**unets["sdxl"], **TEXT["sdxl"]}, "dreamshaperXL_lightning")
    assert "poor transparency" in found.caution
    assert not found.problem


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("model.diffusion_model.double_blocks.0.img_attn.qkv.weight", "a Flux or Hunyuan model"),
        ("double_blocks.0.img_attn.qkv.weight", "a Flux or Hunyuan model"),
        ("model.diffusion_model.joint_blocks.0.x_block.attn.qkv.weight", "a Stable Diffusion 3 model"),
        ("control_model.input_hint_block.0.weight", "a ControlNet"),
        ("ip_adapter.1.to_k_ip.weight", "an IP-Adapter"),
        ("text_model.encoder.layers.0.mlp.fc1.weight", "a text encoder"),
        ("down_blocks.0.resnets.0.conv1.weight", "a UNet or another part of a diffusers folder"),
        ("input_blocks.0.0.weight", "a UNet without text encoders"),
        ("mystery", "a file of unknown kind"),
    ],
)
def test_other_files_are_named(key: str, what: str) -> None:
    found = kind({key: (4, 4)})
    assert (found.role, found.what) == ("other", what)
    assert found.problem


@pytest.mark.parametrize(
    ("shapes", "role", "family"),
    [
        ({"diffusion_model.out.2.bias::diff::0": (4,)}, "layerdiffuse", "sdxl"),
        ({"hookers.layers.0.to_q_lora.0.down.weight": (256, 320)}, "layerdiffuse", "sd15"),
        ({"latent_conv_in.weight": (64, 4, 1, 1), "conv_in.weight": (32, 3, 3, 3)}, "layerdiffuse", None),
        ({"blocks.0.weight": (32, 4, 3, 3), "blocks.16.weight": (4, 256, 3, 3)}, "layerdiffuse", None),
        ({"encoder.conv_in.weight": (128, 3, 3, 3), "decoder.conv_in.weight": (512, 4, 3, 3),
          "encoder.down.0.block.0.conv1.weight": (1, 1)}, "vae", None),
        ({"model.1.sub.0.RDB1.conv1.0.weight": (32, 64, 3, 3), "model.0.weight": (64, 3, 3, 3)}, "upscaler", None),
        ({"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)}, "upscaler", None),
        (lora("lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k", 640, 2048), "lora", "sdxl"),
        (lora("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 320, 768), "lora", "sd15"),
        (peft("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", 640, 2048), "lora", "sdxl"),
        (lora("unet.mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora", 1280, 768, ""), "lora", "sd15"),
        (lora("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", 320, 1024), "lora", None),
        (lora("lora_te2_text_model_encoder_layers_0_mlp_fc1", 5120, 1280), "lora", "sdxl"),
        (lora("lora_te_text_model_encoder_layers_0_mlp_fc1", 3072, 768), "lora", "sd15"),
        (lora("lora_te1_text_model_encoder_layers_0_mlp_fc1", 3072, 768), "lora", "sdxl"),
        (lora("lora_unet_double_blocks_0_img_attn_proj", 3072, 3072), "lora", None),
        (peft("transformer.single_transformer_blocks.0.attn.to_k", 3072, 3072), "lora", None),
    ],
)  # fmt: skip
def test_weights_that_go_with_a_base_model(shapes: Shapes, role: str, family: str | None) -> None:
    found = kind(shapes)
    assert (found.role, found.family) == (role, family)
    assert bool(found.problem) == (role == "lora" and family is None)


def test_refusals_say_what_the_file_is(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"\x80\x02")
    with pytest.raises(ModelBroken, match=r"model\.ckpt is not a \.safetensors file; .* run code"):
        base_family(tmp_path / "model.ckpt")
