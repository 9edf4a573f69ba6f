"""`acetate generate` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate.engine import Engine, builtin
from acetate.engine.pixels.quality import soft_overlap
from acetate.vocabulary.parameters import FLOW_SCHEDULERS, SCHEDULERS
from PIL import Image

Command = Callable[..., tuple[int, str, str]]
FAST = ("--steps", 2, "--alpha-passes", 1, "--alone")


@pytest.fixture(autouse=True)
def _untrained(untrained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)


def test_a_prompt_becomes_a_transparent_png(acetate: Command) -> None:
    code, out, err = acetate("generate", "a red apple", "-o", "apple.png", *FAST)
    assert (code, out) == (0, "apple.png\n"), err
    with Image.open("apple.png") as picture:
        assert picture.mode == "RGBA"
        assert picture.size == (128, 128)


def test_from_repeats_a_file_byte_for_byte(acetate: Command) -> None:
    acetate("generate", "a red apple", "-o", "first.png", "--seed", 7, "--size", "100x60", *FAST)
    assert acetate("generate", "--from", "first.png", "-o", "second.png", "--alone")[0] == 0
    assert Path("first.png").read_bytes() == Path("second.png").read_bytes()


def test_from_with_another_seed_changes_only_that(acetate: Command) -> None:
    acetate("generate", "a red apple", "-o", "first.png", *FAST)
    _, out, _ = acetate("generate", "--from", "first.png", "-o", "second.png", "--seed", 9, "--json", "--alone")
    parameters = json.loads(out)["parameters"]
    assert (parameters["prompt"], parameters["seed"], parameters["steps"]) == ("a red apple", 9, 2)


def test_count_numbers_the_files(acetate: Command) -> None:
    code, out, _ = acetate("generate", "a key", "-o", "key.png", "--count", 3, *FAST)
    assert code == 0
    assert out.split() == ["key-1.png", "key-2.png", "key-3.png"]
    assert all(Path(name).exists() for name in out.split())


def test_json_tells_parameters_and_quality(acetate: Command) -> None:
    _, out, _ = acetate("generate", "a key", "-o", "key.png", "--json", *FAST)
    told = json.loads(out)
    assert told["file"] == "key.png"
    assert set(told["quality"]) >= {"border", "haze", "core", "constant"}


@pytest.mark.parametrize("suffix", ["psd", "ora"])
def test_several_pictures_become_layers_of_one_document(acetate: Command, suffix: str) -> None:
    code, out, err = acetate("generate", "a key", "-o", f"keys.{suffix}", "--count", 2, *FAST)
    assert code == 0, err
    assert out == f"keys.{suffix}\n"
    _, listed, _ = acetate("layers", f"keys.{suffix}", "--json")
    (candidates,) = json.loads(listed)["layers"]
    assert candidates["name"] == "a key"
    assert [(layer["name"], layer["visible"]) for layer in candidates["layers"]] == [("a key (0)", True), ("a key (1)", False)]


def test_refine_and_repaint_read_their_pictures(acetate: Command, layer_file: Path) -> None:
    mask = np.zeros((30, 40), np.uint8)
    mask[:10] = 255
    Image.fromarray(mask).save("mask.png")
    source = np.asarray(Image.open(layer_file))
    assert acetate("generate", "x", "--task", "refine", "--layer", layer_file, "--lock-alpha", "-o", "r.png", *FAST)[0] == 0
    assert (np.asarray(Image.open("r.png"))[..., 3] == source[..., 3]).all()
    assert (
        acetate("generate", "x", "--task", "repaint", "--layer", layer_file, "--mask", "mask.png", "-o", "p.png", *FAST)[0] == 0
    )
    assert (np.asarray(Image.open("p.png"))[10:] == source[10:]).all()


def test_a_scene_begins_from_a_rough_layer(acetate: Command, layer_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without strength it is that layer as the model's codec gives it back, and `refine` gives the layer itself."""
    monkeypatch.setattr(builtin, "FOLDER", Path(builtin.__file__).parent / "sketchpad")  # with weights for scenes
    begin = ("generate", "x", "--layer", layer_file, "--strength", 0, *FAST)
    assert acetate(*begin, "--task", "refine", "-o", "refined.png")[0] == 0
    code, out, err = acetate(*begin, "--task", "scene", "--foreground-prompt", "y", "--layer-prompts", "add", "-o", "scene.png")
    assert code == 0, err
    scene, refined, source = (np.asarray(Image.open(name)) for name in (out.split()[0], "refined.png", layer_file))
    assert "foreground" in out.split()[0] and scene.shape == source.shape
    assert soft_overlap(scene[..., 3], source[..., 3]) > 0.8
    assert np.array_equal(refined, source)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("generate", "", "-o", "x.png"), "prompt is empty"),
        (("generate", "-o", "x.png"), "prompt is missing"),
        (("generate", "x", "-o", "x.png", "--size", "0x40"), "width is 0"),
        (("generate", "x", "-o", "x.png", "--size", "99999x40"), "width is 99999"),
        (("generate", "x", "-o", "x.png", "--size", "big"), "'big' is not a size"),
        (("generate", "x", "-o", "x.png", "--guidance", "nan"), "--guidance is nan"),
        (("generate", "x", "-o", "x.png", "--scheduler", "plms"), "'plms'"),
        (("generate", "x", "-o", "x.png", "--device", "abacus"), "'abacus'"),
        (("generate", "x", "-o", "x.png", "--task", "refine"), "works on a layer"),
        (("generate", "x", "-o", "x.png", "--task", "scene", "--strength", "0.5"), "--strength is 0.5, and there is no --layer"),
        (("generate", "x", "-o", "x.png", "--task", "refine", "--layer", "missing.png"), "missing.png"),
        (("generate", "x", "-o", "x.png", "--lora", "ink:much"), "--lora 'ink:much' has the weight 'much'; a number"),
        (("generate", "x", "-o", "x.png", "--lora", "ink:1:1:1"), "--lora 'ink:1:1:1' has 3 weights"),
        (("generate", "x", "-o", "x.png", "--lora", "ink>"), "--lora 'ink>' is not a LoRA"),
        (("generate", "--from", "missing.png", "-o", "x.png"), "missing.png"),
        (("generate", "x", "-o", "x.png", "--guidance", "abc"), "--guidance is 'abc'; it must be a number"),
        (("generate", "x", "-o", "x.png", "--steps", "2.5"), "--steps is '2.5'; it must be a whole number"),
        (("generate", "x", "-o", "x.png", "--task", "paint"), "--task is 'paint'; it must be one of "),
        (("generate", "x"), "the following arguments are required: -o/--output"),
        (("generate", "x", "-o", "x.png", "--styel", "ink"), "unrecognized arguments: --styel ink"),
        (("paint", "x"), "there is no command 'paint'"),
    ],
)
def test_wrong_usage_is_one_clear_line_and_code_2(acetate: Command, words: tuple[str, ...], named: str) -> None:
    code, _, err = acetate(*words)
    assert code == 2
    first, *hint = err.splitlines()
    assert first.startswith("acetate: ") and named in err
    assert len(hint) <= 1
    assert not Path("x.png").exists()


def test_the_help_names_every_scheduler(acetate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vocabulary lists them: their module imports torch, which a help text does not wait for."""
    monkeypatch.setenv("COLUMNS", "300")  # argparse breaks lines at hyphens
    listed = acetate("generate", "--help")[1].split("--scheduler {")[-1].split("}")[0]
    assert tuple(listed.split(",")) == (*SCHEDULERS, *FLOW_SCHEDULERS)


def test_an_unknown_model_is_a_failure_that_says_what_there_is(acetate: Command) -> None:
    code, _, err = acetate("generate", "x", "-o", "x.png", "--model", "unicorn-xl", "--alone")
    assert code == 1
    assert "'unicorn-xl'" in err
    assert "sketchpad" in err


@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage"])
@pytest.mark.parametrize(
    "file",
    [
        "unet/diffusion_pytorch_model.safetensors",
        "transparent_decoder/model.safetensors",
        "acetate.json",
        "vae/config.json",
        "tokenizer/vocab.json",
        "tokenizer/merges.txt",
    ],
)
def test_a_broken_model_folder_is_named(
    acetate: Command, untrained_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, damage: str
) -> None:
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(untrained_folder, broken)
    path = broken / file
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(b"\xff" * 4000)
    monkeypatch.setattr(builtin, "FOLDER", broken)
    code, _, err = acetate("generate", "x", "-o", "x.png", "--alone")
    assert code == 1
    assert Path(file).parts[0] in err
    assert "Traceback" not in err
    assert not Path("x.png").exists()


def test_interrupting_leaves_no_file(acetate: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Engine, request: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "run", interrupted)
    code, _, err = acetate("generate", "x", "-o", "x.png", "--alone")
    assert code == 130
    assert list(Path().iterdir()) == []
    assert "Traceback" not in err
