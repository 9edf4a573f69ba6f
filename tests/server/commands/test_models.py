"""`acetate models` as a user types it; nothing is downloaded."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.engine.downloads import hub
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.files.catalogue import CatalogueRow
from acetate.engine.files.library import Library

Command = Callable[..., Any]

LAYER = "lora_te_text_model_encoder_layers_0_mlp_fc1"
LORA = {f"{LAYER}.lora_up.weight": (3072, 1), f"{LAYER}.lora_down.weight": (1, 768)}


@pytest.fixture
def comfy(checkpoint: Callable[[str], Path], write_sparse: Callable[..., Path]) -> Path:
    """Another program's folder, in the working folder."""
    folder = Path("ComfyUI")
    (folder / "models" / "checkpoints").mkdir(parents=True)
    (folder / "models" / "loras").mkdir()
    checkpoint("sdxl").rename(folder / "models" / "checkpoints" / "juggernaut.safetensors")
    write_sparse(folder / "models" / "loras" / "ink.safetensors", LORA)
    return folder


def test_another_programs_folder_is_searched_where_it_lies(acetate: Command, comfy: Path) -> None:
    code, out, err = acetate("models", "add", comfy)
    assert (code, out) == (0, "ComfyUI: 2 models\n"), err
    _, listed, _ = acetate("models", "--json")
    installed = {one["name"]: one for one in json.loads(listed)["installed"]}
    assert set(installed) == {"sketchpad", "juggernaut", "ink"}
    assert (installed["juggernaut"]["role"], installed["juggernaut"]["family"]) == ("checkpoint", "sdxl")
    assert installed["juggernaut"]["path"] == str(comfy.absolute() / "models/checkpoints/juggernaut.safetensors")
    assert (installed["ink"]["role"], installed["ink"]["family"]) == ("lora", "sd15")
    assert "also searched" in acetate("models")[1]
    assert acetate("models", "remove", comfy)[0] == 0
    assert "juggernaut" not in acetate("models")[1]
    assert (comfy / "models/checkpoints/juggernaut.safetensors").exists()


def test_what_cannot_be_used_is_listed_as_what_it_is(acetate: Command, comfy: Path, write_sparse: Callable[..., Path]) -> None:
    write_sparse(comfy / "models/checkpoints/fluxy.safetensors", {"double_blocks.0.img_attn.qkv.weight": (1,)})
    said = "a Flux or Hunyuan model and cannot be used: a Flux or Hunyuan model is not supported"
    assert acetate("models", "add", comfy).out == f"ComfyUI: 2 models\n  fluxy.safetensors: {said}\n"
    (line,) = [line for line in acetate("models").out.splitlines() if line.startswith("fluxy ")]
    assert line.endswith(said)
    code, _, err = acetate("generate", "a cat", "--model", "fluxy", "-o", "cat.png", "--alone")
    assert code == 1
    assert "fluxy.safetensors is a Flux or Hunyuan model and cannot be used" in err


def test_what_a_person_says_of_a_checkpoint_is_kept_until_it_is_auto_again(acetate: Command, comfy: Path) -> None:
    acetate("models", "add", comfy)
    told = acetate("models", "set", "juggernaut", "--distilled", "yes")
    assert (told.code, told.out) == (0, "juggernaut is an SDXL checkpoint, distilled to few steps\n")
    assert "caution: distilled models" in acetate("models").out
    told = acetate("models", "set", "juggernaut", "--prediction", "v")
    assert told.out == "juggernaut is an SDXL checkpoint with v-prediction, distilled to few steps\n"
    acetate("models", "set", "juggernaut", "--distilled", "no", "--prediction", "auto")
    assert "caution" not in acetate("models").out
    code, _, err = acetate("models", "set", "juggernaut")
    assert code == 2
    assert "--distilled yes" in err


def test_loras_and_embeddings_are_listed_as_what_they_are(
    acetate: Command, comfy: Path, write_sparse: Callable[..., Path]
) -> None:
    models = comfy / "models"
    (models / "embeddings").mkdir()
    write_sparse(models / "embeddings/bad.safetensors", {"emb_params": (8, 768)})
    write_sparse(models / "embeddings/wide.safetensors", {"emb_params": (8, 1024)})
    (models / "embeddings/old.pt").write_bytes(b"PK")
    write_sparse(models / "loras/part.safetensors", {**LORA, "lora_unet_nowhere.alpha": ()})
    write_sparse(models / "loras/flux.safetensors", {"lora_unet_double_blocks_0_img_mlp_0.lora_up.weight": (4, 4)})
    acetate("models", "add", comfy)
    lines = {line.split(" ")[0]: line for line in acetate("models").out.splitlines()}
    assert lines["ink"].endswith("  a LoRA for SD 1.5")
    assert "; caution: used 1 of 2 layers; lora_unet_nowhere has no place here" in lines["part"]
    assert lines["flux"].endswith(
        "a LoRA for Flux or Hunyuan Video and cannot be used: only LoRAs for SD 1.5 and SDXL can be used"
    )
    assert lines["bad"].endswith("  an embedding for SD 1.5, 8 vectors")
    assert "an embedding for SD 2 and cannot be used: its vectors have width 1024" in lines["wide"]
    assert "a pickled file and cannot be used: it can run code when it is opened" in lines["old"]


def test_verify_finds_nan_in_a_lora(acetate: Command, comfy: Path) -> None:
    acetate("models", "add", comfy)
    assert acetate("models", "verify").code == 0
    file = comfy / "models/loras/ink.safetensors"
    content = bytearray(file.read_bytes())
    content[-4:] = b"\xff\xff\xff\x7f"
    file.write_bytes(content)
    code, out, err = acetate("models", "verify")
    assert code == 1
    assert "BAD" in out
    assert "ink.safetensors hold NaN or infinity" in err


def test_verify_finds_a_file_that_was_used_and_is_another_now(acetate: Command, comfy: Path) -> None:
    acetate("models", "add", comfy)
    file = (comfy / "models/loras/ink.safetensors").absolute()
    Library().first_use.look([file])
    assert acetate("models", "verify").code == 0
    content, times = bytearray(file.read_bytes()), file.stat()
    content[-1] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    code, out, err = acetate("models", "verify")
    assert code == 1
    assert f"BAD {file}: it differs from what was first used" in out
    assert "ink.safetensors differ from what was first used" in err


def test_a_distilled_model_comes_with_its_caution(acetate: Command, comfy: Path) -> None:
    file = comfy / "models/checkpoints/juggernaut.safetensors"
    file.rename(file.with_stem("juggernaut-lightning"))
    assert (
        "  juggernaut-lightning.safetensors: an SDXL checkpoint; caution: distilled models" in acetate("models", "add", comfy).out
    )
    (line,) = [line for line in acetate("models").out.splitlines() if line.startswith("juggernaut-lightning ")]
    assert "caution: distilled models" in line


def test_what_can_be_downloaded_is_listed_with_size_and_licence(acetate: Command) -> None:
    (row,) = [line for line in acetate("models")[1].splitlines() if line.startswith("sdxl-transparent-attention ")]
    assert row.split() == ["sdxl-transparent-attention", "743", "MB", "creativeml-openrail-m"]


def test_a_licence_is_shown_and_must_be_accepted_before_anything_is_fetched(acetate: Command) -> None:
    code, out, err = acetate("models", "pull", "sd15-joint")
    assert code == 2
    assert "layer_sd15_joint.safetensors (554 MB)" in out
    assert "licence creativeml-openrail-m: https://" in out
    assert "must be accepted first" in err
    assert "--accept-licence" in err


def test_a_family_brings_all_that_it_needs(acetate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(row: CatalogueRow, models: Path, accept: Callable[[CatalogueRow], bool], progressed: object) -> Path:
        assert accept(row)
        return models / row.file

    monkeypatch.setattr(hub, "pull", pull)
    code, out, err = acetate("models", "pull", "sdxl", "--accept-licence")
    assert code == 0, err
    brought = [line for line in out.splitlines() if "licence" not in line]
    assert len(brought) == len(BASE_FAMILIES["sdxl"].essential)
    assert brought[1].endswith("layer_xl_transparent_attn.safetensors")


def test_an_unknown_name_is_named(acetate: Command) -> None:
    code, _, err = acetate("models", "pull", "unicorn")
    assert code == 2
    assert "the catalogue has no 'unicorn'" in err


def test_a_file_without_a_checksum_is_said_to_be_unchecked(
    acetate: Command, tmp_path: Path, write_sparse: Callable[..., Path]
) -> None:
    folder = tmp_path / "home" / "models" / "layer_model"
    folder.mkdir(parents=True)
    file = write_sparse(folder / "diffuser_layer_xl_fg2ble.safetensors", {"conv_in.weight": (4, 4)})
    code, out, _ = acetate("models", "verify")
    assert code == 0
    assert f"--  {file}: unchecked" in out and "every other file is what was published" in out
    assert json.loads(acetate("models", "verify", "--json").out)["unchecked"] == [str(file)]


@pytest.mark.parametrize(("name", "unchecked"), [("diffuser_layer_xl_fg2ble", True), ("sdxl-transparent-attention", False)])
def test_what_is_pulled_without_a_checksum_is_said_with_its_licence(acetate: Command, name: str, unchecked: bool) -> None:
    code, out, _ = acetate("models", "pull", name)
    assert code == 2
    assert ("unchecked: no checksum known" in out) == unchecked


def test_a_file_that_differs_from_what_was_published_is_found(
    acetate: Command, tmp_path: Path, write_sparse: Callable[..., Path]
) -> None:
    folder = tmp_path / "home" / "models" / "layer_model"
    folder.mkdir(parents=True)
    write_sparse(folder / "layer_sd15_joint.safetensors", {"hookers.layers.0.to_q_lora.0.down.weight": (4, 4)})
    code, out, err = acetate("models", "verify")
    assert code == 1
    assert out.startswith("BAD ")
    assert "layer_sd15_joint.safetensors differ from what was published" in err
    (folder / "layer_sd15_joint.safetensors").unlink()
    assert acetate("models", "verify")[0] == 0
