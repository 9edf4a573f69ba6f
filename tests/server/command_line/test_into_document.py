"""Generating into an existing layered file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate import document
from acetate.engine import Picture, Request, builtin
from acetate.engine.engine import Engine
from acetate.engine.preflight import Preflight
from diffusers import UNet2DConditionModel

from training.fitting import sharing

Command = Callable[..., tuple[int, str, str]]
FAST = ("--steps", 2, "--alpha-passes", 1, "--alone")


@pytest.fixture(autouse=True)
def _untrained(untrained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)


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
    assert listed(acetate, scene) == ["Kite", "a beach (0)", "Sky", "Paper"]


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


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """An engine that fills what it is asked for with red, half transparent; the requests that reach it."""
    requests: list[Request] = []

    def fill(engine: Engine, request: Request) -> Iterator[Picture]:
        requests.append(request)
        for index in range(request.count):
            rgba = np.zeros((request.height or 8, request.width or 8, 4), np.uint8)
            rgba[: rgba.shape[0] // 2] = (255, 0, 0, 128)
            yield Picture(rgba=rgba, role="foreground", index=index, seed=index, parameters={"prompt": request.prompt})

    monkeypatch.setattr(Engine, "run", fill)
    monkeypatch.setattr(Preflight, "look", lambda preflight, request: None)
    return requests


def test_a_result_of_another_size_is_brought_to_the_canvas(acetate: Command, scene: Path, drawing: list[Request]) -> None:
    words = ("generate", "x", "--task", "foreground", "--onto", scene, "--below", "Sky", "--size", "32x24", "-o", scene)
    code, _, err = acetate(*words, "--alone")
    assert code == 0, err
    assert (drawing[0].width, drawing[0].height) == (32, 24)
    made = document.find(document.read(scene), "x (0)")
    assert isinstance(made, document.Layer)
    assert made.box.width == 64 and 24 <= made.box.height < 32, "the upper half, and what its soft edge reaches"
    assert made.rgba[12, 32, 3] == 128
    assert (made.rgba[..., :3] == (255, 0, 0)).all(), "no fringe at its edge"


def test_a_size_of_another_shape_is_refused_with_one_that_would_do(acetate: Command, scene: Path, drawing: list[Request]) -> None:
    code, _, err = acetate("generate", "x", "--onto", scene, "--below", "Sky", "--size", "64x64", "-o", scene, "--alone")
    assert (code, drawing) == (2, [])
    assert "--size 64x64" in err and "64x48" in err


def test_only_the_first_candidate_is_shown(acetate: Command, scene: Path, drawing: list[Request]) -> None:
    code, _, err = acetate("generate", "x", "--onto", scene, "--like", "Kite", "--count", 2, "-o", scene, "--alone")
    assert code == 0, err
    layers = {node.name: node.visible for node in document.walk(document.read(scene).layers)}
    assert layers == {"Paper": True, "Sky": True, "Kite": True, "x (1)": False, "x (0)": True}


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("--like", "Kite"), ["x (0)", "x (1)", "x (2)", "Kite", "Sky", "Paper"]),
        (("--below", "Kite"), ["Kite", "x (0)", "x (1)", "x (2)", "Sky", "Paper"]),
        ((), ["x (0)", "x (1)", "x (2)", "Kite", "Sky", "Paper"]),
    ],
)
def test_candidates_lie_below_the_first(
    acetate: Command, scene: Path, drawing: list[Request], place: tuple[str, ...], expected: list[str]
) -> None:
    words = ("generate", "x", "--task", "foreground" if "--like" not in place else "refine", "--onto", scene, *place)
    code, _, err = acetate(*words, "--count", 3, "-o", scene, "--alone")
    assert code == 0, err
    assert listed(acetate, scene) == expected


def test_the_layers_of_a_scene_lie_as_everywhere_else(acetate: Command, scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(engine: Engine, request: Request) -> Iterator[Picture]:
        for role in ("foreground", "background", "blended"):
            rgba = np.full((8, 8, 4), 9, np.uint8)
            yield Picture(rgba=rgba, role=role, index=0, seed=4, parameters={"prompt": request.prompt}, hidden=role == "blended")

    monkeypatch.setattr(Engine, "run", draw)
    monkeypatch.setattr(Preflight, "look", lambda preflight, request: None)
    code, _, err = acetate("generate", "x", "--task", "scene", "--onto", scene, "--below", "Kite", "-o", scene, "--alone")
    assert code == 0, err
    assert listed(acetate, scene) == ["Kite", "x, foreground (4)", "x, background (4)", "Sky", "Paper"]


def test_an_object_needs_something_below(acetate: Command, scene: Path, drawing: list[Request]) -> None:
    code, _, err = acetate("generate", "x", "--onto", scene, "--below", "Paper", "-o", scene, "--alone")
    assert (code, drawing) == (2, [])
    assert "nothing lies below 'Paper'" in err


def test_a_transparent_background_lies_on_white(acetate: Command, tmp_path: Path, drawing: list[Request]) -> None:
    glow = document.Layer(np.full((4, 4, 4), (0, 0, 255, 51), np.uint8), name="Glow")
    path = tmp_path / "glow.psd"
    document.write(document.Document(8, 4, (glow, document.Layer(np.zeros((1, 1, 4), np.uint8), name="Top"))), path)
    code, _, err = acetate("generate", "x", "--onto", path, "--below", "Top", "-o", path, "--alone")
    assert code == 0, err
    assert drawing[0].background is not None
    assert drawing[0].background[0, [0, 7]].tolist() == [[204, 204, 255, 255], [255, 255, 255, 255]]


@pytest.mark.parametrize("task", ["background", "refine", "repaint"])
def test_a_task_that_works_on_a_layer_is_pointed_to_like(acetate: Command, scene: Path, task: str) -> None:
    code, _, err = acetate("generate", "x", "--task", task, "--onto", scene, "--below", "Sky", "-o", scene, *FAST)
    assert code == 2
    assert "--like 'Sky'" in err


def test_a_layer_that_is_not_there_is_named_before_anything_is_drawn(
    acetate: Command, scene: Path, drawing: list[Request]
) -> None:
    words = ("generate", "x", "--task", "foreground", "--onto", scene, "--below", "Sun", "-o", scene, "--alone")
    code, _, err = acetate(*words)
    assert (code, drawing) == (2, [])
    assert "'Sun'" in err


def test_an_adjustment_that_is_drawn_needs_no_word(
    acetate: Command, lossy: Path, drawing: list[Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("psd_tools.composite._compat.HAS_SCIPY", False)
    words = ("generate", "x", "--onto", lossy, "--like", "Paper", "-o", lossy, "--alone")
    _, _, err = acetate(*words)
    assert err == "", "curves are drawn"
    assert json.loads(acetate(*words, "--json")[1])["notes"] == []


def test_what_a_layered_picture_loses_is_said(acetate: Command, lossy: Path, scene: Path, drawing: list[Request]) -> None:
    words = ("generate", "x", "--task", "object", "--background", lossy, "-o", "x.png", "--alone")
    merged = "lossy.psd: 2 layers were merged into one picture"
    assert acetate(*words)[2].splitlines() == [f"note: {merged}"]
    assert json.loads(acetate(*words, "--json")[1])["notes"] == [merged]
    _, _, err = acetate("generate", "x", "--task", "object", "--background", scene, "-o", "x.png", "--alone")
    assert err == f"note: {scene.name}: 3 layers were merged into one picture\n"


def test_what_a_written_file_cannot_keep_is_said(acetate: Command, drawing: list[Request]) -> None:
    _, _, err = acetate("generate", "a\x07bell", "-o", "x.psd", "--alone")
    assert err == "note: the name 'a\\x07bell (0)' was shortened or cleaned\n"


def test_the_formats_must_agree(acetate: Command, scene: Path) -> None:
    code, _, err = acetate("generate", "x", "--onto", scene, "--below", "Sky", "-o", "out.png", *FAST)
    assert code == 2
    assert "out.png must have the same suffix, one of .psd, .psb or .ora" in err


def test_a_large_document_takes_a_layer_as_any_other(acetate: Command, drawing: list[Request], tmp_path: Path) -> None:
    sky = document.Layer(np.full((48, 64, 4), 255, np.uint8), name="Sky")
    document.write(document.Document(64, 48, (sky,)), tmp_path / "a.psb")
    words = ("generate", "a kite", "--task", "foreground", "--onto", tmp_path / "a.psb", "-o", tmp_path / "b.psb", "--alone")
    assert acetate(*words)[0] == 0
    assert listed(acetate, tmp_path / "b.psb") == ["a kite (0)", "Sky"]
    assert (tmp_path / "b.psb").read_bytes()[:6] == b"8BPS\0\2"
