"""Finding what is installed, in the folders of this and of other programs."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from acetate.engine.checkpoints.prediction import PREDICTIONS
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.families.ldm_checkpoints import UNET
from acetate.engine.files import catalogue, own_folders
from acetate.engine.files.catalogue import candidates
from acetate.engine.files.checksums import sha256_of
from acetate.engine.files.library import Library
from acetate.engine.values.errors import BadRequest, ModelBroken, ModelMissing

SPELLED = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
LORA = {f"{SPELLED}.lora_down.weight": (1, 768), f"{SPELLED}.lora_up.weight": (320, 1)}
SPELLED_XL = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_k"
LORA_XL = {f"{SPELLED_XL}.lora_down.weight": (1, 2048), f"{SPELLED_XL}.lora_up.weight": (640, 1)}
VAE = {"encoder.conv_in.weight": (1,), "decoder.conv_in.weight": (1,), "encoder.down.0.block.0.conv1.weight": (1,)}
UPSCALER = {"conv_first.weight": (1,), "body.0.rdb1.conv1.weight": (1,)}
DECODER = {"latent_conv_in.weight": (1,), "conv_in.weight": (1, 3, 3, 3)}
ATTENTION = {"diffusion_model.input_blocks.4.1.proj_in.weight::diff::0": (1,)}


def checkpoint(family: str, channels: int = 4) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {f"{UNET}input_blocks.0.0.weight": (1, channels, 3, 3)}
    shapes |= {f"{encoder.prefix}x": (1,) for encoder in BASE_FAMILIES[family].text_encoders}
    shapes |= {f"first_stage_model.{half}.conv_in.weight": (1,) for half in ("encoder", "decoder")}
    if family == "sd15":
        return shapes | {f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (1, 768)}
    depth = {f"{UNET}middle_block.1.transformer_blocks.{i}.x": (1,) for i in range(10)}
    return shapes | depth | {f"{UNET}label_emb.0.0.weight": (1,)}


def write(path: Path, shapes: dict[str, tuple[int, ...]], padding: int = 0) -> Path:
    """A file with these tensors, all zero; `padding` makes the header longer."""
    header: dict[str, object] = {"__metadata__": {"note": "x" * padding}}
    place = 0
    for name, shape in shapes.items():
        size = 1
        for n in shape:
            size *= n
        header[name] = {"dtype": "F8_E4M3", "shape": shape, "data_offsets": [place, place + size]}
        place += size
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(place))
    return path


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "own", tmp_path / "settings", tmp_path / "cache")


def found(library: Library) -> dict[str, tuple[str, str | None]]:
    return {one.name: (one.kind.role, one.family) for one in library.installed()}


def test_comfyui_and_forge_folders_are_understood(library: Library, tmp_path: Path) -> None:
    comfy, forge = tmp_path / "ComfyUI", tmp_path / "forge"
    write(comfy / "models/checkpoints/sdxl/juggernaut.safetensors", checkpoint("sdxl"))
    write(comfy / "models/loras/ink.SafeTensors", LORA)
    write(comfy / "models/vae/fixed.safetensors", VAE)
    write(comfy / "models/layer_model/layer_xl_transparent_attn.safetensors", ATTENTION)
    (comfy / "models/upscale_models").mkdir()
    (comfy / "models/upscale_models/4x-UltraSharp.pth").write_bytes(b"\x80\x02")
    write(comfy / "output/not_a_model.safetensors", LORA)
    write(forge / "models/Stable-diffusion/realistic.safetensors", checkpoint("sd15"))
    write(forge / "models/Lora/pixel.safetensors", LORA_XL)
    write(forge / "models/VAE/other.safetensors", VAE)
    write(forge / "models/ESRGAN/photo.safetensors", UPSCALER)
    write(forge / "models/layer_model/layer_sd15_vae_transparent_decoder.safetensors", DECODER)
    assert len(library.add(comfy)) == 5
    assert len(library.add(forge / "models")) == 5
    assert found(library) == {
        "juggernaut": ("checkpoint", "sdxl"),
        "ink": ("lora", "sd15"),
        "fixed": ("vae", None),
        "layer_xl_transparent_attn": ("layerdiffuse", "sdxl"),
        "4x-UltraSharp": ("upscaler", None),
        "realistic": ("checkpoint", "sd15"),
        "pixel": ("lora", "sdxl"),
        "other": ("vae", None),
        "photo": ("upscaler", None),
        "layer_sd15_vae_transparent_decoder": ("layerdiffuse", "sd15"),
    }
    assert library.find("juggernaut", "checkpoint").path == comfy / "models/checkpoints/sdxl/juggernaut.safetensors"
    assert library.find("juggernaut.safetensors", "checkpoint").name == "juggernaut"


def test_any_folder_and_any_file_can_be_added(library: Library, tmp_path: Path, tiny_sd15: Any) -> None:
    write(tmp_path / "stuff/deep/down/model.safetensors", checkpoint("sd15"))
    (tmp_path / "stuff/weights.pth").write_bytes(b"")  # not where upscalers lie
    tiny_sd15.write_folder(tmp_path / "stuff/folder")
    single = write(tmp_path / "single.safetensors", LORA)
    assert [one.name for one in library.add(tmp_path / "stuff")] == ["model", "folder"]
    assert [one.name for one in library.add(single)] == ["single"]
    library.add(single)
    assert library.folders() == [tmp_path / "stuff", single]
    assert found(library)["folder"] == ("checkpoint", "sd15")
    library.remove(tmp_path / "stuff")
    assert list(found(library)) == ["single"]
    assert (tmp_path / "stuff/deep/down/model.safetensors").exists()
    with pytest.raises(BadRequest, match=r"stuff was not added"):
        library.remove(tmp_path / "stuff")


def test_what_cannot_be_added_is_named(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("x")
    (tmp_path / "broken.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(BadRequest, match="nowhere does not exist"):
        library.add(tmp_path / "nowhere")
    with pytest.raises(BadRequest, match="there is no model in .*empty"):
        library.add(tmp_path / "empty")
    with pytest.raises(ModelBroken, match=r"text\.txt cannot be used: .* is not a \.safetensors file"):
        library.add(tmp_path / "text.txt")
    with pytest.raises(ModelBroken, match=r"broken\.safetensors cannot be used: .* not a safetensors file"):
        library.add(tmp_path / "broken.safetensors")
    assert library.folders() == []


def test_unusable_files_are_listed_with_the_reason(library: Library, tmp_path: Path) -> None:
    write(library.models / "checkpoints/inpaint.safetensors", checkpoint("sd15", channels=9))
    (library.models / "checkpoints/old.ckpt").write_bytes(b"\x80\x02")
    (library.models / "checkpoints/cut.safetensors").write_bytes(b"\xff\0\0\0\0\0\0\0{}")
    problems = {one.name: (one.kind.what, one.kind.problem) for one in library.installed()}
    assert problems["inpaint"][0] == "an inpainting checkpoint"
    assert problems["old"] == ("a pickled checkpoint", "it can run code when it is opened; convert it to .safetensors")
    assert problems["cut"][0] == "a damaged file"
    assert "is truncated" in problems["cut"][1]
    with pytest.raises(ModelBroken, match=r"inpaint\.safetensors is an inpainting checkpoint and cannot be used"):
        library.find("inpaint", "checkpoint")
    write(library.models / "checkpoints/fluxy.safetensors", {"double_blocks.0.img_attn.qkv.weight": (1,)})
    with pytest.raises(ModelBroken, match=r"fluxy\.safetensors is a Flux or Hunyuan model and cannot be used: .* not supported"):
        library.find("fluxy", "checkpoint")
    with pytest.raises(ModelBroken, match=r"cut\.safetensors cannot be used: .* is truncated"):
        library.find("cut", "lora")


def test_a_missing_model_comes_with_near_names(library: Library) -> None:
    write(library.models / "loras/watercolour.safetensors", LORA)
    with pytest.raises(ModelMissing, match="there is no LoRA 'watercolor'") as caught:
        library.find("watercolor", "lora")
    assert caught.value.hint == "Installed are: watercolour."
    with pytest.raises(ModelMissing) as caught:
        library.find("x", "checkpoint")
    assert "None is installed" in caught.value.hint


def test_files_of_one_name_stay_apart_and_links_count_once(library: Library, tmp_path: Path) -> None:
    write(library.models / "loras/ink.safetensors", LORA)
    write(tmp_path / "more/ink.safetensors", LORA_XL)
    (tmp_path / "more/link.safetensors").symlink_to(library.models / "loras/ink.safetensors")
    (tmp_path / "more/circle").symlink_to(tmp_path / "more")
    library.add(tmp_path / "more")
    assert found(library) == {"ink": ("lora", "sd15"), "more/ink": ("lora", "sdxl")}


def test_files_of_one_name_in_folders_of_one_name_can_all_be_asked_for(library: Library, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{disk}/loras/ink.safetensors", LORA) for disk in ("a", "b", "c/b")]
    for path in paths:
        library.add(path.parent)
    assert list(found(library)) == ["ink", "loras/ink", "b/loras/ink"]
    for name, path in zip(("ink", "b/loras/ink", "c/b/loras/ink"), (paths[0], paths[2], paths[2]), strict=True):
        assert library.find(name, "lora").path == path
    assert library.find("a/loras/ink", "lora").path == paths[0]
    assert library.find("loras/ink", "lora").path == paths[1]


def test_models_that_comfyuis_list_names_are_found_where_they_lie(library: Library, tmp_path: Path) -> None:
    comfy = tmp_path / "ComfyUI"
    (comfy / "models").mkdir(parents=True)
    (comfy / "extra_model_paths.yaml").write_text(f"disk:\n  base_path: {tmp_path / 'disk'}\n  loras: styles\n")
    with pytest.raises(BadRequest, match=r"there is no model in .*ComfyUI, nor in what extra_model_paths\.yaml names: .*styles"):
        library.add(comfy)
    write(tmp_path / "disk/styles/ink.safetensors", LORA)
    assert [one.name for one in library.add(comfy)] == ["ink"]
    assert found(library) == {"ink": ("lora", "sd15")}
    (comfy / "extra_model_paths.yaml").write_text("disk: [")
    with pytest.raises(ModelBroken, match=r"extra_model_paths\.yaml is not valid YAML"):
        library.add(comfy)
    assert found(library) == {}


def test_what_a_checkpoint_lacks_is_said_when_it_is_added_listed_and_used(library: Library, tmp_path: Path) -> None:
    bare = {key: shape for key, shape in checkpoint("sdxl").items() if not key.startswith("first_stage_model.")}
    (added,) = library.add(write(tmp_path / "bare.safetensors", bare))
    (listed,) = library.installed()
    with pytest.raises(ModelMissing) as refused:
        library.find("bare", "checkpoint")
    assert "it has no VAE inside" in added.verdict
    assert added.verdict == listed.verdict and str(refused.value) == f"bare.safetensors is {listed.verdict}"


def test_weights_are_found_by_name_for_each_family(library: Library) -> None:
    folder = library.models / "layer_model"
    write(folder / "vae_transparent_decoder.safetensors", DECODER)
    write(folder / "layer_sd15_vae_transparent_decoder.safetensors", DECODER)
    assert library.weights("sdxl", "transparent-decoder").path.name == "vae_transparent_decoder.safetensors"
    assert library.weights("sd15", "transparent-decoder").path.name == "layer_sd15_vae_transparent_decoder.safetensors"
    with pytest.raises(ModelMissing, match="the sd15 weights 'joint' are not installed") as caught:
        library.weights("sd15", "joint")
    assert caught.value.hint == "acetate models pull sd15-joint"
    with pytest.raises(BadRequest, match="no weights of role 'joint' for sdxl models"):
        library.weights("sdxl", "joint")


def test_renamed_weights_are_known_by_their_content(library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renamed = write(library.models / "layer_model/layer_xl_vae_transparent_decoder.safetensors", DECODER)
    write(library.models / "layer_model/another.safetensors", {**DECODER, "x": (1,)})
    rows = candidates("sdxl", "transparent-decoder")
    same = replace(rows[0], bytes=renamed.stat().st_size, sha256=sha256_of(renamed))
    monkeypatch.setattr(catalogue, "candidates", lambda family, role: (same, *rows[1:]))
    installed = library.weights("sdxl", "transparent-decoder")
    assert (installed.path, installed.row, installed.family) == (renamed, same, "sdxl")


def test_other_containers_serve_where_the_first_is_missing(library: Library) -> None:
    folder = library.models / "layer_model"
    write(folder / "ld_diffusers_sdxl_attn.safetensors", {"down_blocks.1.attentions.0.proj_in.weight": (1,)})
    assert library.weights("sdxl", "transparent-attention").row == catalogue.by_file("ld_diffusers_sdxl_attn.safetensors")
    write(folder / "layer_xl_transparent_attn.safetensors", ATTENTION)
    assert library.weights("sdxl", "transparent-attention").path.name == "layer_xl_transparent_attn.safetensors"


def test_damaged_weights_are_said_to_be_so(library: Library) -> None:
    path = write(
        library.models / "layer_model/layer_sd15_joint.safetensors", {"hookers.layers.0.to_q_lora.0.down.weight": (4, 4)}
    )
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ModelBroken, match="is truncated") as caught:
        library.weights("sd15", "joint")
    assert caught.value.hint == "Delete the file, then: acetate models pull sd15-joint"


def test_changed_files_are_looked_at_again(library: Library) -> None:
    path = write(library.models / "loras/ink.safetensors", LORA)
    assert found(library) == {"ink": ("lora", "sd15")}
    write(path, LORA_XL, padding=1)
    assert found(library) == {"ink": ("lora", "sdxl")}
    path.unlink()
    assert found(library) == {}


def test_a_damaged_pickle_is_no_upscaler(library: Library) -> None:
    folder = library.models / "upscale_models"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "whole.pth", "w") as archive:
        archive.writestr("archive/data.pkl", bytes(200))
    (folder / "cut.pth").write_bytes((folder / "whole.pth").read_bytes()[:100])
    (folder / "old.pth").write_bytes(b"\x80\x02\x8a")
    (folder / "page.pth").write_bytes(b"<!DOCTYPE html>")
    (folder / "empty.pth").write_bytes(b"")
    listed = {one.path.name: one.kind for one in library.installed()}
    assert {name for name, kind in listed.items() if kind.role == "upscaler"} == {"whole.pth", "old.pth"}
    assert all("is truncated or corrupt" in listed[name].problem for name in ("cut.pth", "page.pth", "empty.pth"))


def test_a_file_that_was_looked_at_is_listed_without_being_opened(library: Library) -> None:
    paths = [write(library.models / f"checkpoints/{i:03}.safetensors", checkpoint("sdxl")) for i in range(20)]
    assert len(library.installed()) == 20
    for path in paths:
        before = path.stat()
        path.write_bytes(bytes(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    fresh = Library(library.models, library.models.parent / "settings", library.models.parent / "cache")
    assert len(fresh.installed("checkpoint")) == 20


def test_one_folder_holds_everything_when_it_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACETATE_HOME", str(tmp_path))
    assert (own_folders.models_folder(), own_folders.cache_folder()) == (tmp_path / "models", tmp_path / "cache")
    write(tmp_path / "models/loras/ink.safetensors", LORA)
    library = Library()
    write(tmp_path / "more/dot.safetensors", LORA)
    library.add(tmp_path / "more")
    assert [one.name for one in Library().installed("lora")] == ["ink", "dot"]
    assert json.loads((tmp_path / "library.json").read_text()) == {"folders": [str(tmp_path / "more")]}
    monkeypatch.delenv("ACETATE_HOME")
    assert "acetate" in str(own_folders.models_folder())


def test_listing_imports_no_torch() -> None:
    script = (
        "import sys; from acetate.engine import families; from acetate.engine.files import library, catalogue, recognition;"
        "assert not {'torch', 'transformers', 'diffusers', 'huggingface_hub'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_a_folder_of_the_hubs_cache_is_called_after_its_repository(library: Library, tmp_path: Path) -> None:
    for repository, commit in (("models--ada--kites", "4" * 40), ("models--bob--kites", "7" * 40)):
        folder = tmp_path / "hub" / repository / "snapshots" / commit
        (folder / "unet").mkdir(parents=True)
        (folder / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
    assert [one.name for one in library.add(tmp_path / "hub")] == ["kites", "bob/kites"]


def test_what_a_person_says_of_a_checkpoint_counts_until_it_is_taken_back(library: Library, tmp_path: Path) -> None:
    write(tmp_path / "shelf" / "painter.safetensors", checkpoint("sdxl"))
    library.add(tmp_path / "shelf")
    assert library.tell("painter", predicts="v").kind.what == "an SDXL checkpoint with v-prediction"
    library.add(tmp_path / "shelf")
    assert library.find("painter", "checkpoint").kind.predicts == "v"
    assert library.tell("painter", predicts="auto").kind.predicts == "epsilon"


def test_what_a_person_says_of_distillation_counts_more_than_the_name_and_stays_with_what_is_said_else(
    library: Library, tmp_path: Path
) -> None:
    write(tmp_path / "shelf" / "lightning_fish.safetensors", checkpoint("sdxl"))
    library.add(tmp_path / "shelf")
    fish = library.find("lightning_fish", "checkpoint").kind
    assert fish.distilled == "lightning_fish" and "poor transparency" in fish.caution
    library.tell("lightning_fish", predicts="v")
    told = library.tell("lightning_fish", distilled=False).kind
    assert (told.distilled, told.predicts) == ("", "v")
    assert "poor transparency" not in told.caution and "predict noise" in told.caution
    library.tell("lightning_fish", predicts="auto")
    assert library.find("lightning_fish", "checkpoint").kind.distilled == ""
    assert library.tell("lightning_fish", distilled="auto").kind == fish
    write(tmp_path / "shelf" / "painter.safetensors", checkpoint("sdxl"))
    assert library.tell("painter", distilled=True).kind.distilled == "distilled"


def test_a_prediction_that_a_person_has_told_takes_the_doubt_on_the_name_away(library: Library, tmp_path: Path) -> None:
    write(tmp_path / "shelf" / "my_vpred.safetensors", checkpoint("sdxl"))
    library.add(tmp_path / "shelf")
    assert "its name says v-prediction" in library.find("my_vpred", "checkpoint").kind.caution
    for said in PREDICTIONS:
        assert "its name says" not in library.tell("my_vpred", predicts=said).kind.caution
