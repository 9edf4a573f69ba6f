"""The built-in model's folder: what is opened, and what is said of one that is damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from acetate.engine.models.builtin_model import open_builtin
from acetate.engine.models.model import Model
from acetate.engine.models.runtime import Runtime
from acetate.engine.values.errors import ModelBroken

EAGER = Runtime(torch.device("cpu"), "eager")


@pytest.fixture
def folder(untrained_folder: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(untrained_folder, tmp_path / "model"))


def opened(folder: Path) -> Model:
    return open_builtin(folder, "drawn", EAGER)


def test_the_folder_says_what_the_model_is(folder: Path) -> None:
    facts = json.loads((folder / "acetate.json").read_text())
    facts |= {"native": 96, "offset_factor": 7.0, "square_only": True, "defaults": {**facts["defaults"], "steps": 3}}
    facts["preview"] = {"matrix": [[0.25] * 4] * len(facts["preview"]["matrix"]), "bias": [0.75] * 4}
    (folder / "acetate.json").write_text(json.dumps(facts))
    model = opened(folder)
    assert (model.name, model.sizes.native, model.sizes.square_only, model.defaults.steps) == ("drawn", 96, True, 3)
    assert model.codec.offset_factor == 7.0
    assert model.preview_matrix[0].tolist() == [0.25] * 4 and model.preview_matrix[-1].tolist() == [0.75] * 4
    networks = [model.unet, *model.codec.networks]
    assert not any(network.training or any(p.requires_grad for p in network.parameters()) for network in networks)
    assert {p.dtype for network in networks for p in network.parameters()} == {torch.float32}


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder", "tokenizer"])
def test_a_part_that_is_missing_is_named(folder: Path, part: str) -> None:
    shutil.rmtree(folder / part)
    with pytest.raises(ModelBroken) as refused:
        opened(folder)
    assert str(folder / part) in str(refused.value) and refused.value.hint


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("scheduler/scheduler_config.json", b""),
        ("unet/config.json", b"[]"),
        ("transparent_decoder/model.safetensors", b"\x02\0\0\0\0\0\0\0{}"),
        ("transparent_encoder/config.json", b"{"),
    ],
)
def test_a_file_that_is_damaged_is_named_in_one_line(folder: Path, file: str, content: bytes) -> None:
    assert (folder / file).is_file()
    (folder / file).write_bytes(content)
    with pytest.raises(ModelBroken) as refused:
        opened(folder)
    assert str((folder / file).parent) in str(refused.value) and "\n" not in str(refused.value) and refused.value.hint


def test_weights_are_never_unpickled(folder: Path) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(ModelBroken, match="unet"):
        opened(folder)
