"""The scripts of `examples/` do what they say, each against a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate import document
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(server: Any, name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "ACETATE_HOME": str(server.folder)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_tested() -> None:
    source = Path(__file__).read_text()

    assert all(f'"{path.name}"' in source for path in EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_without_arguments_says_how_it_is_used(path: Path) -> None:
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"usage: python {path.name} ") and len(done.stderr.splitlines()) == 1


def test_one_layer(server: Any, tmp_path: Path) -> None:
    printed = run(server, "one_layer.py", "a red apple", str(tmp_path / "apple.png"))

    assert printed.split()[-2:] == ["LayerReady", "Finished"]
    with Image.open(tmp_path / "apple.png") as made:
        assert made.mode == "RGBA"


def test_refine_a_layer(server: Any, tmp_path: Path) -> None:
    Image.new("RGBA", (40, 30), (200, 0, 0, 128)).save(tmp_path / "in.png")
    printed = run(server, "refine_a_layer.py", str(tmp_path / "in.png"), "rust", str(tmp_path / "out.png"))

    assert "decode 1/1" in printed
    with Image.open(tmp_path / "out.png") as made:
        assert made.size == (40, 30)


def test_watch(server: Any) -> None:
    printed = run(server, "watch.py", "a boat")

    assert printed.count("layer ") == 6


@pytest.mark.parametrize("suffix", ["psd", "ora", "png"])
def test_layers_of_a_file(server: Any, tmp_path: Path, suffix: str) -> None:
    rgba = Image.new("RGBA", (5, 4), (1, 2, 3, 255))
    layer = document.Layer(rgba=np.asarray(rgba), x=3, y=2, name="Kite")
    document.write(document.Document(20, 20, [document.Group("Sky", [layer])]), tmp_path / f"file.{suffix}")
    printed = run(server, "layers_of_a_file.py", str(tmp_path / f"file.{suffix}"))

    assert "5x4+3+2 normal" in printed and "Finished" in printed
    assert suffix == "png" or "Sky/Kite" in printed
