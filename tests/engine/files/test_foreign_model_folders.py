"""Where models are looked for: by the names that programs give their folders, and anywhere else everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from acetate.engine.files.extra_model_paths import named_folders
from acetate.engine.files.foreign_model_folders import DEPTH, KNOWN, is_upscaler, model_files, names_of


def touch(root: Path, *names: str) -> Path:
    """Empty files of these names below `root`; nothing is read of them."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in model_files(root)]


PROGRAMS = {
    "ComfyUI": (
        *("models/checkpoints/a/b.safetensors", "models/loras/ink.safetensors", "models/vae/v.safetensors"),
        *("models/embeddings/bad.pt", "models/upscale_models/4x.pth", "models/text_encoders/l.safetensors"),
        *("models/unet/u.safetensors", "models/diffusers/m/model_index.json"),
    ),
    "A1111 and Forge": (
        *("models/Stable-diffusion/b.safetensors", "models/Lora/ink.safetensors", "models/LyCORIS/loha.safetensors"),
        *("models/VAE/v.safetensors", "embeddings/bad.pt", "models/ESRGAN/4x.pth", "models/SwinIR/s.pth", "models/DAT/d.pth"),
    ),
    "StabilityMatrix": (
        *("Data/Models/StableDiffusion/b.safetensors", "Data/Models/Lora/ink.safetensors", "Data/Models/VAE/v.safetensors"),
        *("Data/Models/LyCORIS/l.safetensors", "Data/Models/Embeddings/bad.pt", "Data/Models/TextualInversion/old.bin"),
        *("Data/Models/ESRGAN/4x.pth", "Data/Models/RealESRGAN/r.pth", "Data/Models/BSRGAN/b.pth", "Data/Models/ScuNET/s.pth"),
        *("Data/Models/DiffusionModels/u.safetensors", "Data/Models/Diffusers/m/model_index.json"),
    ),
    "SwarmUI": (
        *("Models/Stable-Diffusion/b.safetensors", "Models/Lora/ink.safetensors", "Models/VAE/v.safetensors"),
        *("Models/Embedding/bad.pt", "Models/upscale_models/4x.pth", "Models/diffusion_models/u.safetensors"),
        "dlbackend/comfy/ComfyUI/models/loras/own.safetensors",
    ),
    "InvokeAI": (
        *(
            "models/sdxl/main/juggernaut/model_index.json",
            "models/sd-1/main/real.safetensors",
            "models/sdxl/lora/ink.safetensors",
        ),
        *("models/sdxl/vae/fixed/diffusion_pytorch_model.safetensors", "models/sd-1/embedding/bad.pt"),
        *("models/any/spandrel_image_to_image/4x/4x.pth", "models/0f3c2a9e-4b1d/turbo.safetensors"),
    ),
    "Fooocus": (
        *("models/checkpoints/b.safetensors", "models/loras/ink.safetensors", "models/embeddings/bad.pt"),
        "models/upscale_models/4x.bin.pth",
    ),
}
"""Where programs keep what can be used: checkpoints, LoRAs, embeddings, VAEs, upscalers, parts."""


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_programs_models_are_found_and_neither_its_code_nor_its_pictures(tmp_path: Path, program: str) -> None:
    names = PROGRAMS[program]
    own = f"{names[0].split('/')[0]}/../" if "Data" in names[0] else ""
    touch(tmp_path, *names, f"{own}venv/lib/x.safetensors", f"{own}custom_nodes/n/x.safetensors", "notes.txt")
    if not own:
        touch(tmp_path, "output/ink.safetensors", "extensions/e/x.ckpt")
    assert sorted(found(tmp_path)) == sorted(name.removesuffix("/model_index.json") for name in names)
    for inside in {name.split("/")[0] for name in names}:
        below = [name.partition("/")[2].removesuffix("/model_index.json") for name in names if name.startswith(f"{inside}/")]
        assert sorted(found(tmp_path / inside)) == sorted(below)


def test_a_known_folder_hides_nothing_that_lies_beside_it(tmp_path: Path) -> None:
    names = ("checkpoints/b.safetensors", "ink.safetensors", "my own/style.safetensors", "output/trained.safetensors")
    assert sorted(found(touch(tmp_path, *names))) == sorted(names)


@pytest.mark.parametrize("folder", KNOWN)
def test_a_known_folder_holds_what_it_is_for_wherever_it_is_named_from(tmp_path: Path, folder: str) -> None:
    touch(tmp_path / folder.upper() / "sub", "x.safetensors", "x.gguf", "x.ckpt", "x.pth", "x.pt", "x.bin", "x.txt")
    expected = [f"{folder.upper()}/sub/x{ending}" for ending in sorted(KNOWN[folder].split())]
    assert sorted(found(tmp_path)) == sorted(expected)
    assert sorted(found(tmp_path / folder.upper())) == sorted(name.partition("/")[2] for name in expected)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/a/b/ink.safetensors", ["ink", "b/ink", "a/b/ink"]),
        ("/loras/ink/pytorch_lora_weights.safetensors", ["ink", "loras/ink"]),
        ("/x/vae/diffusion_pytorch_model.safetensors", ["diffusion_pytorch_model", "vae/diffusion_pytorch_model"]),
    ],
)
def test_a_model_is_called_by_as_much_of_its_path_as_it_takes(path: str, names: list[str]) -> None:
    assert list(names_of(Path(path)))[: len(names)] == names


LISTED = """
other:
    base_path: {base}/second
    loras: styles
main:
    base_path: {base}
    is_default: true
    checkpoints: |
        first
        absolute
    upscale_models: big
    custom_nodes: code
    vae: gone
broken: 7
"""


@pytest.fixture
def comfy(tmp_path: Path) -> Path:
    """ComfyUI whose models lie elsewhere, by its list."""
    names = ("first/a.safetensors", "absolute/b.ckpt", "big/4x.pth", "code/x.safetensors", "second/styles/ink.pt")
    touch(tmp_path / "disk", *names)
    touch(tmp_path / "ComfyUI", "models/checkpoints/own.safetensors")
    (tmp_path / "ComfyUI/extra_model_paths.yaml").write_text(LISTED.format(base=tmp_path / "disk"))
    return tmp_path / "ComfyUI"


def test_comfyuis_list_adds_its_folders_the_default_ones_first(tmp_path: Path, comfy: Path) -> None:
    listed = ["disk/first/a.safetensors", "disk/absolute/b.ckpt", "disk/big/4x.pth", "disk/second/styles/ink.pt"]
    names = [path.relative_to(tmp_path).as_posix() for path in model_files(comfy)]
    assert names == [*listed, "ComfyUI/models/checkpoints/own.safetensors"]
    alone = [path.relative_to(tmp_path).as_posix() for path in model_files(comfy / "extra_model_paths.yaml")]
    assert alone == listed


def test_a_base_path_is_taken_from_the_list_with_variables_and_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MODELS", str(tmp_path / "set"))
    file = tmp_path / "in/extra_model_paths.yaml"
    file.parent.mkdir()
    file.write_text(
        "a: {base_path: ../up, loras: l}\nb: {base_path: ~/x, vae: v}\nc: {base_path: $MODELS, loras: l}\nd: {loras: own}"
    )
    folders = [(kind, folder.resolve().relative_to(tmp_path).as_posix()) for kind, folder in named_folders(file)]
    assert folders == [("loras", "up/l"), ("vae", "home/x/v"), ("loras", "set/l"), ("loras", "in/own")]


def test_a_list_that_names_its_own_folder_is_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "x.safetensors")
    (tmp_path / "extra_model_paths.yaml").write_text("a: {base_path: ., checkpoints: .}")
    assert {path.name for path in model_files(tmp_path)} == {"x.safetensors"}


@pytest.mark.parametrize("text", ["a: [", "7", "", "a: {checkpoints: 7, loras: [x]}"])
def test_a_list_that_makes_no_sense_costs_itself_alone(tmp_path: Path, text: str) -> None:
    touch(tmp_path, "x.safetensors")
    (tmp_path / "extra_model_paths.yaml").write_text(text)
    assert found(tmp_path) == ["x.safetensors"]


def test_anywhere_else_everything_is_looked_at_in_a_stable_order(tmp_path: Path) -> None:
    names = ("a/B.SafeTensors", "a/z.ckpt", "b.safetensors", "in/esrgan/x.pth")
    touch(tmp_path / "stuff", *reversed(names), "weights.pth", "c.txt")
    assert found(tmp_path / "stuff") == list(names)


def test_a_diffusers_folder_is_one_model_and_is_not_entered(tmp_path: Path) -> None:
    touch(tmp_path / "stuff", "m/model_index.json", "m/unet/diffusion_pytorch_model.safetensors", "x.safetensors")
    assert found(tmp_path / "stuff") == ["m", "x.safetensors"]
    assert list(model_files(tmp_path / "stuff/m")) == [tmp_path / "stuff/m"]


def test_a_file_is_itself_whatever_it_is_called(tmp_path: Path) -> None:
    file = touch(tmp_path, "text.txt") / "text.txt"
    assert list(model_files(file)) == [file]
    assert list(model_files(tmp_path / "nowhere")) == []


def test_hidden_folders_and_files_are_left_alone(tmp_path: Path) -> None:
    touch(tmp_path / "stuff", ".cache/x.safetensors", ".x.safetensors", "x.safetensors")
    assert found(tmp_path / "stuff") == ["x.safetensors"]


def test_only_so_many_folders_deep_is_looked(tmp_path: Path) -> None:
    deepest = "d/" * DEPTH
    touch(tmp_path / "stuff", f"{deepest}in.safetensors", f"{deepest}d/out.safetensors")
    assert found(tmp_path / "stuff") == [f"{deepest}in.safetensors"]


def test_a_link_is_followed_but_not_back_to_a_folder_above(tmp_path: Path) -> None:
    stuff = touch(tmp_path / "stuff", "a/x.safetensors")
    touch(tmp_path / "elsewhere", "y.safetensors")
    os.symlink(stuff, stuff / "a/circle")
    os.symlink(tmp_path / "elsewhere", stuff / "b")
    os.symlink(tmp_path / "gone", stuff / "c")
    assert found(stuff) == ["a/x.safetensors", "b/y.safetensors"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("models/ESRGAN/4x.pth", True),
        ("upscale_models/a/4x.pth", True),
        ("dat/x.pth", True),
        ("models/4x.pth", False),
        ("x/esrgan", False),
    ],
)
def test_an_upscaler_lies_in_a_folder_for_them(path: str, expected: bool) -> None:
    assert is_upscaler(Path(path)) is expected
