"""Opening base models from files and folders: the very tensors that were written come back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.models.checkpoints import open_components, open_vae
from acetate.engine.models.components import Components
from acetate.engine.values.errors import ModelBroken, ModelMissing
from safetensors.torch import load_file, save_file
from torch import nn


def same(network: nn.Module, original: nn.Module, dtype: torch.dtype = torch.float32) -> bool:
    mine, theirs = network.state_dict(), original.state_dict()
    return mine.keys() == theirs.keys() and all(
        mine[key].dtype == dtype and torch.equal(mine[key], theirs[key].to(dtype)) for key in mine
    )


def same_model(components: Components, tiny: Any, dtype: torch.dtype = torch.float32) -> bool:
    pairs = [(components.unet, tiny.unet), (components.vae, tiny.vae)]
    pairs += zip(components.text_encoders, tiny.text_encoders, strict=True)
    return all(same(network, original, dtype) for network, original in pairs)


def test_a_single_file_gives_every_tensor_back(tiny: Any, tmp_path: Path) -> None:
    path = tiny.write_file(tmp_path / "model.safetensors")
    components = open_components(path, configs=tiny.write_configs(tmp_path / "configs"))
    assert components.family.name == tiny.family
    assert same_model(components, tiny)
    networks = [components.unet, components.vae, *components.text_encoders]
    assert not any(network.training or any(p.requires_grad for p in network.parameters()) for network in networks)
    assert components.scheduler_config["beta_schedule"] == "scaled_linear"
    assert components.vae.config.scaling_factor == (0.13025 if tiny.family == "sdxl" else 0.18215)
    assert components.unet.config.in_channels == 4


@pytest.mark.parametrize("variant", [None, "fp16"])
def test_a_folder_gives_every_tensor_back(tiny: Any, tmp_path: Path, variant: str | None) -> None:
    components = open_components(tiny.write_folder(tmp_path / "model", variant), BASE_FAMILIES[tiny.family])
    assert same_model(components, tiny)
    assert [tokenizer.pad_token for tokenizer in components.tokenizers] == ["<|endoftext|>", "!"][: len(tiny.text_encoders)]


def test_file_and_folder_read_prompts_alike(tiny: Any, tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "folder")
    file = tiny.write_file(tmp_path / "model.safetensors")
    prompts = ["a (red:1.2) apple, isn't it? " * 12, ""]
    texts = [c.prompt_encoder().encode(prompts) for c in (open_components(folder), open_components(file, configs=folder))]
    assert texts[0].embeds.shape == (2, 2 * 77, 40 if tiny.family == "sdxl" else 24)
    assert torch.equal(texts[0].embeds, texts[1].embeds)
    if tiny.family == "sdxl":
        assert torch.equal(texts[0].pooled, texts[1].pooled)
    else:
        assert texts[0].pooled is texts[1].pooled is None


def test_an_opened_model_runs(tiny: Any, tmp_path: Path) -> None:
    components = open_components(tiny.write_file(tmp_path / "m.safetensors"), configs=tiny.write_configs(tmp_path / "configs"))
    text = components.prompt_encoder().encode(["cat"])
    added = None if text.pooled is None else {"text_embeds": text.pooled, "time_ids": torch.ones(1, 6)}
    latents = torch.randn(1, 4, 8, 8)
    with torch.no_grad():
        opened = components.unet(latents, 500, text.embeds, added_cond_kwargs=added).sample
        original = tiny.unet.eval()(latents, 500, text.embeds, added_cond_kwargs=added).sample
        pixels = components.vae.decode(latents).sample
    torch.testing.assert_close(opened, original, atol=1e-5, rtol=0)  # mapped tensors are aligned differently
    assert pixels.shape == (1, 3, 64, 64)


@pytest.mark.parametrize("stored", [torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn])
def test_every_stored_type_is_cast_to_the_one_asked_for(tiny_sd15: Any, tmp_path: Path, stored: torch.dtype) -> None:
    path, configs = tiny_sd15.write_file(tmp_path / "m.safetensors", stored), tiny_sd15.write_configs(tmp_path / "configs")
    opened = open_components(path, BASE_FAMILIES["sd15"], torch.float16, configs=configs)
    assert {p.dtype for p in opened.unet.parameters()} == {torch.float16}
    assert {p.dtype for p in opened.text_encoders[0].parameters()} == {torch.float16}
    assert {p.dtype for p in opened.vae.parameters()} == {torch.float32}, "SDXL's VAE overflows in fp16"
    weight = tiny_sd15.unet.conv_in.weight
    assert torch.equal(opened.unet.conv_in.weight, weight.to(stored).to(torch.float16))
    opened = open_components(path, BASE_FAMILIES["sd15"], torch.bfloat16, vae_dtype=torch.float16, configs=configs)
    assert {p.dtype for p in opened.vae.parameters()} == {torch.float16}


def test_a_checkpoint_without_vae_takes_one_from_another_file(tiny: Any, tmp_path: Path) -> None:
    path = tiny.write_file(tmp_path / "model.safetensors", vae=False)
    configs = tiny.write_configs(tmp_path / "configs")
    with pytest.raises(ModelMissing, match=r"model\.safetensors has no VAE inside"):
        open_components(path, configs=configs)
    contiguous = {key: tensor.contiguous() for key, tensor in tiny.vae_tensors().items()}
    save_file(contiguous, tmp_path / "ldm.safetensors")
    save_file({f"first_stage_model.{key}": tensor for key, tensor in contiguous.items()}, tmp_path / "prefixed.safetensors")
    tiny.vae.save_pretrained(tmp_path / "diffusers")
    old = load_file(tmp_path / "diffusers" / "diffusion_pytorch_model.safetensors")
    names = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}
    for new_name, old_name in names.items():
        old = {key.replace(new_name, old_name): tensor for key, tensor in old.items()}
    save_file(old, tmp_path / "old.safetensors")
    whole = tiny.write_file(tmp_path / "whole.safetensors")
    for vae in (
        "ldm.safetensors",
        "prefixed.safetensors",
        "diffusers/diffusion_pytorch_model.safetensors",
        "old.safetensors",
        whole,
    ):
        assert same(open_vae(tmp_path / vae, torch.float32, configs), tiny.vae)
    assert same_model(open_components(path, vae=tmp_path / "ldm.safetensors", configs=configs), tiny)


def test_a_vae_file_replaces_a_folders_own(tiny_sd15: Any, tmp_path: Path) -> None:
    folder = tiny_sd15.write_folder(tmp_path / "model")
    other = {key: tensor.contiguous() + 1 for key, tensor in tiny_sd15.vae_tensors().items()}
    save_file(other, tmp_path / "vae.safetensors")
    opened = open_components(folder, vae=tmp_path / "vae.safetensors")
    torch.testing.assert_close(opened.vae.decoder.conv_in.weight, tiny_sd15.vae.decoder.conv_in.weight + 1)
    with pytest.raises(ModelBroken, match=r"m\.safetensors is an SD 1.5 checkpoint; a VAE is needed"):
        open_components(folder, vae=tiny_sd15.write_file(tmp_path / "m.safetensors", vae=False))


def test_shapes_that_are_met_in_the_wild(tiny_sd15: Any, tiny_sdxl: Any, tmp_path: Path) -> None:
    """EMA copies, schedule constants, old text encoder names, linear `proj_in`, a projection that is not transposed."""
    tensors = tiny_sd15.ldm_tensors()
    for key in list(tensors):
        if ".text_model." in key:
            tensors[key.replace(".text_model.", ".")] = tensors.pop(key)
        elif key.endswith(("proj_in.weight", "proj_out.weight")) and "diffusion_model" in key:
            tensors[key] = tensors[key].flatten(1)
    tensors |= {"model_ema.decay": torch.ones(()), "model_ema.diffusion_modelout2bias": torch.ones(4)}
    tensors |= {"betas": torch.ones(1000), "cond_stage_model.logit_scale": torch.ones(())}
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, tmp_path / "old.safetensors")
    assert same_model(open_components(tmp_path / "old.safetensors", configs=tiny_sd15.write_configs(tmp_path / "15")), tiny_sd15)

    tensors = tiny_sdxl.ldm_tensors()
    projection = tensors.pop("conditioner.embedders.1.model.text_projection")
    tensors["conditioner.embedders.1.model.text_projection.weight"] = projection.T
    tensors["denoiser.sigmas"] = torch.ones(1000)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, tmp_path / "xl.safetensors")
    assert same_model(open_components(tmp_path / "xl.safetensors", configs=tiny_sdxl.write_configs(tmp_path / "xl")), tiny_sdxl)


def test_incomplete_files_name_what_is_missing(tiny_sdxl: Any, tmp_path: Path) -> None:
    configs, tensors = tiny_sdxl.write_configs(tmp_path / "configs"), tiny_sdxl.ldm_tensors()

    def message(without: str, extra: dict[str, torch.Tensor]) -> str:
        kept = {key: tensor.contiguous() for key, tensor in tensors.items() if without not in key}
        save_file(kept | extra, tmp_path / "broken.safetensors")
        with pytest.raises(ModelBroken) as caught:
            open_components(tmp_path / "broken.safetensors", configs=configs)
        return str(caught.value)

    assert "the UNet of broken.safetensors lacks 1 of its 1680 tensors: conv_out.bias" in message("out.2.bias", {})
    assert "the VAE of broken.safetensors lacks 1 of" in message("decoder.conv_out.bias", {})
    assert "the second text encoder of broken.safetensors lacks 1 of" in message("1.model.text_projection", {})
    wide = {"model.diffusion_model.out.2.bias": torch.ones(9)}
    assert "conv_out.bias is (9,) instead of (4,)" in message("out.2.bias", wide)


def test_a_model_of_the_other_family_is_refused(tiny: Any, tmp_path: Path) -> None:
    other = "sd15" if tiny.family == "sdxl" else "sdxl"
    for path in (tiny.write_file(tmp_path / "m.safetensors"), tiny.write_folder(tmp_path / "folder")):
        with pytest.raises(ModelBroken, match="is a model of family .*; .* is needed"):
            open_components(path, BASE_FAMILIES[other])
    with pytest.raises(ModelMissing, match="nowhere does not exist"):
        open_components(tmp_path / "nowhere")


def test_folders_of_other_models_are_refused_by_name(tiny_sd15: Any, tmp_path: Path) -> None:
    folder = tiny_sd15.write_folder(tmp_path / "model")

    def message(file: str, **changes: object) -> str:
        path = folder / file
        before = path.read_text()
        path.write_text(json.dumps(json.loads(before) | changes))
        with pytest.raises(ModelBroken) as caught:
            open_components(folder)
        path.write_text(before)
        return str(caught.value)

    scheduler = "scheduler/scheduler_config.json"
    assert "it predicts sample" in message(scheduler, prediction_type="sample")
    assert "EDM's preconditioning with sigma_data 0.5" in message(scheduler, sigma_data=0.5)
    assert "an inpainting model" in message("unet/config.json", in_channels=9)
    assert "an SD 2 model" in message("unet/config.json", cross_attention_dim=1024)
    assert "a model for diffusers' FluxPipeline" in message("model_index.json", _class_name="FluxPipeline")
    assert "StableDiffusion3Pipeline" in message("model_index.json", _class_name="StableDiffusion3Pipeline")
    assert "the SDXL refiner" in message_without(folder, "text_encoder", unet={"addition_embed_type": "text_time"})


def message_without(folder: Path, part: str, unet: dict[str, object]) -> str:
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | unet))
    (folder / part).rename(folder / f"no_{part}")
    with pytest.raises(ModelBroken) as caught:
        open_components(folder)
    return str(caught.value)
