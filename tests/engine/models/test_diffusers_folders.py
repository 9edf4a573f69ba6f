"""A model in a folder of diffusers' layout: which of its files are opened, and what a damaged one is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.models.checkpoints import open_components
from acetate.engine.models.diffusers_folders import _variant, open_folder
from acetate.engine.values.errors import ModelBroken
from safetensors.torch import load_file, save_file


def test_damaged_folders_name_the_part(tiny_sd15: Any, tmp_path: Path) -> None:
    weights = "diffusion_pytorch_model.safetensors"

    def message(name: str) -> str:
        with pytest.raises(ModelBroken) as caught:
            open_components(tmp_path / name)
        return str(caught.value)

    (tiny_sd15.write_folder(tmp_path / "a") / "unet" / weights).write_bytes(b"not a weight file at all")
    assert "unet cannot be opened" in message("a")
    (tiny_sd15.write_folder(tmp_path / "b") / "vae" / weights).rename(tmp_path / "b" / "vae" / "diffusion_pytorch_model.bin")
    assert "only pickled weights, which can run code" in message("b")
    lacking = tiny_sd15.write_folder(tmp_path / "c") / "unet" / weights
    save_file({key: tensor for key, tensor in load_file(lacking).items() if key != "conv_out.bias"}, lacking)
    assert "lacks tensors: conv_out.bias" in message("c")
    (tiny_sd15.write_folder(tmp_path / "d") / "tokenizer").rename(tmp_path / "elsewhere")
    assert "tokenizer is missing" in message("d")
    (tmp_path / "empty").mkdir()
    assert "model_index.json cannot be read" in message("empty")


def test_networks_have_the_types_that_are_asked_for_and_are_ready_to_run(tiny_sd15: Any, tmp_path: Path) -> None:
    found = open_folder(tiny_sd15.write_folder(tmp_path / "m"), BASE_FAMILIES["sd15"], torch.float16, torch.float32)
    networks = [found.unet, found.vae, *found.text_encoders]
    types = [{parameter.dtype for parameter in network.parameters()} for network in networks]
    assert types == [{torch.float16}, {torch.float32}, {torch.float16}]
    assert not any(network.training or any(p.requires_grad for p in network.parameters()) for network in networks)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["model.safetensors"], None),
        (["model.fp16.safetensors"], "fp16"),
        (["model.fp16.safetensors", "model.safetensors"], None),
        (["model.fp16-00001-of-00002.safetensors", "model.safetensors.index.fp16.json"], "fp16"),
        (["model.fp16.safetensors", "pytorch_model.bin"], "fp16"),
    ],
)
def test_half_weights_are_opened_where_there_are_no_others(tmp_path: Path, files: list[str], expected: str | None) -> None:
    for name in files:
        (tmp_path / name).touch()
    assert _variant(tmp_path) == expected


@pytest.mark.parametrize(
    ("files", "reason"), [(["config.json"], "no weights"), ([], "no weights"), (["config.json", "model.ckpt"], "pickled")]
)
def test_a_part_without_weights_that_may_be_opened_is_named(tmp_path: Path, files: list[str], reason: str) -> None:
    unet = tmp_path / "unet"
    for name in files:
        unet.mkdir(exist_ok=True)
        (unet / name).touch()
    with pytest.raises(ModelBroken) as refused:
        open_folder(tmp_path, BASE_FAMILIES["sd15"], torch.float16, torch.float32)
    assert str(unet) in str(refused.value) and reason in str(refused.value)
