"""Where models are looked for: by the names that programs give their folders, and anywhere else everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from acetate.engine.files.foreign_model_folders import DEPTH, KNOWN, is_upscaler, model_files


def touch(root: Path, *names: str) -> Path:
    """Empty files of these names below `root`; nothing is read of them."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in model_files(root)]


@pytest.mark.parametrize("below", ["", "models/"])
def test_of_a_program_only_the_folders_of_models_are_entered(tmp_path: Path, below: str) -> None:
    names = (f"{below}Lora/ink.safetensors", f"{below}checkpoints/a/b.safetensors", f"{below}VAE/v.safetensors")
    touch(tmp_path, *names, "output/ink.safetensors", f"{below}controlnet/c.safetensors", f"{below}ink.safetensors")
    assert sorted(found(tmp_path)) == sorted(names)


@pytest.mark.parametrize("folder", [folder for folder, endings in KNOWN.items() if endings])
def test_a_known_folder_holds_what_it_is_for_wherever_it_is_named_from(tmp_path: Path, folder: str) -> None:
    touch(tmp_path / folder, "x.safetensors", "x.gguf", "x.ckpt", "x.pth", "x.pt", "x.bin", "x.txt")
    expected = [f"x{ending}" for ending in sorted(KNOWN[folder].split())]
    assert sorted(found(tmp_path / folder)) == sorted(expected)
    if folder != "embeddings":
        assert [path.name for path in model_files(tmp_path)] == found(tmp_path / folder)


def test_embeddings_are_found_beside_a_programs_models_and_hide_nothing_beside_them(tmp_path: Path) -> None:
    touch(tmp_path / "webui", "embeddings/bad.safetensors", "embeddings/old.pt", "models/Lora/ink.safetensors")
    assert sorted(found(tmp_path / "webui")) == ["embeddings/bad.safetensors", "embeddings/old.pt", "models/Lora/ink.safetensors"]
    touch(tmp_path / "stuff", "embeddings/bad.safetensors", "ink.safetensors")
    assert found(tmp_path / "stuff") == ["embeddings/bad.safetensors", "ink.safetensors"]


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
