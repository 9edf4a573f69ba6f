"""`acetate watch` as a user types it, with the built-in model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate import document
from acetate.engine import builtin

Command = Callable[..., tuple[int, str, str]]
FAST = ("--steps", 2, "--alpha-passes", 1, "--alone")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a PSD of 64 x 48 in which a red square at (30, 20) asks for a bottle."""
    paper = document.Layer(np.full((48, 64, 4), (240, 240, 230, 255), np.uint8), name="Paper")
    square = document.Layer(np.full((16, 16, 4), (250, 30, 30, 255), np.uint8), 30, 20, "acetate: a glass bottle")
    path = tmp_path / "pages"
    path.mkdir()
    document.write(document.Document(64, 48, (paper, square)), path / "page.psd")
    return path


@pytest.fixture
def _untrained(untrained_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "FOLDER", untrained_folder)


def names(path: Path) -> list[str]:
    return list(document.names(document.read(path)))


@pytest.mark.usefixtures("_untrained")
def test_what_the_files_of_a_folder_ask_for_is_made_once(acetate: Command, folder: Path) -> None:
    code, out, err = acetate("watch", folder, "--once", "--seed", 4, *FAST)
    assert code == 0, err
    assert out == f"{folder / 'page.psd'}: 'acetate: a glass bottle' -> 'a glass bottle (4)'\n"
    assert names(folder / "page.psd") == ["a glass bottle (4)", "acetate: a glass bottle", "Paper"]
    made = document.find(document.read(folder / "page.psd"), "a glass bottle (4)")
    assert isinstance(made, document.Layer) and made.parameters["steps"] == 2
    assert acetate("watch", folder, "--once", *FAST)[:2] == (0, ""), "and not again before it is saved"


@pytest.mark.usefixtures("_untrained")
def test_every_layer_is_a_line_of_json(acetate: Command, folder: Path) -> None:
    read = document.read(folder / "page.psd")
    wrong = document.Layer(np.full((4, 4, 4), 255, np.uint8), name="acetate paint: x")
    document.write(document.Document(64, 48, (*read.layers, wrong)), folder / "page.psd")
    code, out, _ = acetate("watch", folder, "--once", "--json", *FAST)
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 1
    assert [(row["layer"], row["made"]) for row in rows] == [
        ("acetate: a glass bottle", ["a glass bottle (0)"]),
        ("acetate paint: x", []),
    ]
    assert rows[1]["error"][0] == "the layer 'acetate paint: x' asks for 'paint'"


def test_a_file_that_is_held_open_is_named_and_left_alone(acetate: Command, folder: Path) -> None:
    before = (folder / "page.psd").read_bytes()
    with (folder / "page.psd").open("rb"):
        code, out, err = acetate("watch", folder, "--once", *FAST)
    assert (code, out) == (1, "")
    assert "page.psd is held open by another program; its layers have to wait" in err
    assert (folder / "page.psd").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("nowhere",), "nowhere is not a folder"),
        ((".", "--once", "--lora", "ink:much"), "--lora 'ink:much' has the weight 'much'"),
        ((".", "--steps", "many"), "--steps is 'many'; it must be a whole number"),
    ],
)
def test_wrong_words_are_named(acetate: Command, words: tuple[str, ...], named: str) -> None:
    code, _, err = acetate("watch", *words)
    assert code == 2
    assert named in err


def test_a_watched_folder_is_answered_as_it_is_saved_until_ctrl_c(folder: Path, tmp_path: Path) -> None:
    import signal

    command = [sys.executable, "-m", "acetate.server", "watch", str(folder), *map(str, FAST)]
    environment = {**os.environ, "ACETATE_HOME": str(tmp_path / "home"), "PYTHONUNBUFFERED": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert process.stdout.readline() == f"{folder / 'page.psd'}: 'acetate: a glass bottle' -> 'a glass bottle (0)'\n"
            document.write(document.read(folder / "page.psd"), folder / "page.psd")
            assert "'a glass bottle (1)'" in process.stdout.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert (out, err.splitlines()[-1]) == ("", "no longer watching")
    assert names(folder / "page.psd") == ["a glass bottle (1)", "a glass bottle (0)", "acetate: a glass bottle", "Paper"]
