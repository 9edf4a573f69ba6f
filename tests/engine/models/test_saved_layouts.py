"""Checkpoints as programs save them, each compared by numbers with the networks that it was made from."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine.files.recognition import recognise
from acetate.engine.models.checkpoints import open_components
from acetate.engine.values.errors import ModelBroken, ModelMissing
from safetensors.torch import save_file

from ..checkpoints.saved_layouts import SCALE, UNET, UNET_ALONE, WHOLE, Tensors, in_8_bit, write_gguf
from .test_checkpoints import same, same_model


@pytest.fixture
def configs(tiny: Any, tmp_path: Path) -> Path:
    folder: Path = tiny.write_configs(tmp_path / "configs")
    return folder


def saved(tensors: Tensors, path: Path) -> Path:
    save_file({key: tensor.clone(memory_format=torch.contiguous_format) for key, tensor in tensors.items()}, path)
    return path


@pytest.mark.parametrize("layout", WHOLE)
def test_every_layout_gives_every_tensor_back(tiny: Any, tmp_path: Path, configs: Path, layout: str) -> None:
    path = saved(WHOLE[layout](tiny), tmp_path / "model.safetensors")
    kind = recognise(path)
    assert (kind.family, kind.problem, kind.has_vae, kind.has_text) == (tiny.family, "", True, True)
    opened = open_components(path, configs=configs)
    assert same_model(opened, tiny)
    assert opened.notes == ()


@pytest.mark.parametrize("layout", UNET_ALONE)
def test_a_unet_alone_takes_the_rest_from_another_checkpoint(tiny: Any, tmp_path: Path, configs: Path, layout: str) -> None:
    path = saved(UNET_ALONE[layout](tiny), tmp_path / "unet.safetensors")
    whole = tiny.write_file(tmp_path / "whole.safetensors")
    kind = recognise(path)
    assert (kind.family, kind.problem, kind.has_vae, kind.has_text) == (tiny.family, "", False, False)
    opened = open_components(path, configs=configs, vae=whole, text=[whole] * len(tiny.text_encoders))
    assert same_model(opened, tiny)
    with pytest.raises(ModelMissing, match="has no text encoders inside"):
        open_components(path, configs=configs, vae=whole)


@pytest.mark.parametrize(("kind", "share"), [("Q8_0", 0.005), ("Q4_0", 0.13), ("BF16", 0.004)])
def test_a_gguf_is_the_network_that_it_was_made_from_within_its_quantisation(
    tiny: Any, tmp_path: Path, configs: Path, kind: str, share: float
) -> None:
    """`share` of a matrix's largest value is the most by which blocks of that type are off."""
    path = write_gguf(UNET_ALONE["UNet alone, bare names"](tiny), tmp_path / "unet.gguf", kind)
    whole = tiny.write_file(tmp_path / "whole.safetensors")
    found = recognise(path)
    assert (found.role, found.family, found.problem) == ("checkpoint", tiny.family, "")
    assert not found.has_vae
    assert not found.has_text
    opened = open_components(path, configs=configs, vae=whole, text=[whole] * len(tiny.text_encoders))
    apart, tensors = 0, opened.unet.state_dict()
    for key, tensor in tiny.unet.state_dict().items():
        error = (tensors[key] - tensor).abs().max()
        assert error <= share * tensor.abs().max(), key
        apart += bool(error)
    assert apart > 50  # it was quantised
    assert opened.notes == ()
    assert same(opened.vae, tiny.vae)


@pytest.mark.parametrize(
    ("key", "architecture", "what"),
    [
        ("double_blocks.0.img_attn.qkv.weight", "flux", "a Flux or Hunyuan model"),
        ("blk.0.attn_q.weight", "llama", "a GGUF file of the architecture 'llama'"),
    ],
)
def test_other_ggufs_say_in_the_listing_what_they_are(tmp_path: Path, key: str, architecture: str, what: str) -> None:
    kind = recognise(write_gguf({key: torch.ones(4, 64)}, tmp_path / "m.gguf", architecture=architecture))
    assert kind.what == what
    assert kind.problem


def test_a_gguf_in_blocks_that_nobody_reads_is_refused_in_the_words_of_the_job(tiny_sd15: Any, tmp_path: Path) -> None:
    path = write_gguf(UNET_ALONE["UNet alone, bare names"](tiny_sd15), tmp_path / "unet.gguf")
    whole = tiny_sd15.write_file(tmp_path / "whole.safetensors")
    stored, unread = (struct.pack("<IQQI", 2, 256, 4, number) for number in (8, 19))
    assert stored in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(stored, unread))
    assert "its weights are quantised to GGML IQ1_S" in recognise(path).problem
    with pytest.raises(ModelBroken) as refused:
        open_components(path, configs=tiny_sd15.write_configs(tmp_path / "c"), vae=whole, text=[whole])
    assert recognise(path).problem in str(refused.value)


def test_text_encoders_come_from_their_own_files(tiny: Any, tmp_path: Path, configs: Path) -> None:
    path = tiny.write_file(tmp_path / "model.safetensors", text=False)
    files = [saved(dict(e.state_dict()), tmp_path / f"clip_{i}.safetensors") for i, e in enumerate(tiny.text_encoders)]
    assert same_model(open_components(path, configs=configs, text=files), tiny)


@pytest.mark.parametrize("spelling", [".scale_weight", ".weight_scale"])
@pytest.mark.parametrize("only", ["", UNET, "cond"])
def test_weights_in_8_bit_are_multiplied_by_their_scale_also_those_of_text_encoders(
    tiny: Any, tmp_path: Path, configs: Path, spelling: str, only: str
) -> None:
    if len(tiny.text_encoders) > 1 and (spelling, only) != (".weight_scale", ""):
        return  # the larger family has nothing of its own here: once is enough
    path = saved(in_8_bit(tiny.ldm_tensors(), spelling, only), tmp_path / "m.safetensors")
    assert recognise(path).problem == ""
    opened = open_components(path, configs=configs)
    pairs = [(opened.unet, tiny.unet, UNET), (opened.text_encoders[0], tiny.text_encoders[0], "cond")]
    for network, original, prefix in pairs:
        for key, tensor in original.state_dict().items():
            narrow = key.endswith(".weight") and tensor.ndim == 2 and prefix.startswith(only)
            if ".time_emb_proj" in key or "proj_in" in key or "proj_out" in key:
                narrow = narrow and tensor.ndim == 2
            expected = (tensor / SCALE).to(torch.float8_e4m3fn).float() * SCALE if narrow else tensor
            assert torch.equal(network.state_dict()[key], expected), key
    assert opened.notes == ()


def test_a_scale_of_each_row_is_that_rows(tiny_sd15: Any, tmp_path: Path) -> None:
    tensors = tiny_sd15.ldm_tensors()
    key = f"{UNET}time_embed.0.weight"
    rows = torch.arange(1, len(tensors[key]) + 1).float()
    tensors[key.replace(".weight", ".weight_scale")] = rows
    tensors[key] = (tensors[key]).to(torch.float8_e4m3fn)
    opened = open_components(saved(tensors, tmp_path / "m.safetensors"), configs=tiny_sd15.write_configs(tmp_path / "c"))
    assert torch.equal(opened.unet.time_embedding.linear_1.weight, tensors[key].float() * rows[:, None])


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        ({f"{UNET}out.2.weight.absmax": torch.ones(1)}, "with bitsandbytes"),
        ({f"{UNET}middle_block.1.proj_in.qweight": torch.ones(1)}, "with SVDQuant or GPTQ"),
        ({f"{UNET}time_embed.0.weight": torch.ones(4, 4, dtype=torch.uint8)}, "to U8"),
    ],
)
def test_quantised_checkpoints_are_refused_in_the_listing_in_the_words_of_the_job(
    tiny_sd15: Any, tmp_path: Path, extra: Tensors, named: str
) -> None:
    path = saved(tiny_sd15.ldm_tensors() | extra, tmp_path / "m.safetensors")
    problem = recognise(path).problem
    assert named in problem
    with pytest.raises(ModelBroken) as refused:
        open_components(path, configs=tiny_sd15.write_configs(tmp_path / "c"))
    assert problem in str(refused.value)


def test_strays_are_counted_and_named_and_the_rest_is_used(tiny: Any, tmp_path: Path, configs: Path) -> None:
    text = "conditioner.embedders.1.model." if tiny.family == "sdxl" else "cond_stage_model.transformer.text_model."
    strays = {f"{UNET}control.x": torch.ones(1), f"{UNET}control.y": torch.ones(1), f"{text}extra": torch.ones(1)}
    opened = open_components(saved(tiny.ldm_tensors() | strays, tmp_path / "m.safetensors"), configs=configs)
    assert same_model(opened, tiny)
    unet, encoder = opened.notes
    assert "2 tensors of the UNet of m.safetensors were not used" in unet and "control.x" in unet
    assert "1 tensor of the" in encoder and "extra" in encoder


def test_a_file_with_bytes_after_its_tensors_opens(tiny: Any, tmp_path: Path, configs: Path) -> None:
    path = tiny.write_file(tmp_path / "m.safetensors")
    with path.open("ab") as file:
        file.write(b"\0" * 512)
    assert recognise(path).problem == ""
    assert same_model(open_components(path, configs=configs), tiny)


def test_a_vae_that_only_decodes_says_so_and_decodes(tiny: Any, tmp_path: Path, configs: Path) -> None:
    tensors = {k: t for k, t in tiny.ldm_tensors().items() if ".encoder." not in k or not k.startswith("first_stage")}
    path = saved({k: t for k, t in tensors.items() if not k.startswith("first_stage_model.quant")}, tmp_path / "m.safetensors")
    assert "no encoder" in recognise(path).caution
    opened = open_components(path, configs=configs)
    assert opened.vae.encoder is None
    assert same(opened.vae.decoder, tiny.vae.decoder)
    latents = torch.randn(1, 4, 4, 4)
    assert torch.equal(opened.vae.decode(latents).sample, tiny.vae.eval().decode(latents).sample.detach())


def test_parts_of_another_model_are_refused_by_name(
    tiny_sd15: Any, tiny_sdxl: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, configs = tiny_sd15.write_file(tmp_path / "m.safetensors"), tiny_sdxl.write_configs(tmp_path / "c")
    with pytest.raises(ModelBroken, match=r"the UNet of m\.safetensors is of another kind of model"):
        open_components(path, configs=configs)
