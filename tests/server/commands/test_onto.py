"""Generating into an existing layered file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate import document
from acetate.engine import Request, builtin
from acetate.engine.builtin.train import sharing
from acetate.engine.engine import Engine
from diffusers import UNet2DConditionModel

Command = Callable[..., tuple[int, str, str]]
FAST = ("--steps", 2, "--alpha-passes", 1, "--alone")


@pytest.fixture(autouse=True)
def _untrained(untrained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)


@pytest.fixture(params=["psd", "ora"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    paper = np.full((48, 64, 4), (240, 240, 230, 255), np.uint8)
    sky = np.zeros((20, 64, 4), np.uint8)
    sky[..., 2], sky[..., 3] = 255, 200
    kite = np.full((16, 16, 4), (250, 30, 30, 255), np.uint8)
    layers = (
        document.Layer(rgba=paper, name="Paper"),
        document.Layer(rgba=sky, name="Sky"),
        document.Layer(rgba=kite, x=30, y=20, name="Kite"),
    )
    path = tmp_path / f"scene.{request.param}"
    document.write(document.Document(64, 48, layers), path)
    return path


def listed(acetate: Command, path: Path) -> list[str]:
    _, out, _ = acetate("layers", path, "--json")
    return [layer["name"] for layer in json.loads(out)["layers"]]


def test_a_layer_goes_below_the_named_one_and_nothing_else_changes(acetate: Command, scene: Path) -> None:
    before = document.read(scene)
    code, _, err = acetate("generate", "x", "--task", "foreground", "--onto", scene, "--below", "Sky", "-o", scene, *FAST)
    assert code == 0, err
    assert listed(acetate, scene) == ["Kite", "Sky", "x (0)", "Paper"]
    after = {node.name: node for node in document.walk(document.read(scene).layers)}
    for node in document.walk(before.layers):
        assert isinstance(node, document.Layer)
        kept = after[node.name]
        assert isinstance(kept, document.Layer)
        assert (kept.rgba == node.rgba).all()
        assert (kept.x, kept.y) == (node.x, node.y)


@pytest.fixture
def _sharing(untrained_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same model with attention-sharing weights that were not trained either."""
    folder = tmp_path / "sketchpad"
    shutil.copytree(untrained_folder, folder)
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", local_files_only=True)
    for role, recipe in sharing.FILES.items():
        sharing.write(sharing.Units(unet, recipe), folder / "layers" / f"{role}.safetensors")
    monkeypatch.setattr(builtin, "FOLDER", folder)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests that reach the real engine."""
    requests: list[Request] = []
    run = Engine.run

    def noting(engine: Engine, request: Request) -> Any:
        requests.append(request)
        return run(engine, request)

    monkeypatch.setattr(Engine, "run", noting)
    return requests


@pytest.mark.usefixtures("_sharing")
def test_what_lies_below_is_the_background_of_an_object(acetate: Command, scene: Path, asked: list[Request]) -> None:
    code, _, err = acetate("generate", "a cat", "--onto", scene, "--below", "Kite", "-o", scene, *FAST)
    assert code == 0, err
    (request,) = asked
    assert request.task == "object"
    assert request.background is not None
    assert request.background[30, 10].tolist() == [240, 240, 230, 255], "the paper"
    sky = [round(200 / 255 * 0 + 55 / 255 * 240), round(55 / 255 * 240), round(200 / 255 * 255 + 55 / 255 * 230), 255]
    assert np.abs(request.background[5, 5].astype(int) - sky).max() <= 1, "the sky over it"
    assert listed(acetate, scene) == ["Kite", "a cat (0)", "Sky", "Paper"], "one layer, and no reference beside it"


@pytest.mark.usefixtures("_sharing")
def test_a_background_goes_behind_the_layer_that_it_was_made_for(acetate: Command, scene: Path, asked: list[Request]) -> None:
    words = ("generate", "a beach", "--task", "background", "--onto", scene, "--like", "Kite", "-o", scene)
    code, _, err = acetate(*words, *FAST)
    assert code == 0, err
    (request,) = asked
    assert request.foreground is not None
    assert request.foreground[25, 35].tolist() == [250, 30, 30, 255]
    assert request.foreground[5, 5, 3] == 0, "the kite alone"
    assert listed(acetate, scene) == ["Kite", "background (0)", "Sky", "Paper"]


def test_a_layer_is_refined_and_the_result_lies_above_it(acetate: Command, scene: Path) -> None:
    out = scene.with_name(f"out{scene.suffix}")
    assert acetate("generate", "a kite", "--onto", scene, "--like", "Kite", "-o", out, *FAST)[0] == 0
    assert listed(acetate, out) == ["a kite (0)", "Kite", "Sky", "Paper"]
    assert listed(acetate, scene) == ["Kite", "Sky", "Paper"], "the source file must stay as it was"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--below", "Sky"), "--onto"),
        (("--onto", "scene.psd", "--below", "Sun"), "'Sun'"),
        (("--onto", "scene.psd", "--below", "Sky", "--like", "Kite"), "not allowed with"),
    ],
)
def test_contradictions_are_named(acetate: Command, scene: Path, words: tuple[str, ...], named: str) -> None:
    known = [str(scene) if word == "scene.psd" else word for word in words]
    code, _, err = acetate("generate", "x", *known, "-o", f"out{scene.suffix}", *FAST)
    assert code == 2
    assert named in err


def test_the_formats_must_agree(acetate: Command, scene: Path) -> None:
    code, _, err = acetate("generate", "x", "--onto", scene, "--below", "Sky", "-o", "out.png", *FAST)
    assert code == 2
    assert "both be .psd or both be .ora" in err


def test_convert_keeps_layers_between_the_formats(acetate: Command, scene: Path) -> None:
    other = scene.with_suffix(".ora" if scene.suffix == ".psd" else ".psd")
    assert acetate("convert", scene, other)[0] == 0
    assert listed(acetate, other) == listed(acetate, scene)


def test_extract_writes_one_canvas_sized_png_per_layer(acetate: Command, scene: Path, tmp_path: Path) -> None:
    assert acetate("layers", scene, "--extract", tmp_path / "parts")[0] == 0
    names = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert names == ["01 Paper.png", "02 Sky.png", "03 Kite.png"]
    sheet = document.read_image(tmp_path / "parts" / "03 Kite.png")
    assert sheet.shape == (48, 64, 4)
    assert (sheet[20:36, 30:46] == (250, 30, 30, 255)).all()
    assert sheet[..., 3].sum() == 16 * 16 * 255
