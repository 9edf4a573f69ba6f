"""The catalogue against the published facts (layerdiffuse.md 1.1), and files with the published keys against its sizes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.families.few_steps import ROLE, few_steps_of
from acetate.engine.files.catalogue import ROWS, by_file, candidates, named, preferred
from acetate.engine.files.headers import read_header
from acetate.engine.files.recognition import recognise
from acetate.engine.files.structures import packaged_configs
from acetate.engine.files.weight_files import WeightFile
from acetate.engine.models.components import empty_unet
from acetate.engine.weights import patches
from acetate.engine.weights.patch_keys import parse
from safetensors.torch import save_file

ESSENTIAL = ["checkpoint", "transparent-attention", "transparent-decoder", "transparent-encoder"]
Shapes = dict[str, tuple[int, ...]]
Write = Callable[[Path, Mapping[str, tuple[int, ...]]], Path]


def test_every_row_is_complete_and_unlike_the_others() -> None:
    assert len({row.name for row in ROWS}) == len({row.file for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.file.endswith(".safetensors")
        assert row.licence_url.startswith("https://")
        assert row.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", row.sha256)
        assert row.bytes is None or row.bytes > 2_000_000
        assert row.folder == {"checkpoint": "checkpoints", "fast-lora": "loras"}.get(row.role, "layer_model")


def test_what_is_downloaded_unless_another_is_named_has_a_size_and_a_checksum() -> None:
    assert [row.name for row in preferred() if row.bytes is None or row.sha256 is None] == []


def test_every_recipe_has_weights_and_every_family_a_base_a_decoder_and_an_encoder() -> None:
    for family in BASE_FAMILIES.values():
        recipes = [recipe for runs in family.recipes.values() for recipe in runs]
        roles = {recipe.weights for recipe in recipes} | {recipe.convolution for recipe in recipes if recipe.convolution}
        for role in roles | set(family.essential):
            assert role is not None
            first = candidates(family.name, role)[0]
            assert first.preferred
            assert first.name == f"{family.name}-{'base' if role == 'checkpoint' else role}"


def test_every_family_has_a_lora_for_few_steps_whose_name_says_how_it_is_sampled() -> None:
    for family in BASE_FAMILIES:
        rows = candidates(family, ROLE)
        assert [row.name for row in rows if row.preferred] == [rows[0].name] == [f"{family}-fast"]
        for row in rows:
            assert few_steps_of(row.file.removesuffix(".safetensors"))


def test_names_that_can_be_pulled() -> None:
    assert [row.role for row in named("sdxl")] == ESSENTIAL
    assert [row.family for row in named("sd15")] == ["sd15"] * 4
    assert named("sd15-joint") == named("layer_sd15_joint") == named("layer_sd15_joint.safetensors")
    assert named("nothing") == ()
    assert by_file("vae_transparent_decoder.safetensors") == named("sdxl-transparent-decoder")[0]


def test_the_two_sdxl_encoder_files_are_one_and_share_their_factor() -> None:
    encoders = candidates("sdxl", "transparent-encoder")
    assert len({row.sha256 for row in encoders}) == 1
    assert {row.offset_factor for row in encoders} == {300.0}


@pytest.fixture(scope="module")
def unets(golden: Path) -> dict[str, list[tuple[str, str, tuple[int, ...]]]]:
    tables = {}
    for family in ("sdxl", "sd15"):
        rows = [line.split("\t") for line in (golden / f"keys/{family}_unet_ldm_to_diffusers.tsv").read_text().splitlines()]
        tables[family] = [(ldm, name, tuple(int(n) for n in re.findall(r"\d+", shape))) for ldm, name, shape in rows]
    return tables


def test_sparse_files_are_laid_out_as_the_library_does(write_sparse: Write, tmp_path: Path) -> None:
    shapes: Shapes = {"b": (2, 3), "a.weight": (5,), "c": ()}
    save_file({key: torch.zeros(shape, dtype=torch.float16) for key, shape in shapes.items()}, tmp_path / "library")
    assert write_sparse(tmp_path / "ours", shapes).read_bytes() == (tmp_path / "library").read_bytes()


def attention(unet: list[tuple[str, str, tuple[int, ...]]]) -> Shapes:
    shapes: Shapes = {}
    for ldm, _, shape in unet:
        if re.search(r"attn[12]\.to_(q|k|v|out\.0)\.weight", ldm):
            shapes[f"diffusion_model.{ldm}::lora::0"] = (shape[0], 256)
            shapes[f"diffusion_model.{ldm}::lora::1"] = (256, shape[1])
    return shapes


def differences(unet: list[tuple[str, str, tuple[int, ...]]], wanted: str, channels: int = 4) -> Shapes:
    return {
        f"diffusion_model.{ldm}::diff::0": (320, channels, 3, 3) if ldm == "input_blocks.0.0.weight" else shape
        for ldm, name, shape in unet
        if re.search(wanted, name)
    }


EVERYTHING = r"^(?!.*\.to_[qkv]\.)(?!time_embedding|add_embedding)"
RESIDUAL = r"resnets|samplers|^conv_"


@pytest.mark.parametrize(
    ("file", "targets"),
    [
        ("layer_xl_transparent_attn", 560),
        ("layer_xl_transparent_conv", 1252),
        ("layer_xl_fg2ble", 206),
        ("layer_xl_bg2ble", 206),
        ("layer_xl_fgble2bg", 206),
        ("layer_xl_bgble2fg", 1252),
    ],
)
def test_sdxl_files_with_the_published_keys_have_the_published_sizes(
    unets: dict[str, list[tuple[str, str, tuple[int, ...]]]], write_sparse: Write, tmp_path: Path, file: str, targets: int
) -> None:
    """And every key maps to a parameter of the real UNet, of the same shape but for `conv_in`."""
    unet = unets["sdxl"]
    shapes = {
        "layer_xl_transparent_attn": attention(unet),
        "layer_xl_transparent_conv": differences(unet, EVERYTHING),
        "layer_xl_fg2ble": differences(unet, RESIDUAL, 8),
        "layer_xl_bg2ble": differences(unet, RESIDUAL, 8),
        "layer_xl_fgble2bg": differences(unet, RESIDUAL, 12),
        "layer_xl_bgble2fg": differences(unet, EVERYTHING, 12),
    }[file]
    row = by_file(f"{file}.safetensors")
    assert row is not None
    path = write_sparse(tmp_path / row.file, shapes)
    assert path.stat().st_size == row.bytes
    assert recognise(path).family == "sdxl"
    real = {name: shape for _, name, shape in unet}
    with WeightFile(path) as weights:
        deltas = parse(weights)
        assert len({delta.target for delta in deltas}) == len(deltas) == targets
        for delta in deltas:
            change = patches.shape_of(delta, {key: weights.header.shape(key) for key in weights})
            assert change == real[delta.target] or delta.target == "conv_in.weight"
        network = empty_unet(packaged_configs("sdxl"))
        patches.check_complete(network, deltas, weights)


@pytest.mark.parametrize(
    ("file", "frames", "controlled", "tensors"),
    [
        ("layer_sd15_transparent_attn", 1, False, 640),
        ("layer_sd15_joint", 3, False, 1152),
        ("layer_sd15_fg2bg", 2, True, 1180),
        ("layer_sd15_bg2fg", 2, True, 1180),
    ],
)
def test_sd15_files_with_the_published_keys_have_the_published_sizes(
    golden: Path, write_sparse: Write, tmp_path: Path, file: str, frames: int, controlled: bool, tensors: int
) -> None:
    text = (golden / "keys/sd15_attention_sharing_keys.txt").read_text()
    rows = re.findall(r"^(\S+)\t\(([\d, ]+)\)$", text, re.MULTILINE)
    listed = {key: tuple(int(n) for n in re.findall(r"\d+", shape)) for key, shape in rows}
    shapes: Shapes = {}
    for key, shape in listed.items():
        if not controlled and key.startswith("kwargs_encoder."):
            continue
        if key.startswith("kwargs_encoder."):
            shapes[key] = shape
        elif "control_convs" not in key:
            per_frame = re.fullmatch(r"(.+_lora\.)0(\..+)", key)
            for frame in range(frames) if per_frame else ():
                assert per_frame
                shapes[f"{per_frame[1]}{frame}{per_frame[2]}"] = shape
            if ".temporal_" in key:
                shapes[key] = shape
    for unit in range(32) if controlled else ():
        width = listed[f"hookers.layers.{unit}.temporal_n.bias"][0]
        for frame in range(frames):
            prefix = f"hookers.layers.{unit}.control_convs.{frame}."
            shapes |= {f"{prefix}0.weight": (256, 256, 3, 3), f"{prefix}0.bias": (256,)}
            shapes |= {f"{prefix}2.weight": (width, 256, 1, 1), f"{prefix}2.bias": (width,)}
    row = by_file(f"{file}.safetensors")
    assert row is not None
    assert len(shapes) == tensors
    path = write_sparse(tmp_path / row.file, shapes)
    assert path.stat().st_size == row.bytes
    assert recognise(path).family == "sd15"


def test_decoder_and_encoder_files_with_the_published_keys_have_the_published_sizes(
    golden: Path, write_sparse: Write, tmp_path: Path
) -> None:
    for keys, files in (
        ("transparent_decoder_keys.txt", ("vae_transparent_decoder", "layer_sd15_vae_transparent_decoder")),
        ("transparent_encoder_keys.txt", ("vae_transparent_encoder", "layer_sd15_vae_transparent_encoder")),
    ):
        rows = re.findall(r"^(\S+)\t\(([\d, ]+)\)$", (golden / "keys" / keys).read_text(), re.MULTILINE)
        shapes = {key: tuple(int(n) for n in re.findall(r"\d+", shape)) for key, shape in rows}
        path = write_sparse(tmp_path / keys, shapes)
        for file in files:
            row = by_file(f"{file}.safetensors")
            assert row is not None
            assert path.stat().st_size == row.bytes
        assert read_header(path).parameters() == {"d": 104_104_804, "e": 1_181_764}[keys[12]]
