"""The command line run in this process, with the built-in model's weights random and the state in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from acetate.engine.families import BASE_FAMILIES
from acetate.engine.families.ldm_checkpoints import UNET
from PIL import Image


class Outcome(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


@pytest.fixture
def acetate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run `acetate WORDS…` as if typed in an empty folder."""
    from acetate.server.__main__ import main

    monkeypatch.setenv("ACETATE_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*words: object) -> Outcome:
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def layer_file(tmp_path: Path) -> Path:
    """A PNG of 40 x 30 with a soft disc on nothing."""
    y, x = np.mgrid[0:30, 0:40]
    rgba = np.full((30, 40, 4), (200, 90, 30, 0), np.uint8)
    rgba[..., 3] = np.clip((12 - np.hypot(x - 20, y - 15)) * 60, 0, 255)
    path = tmp_path / "layer.png"
    Image.fromarray(rgba).save(path)
    return path


@pytest.fixture
def checkpoint(tmp_path: Path, write_sparse: Callable[..., Path]) -> Callable[[str], Path]:
    """Install a model `painter` of a family: a header with nothing behind it, enough for what is said before it is opened."""

    def install(family: str) -> Path:
        encoders = BASE_FAMILIES[family].text_encoders
        shapes: dict[str, tuple[int, ...]] = {f"{encoder.prefix}x": (1,) for encoder in encoders}
        shapes[f"{UNET}input_blocks.0.0.weight"] = (1, 4, 3, 3)
        if family == "sd15":
            shapes[f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"] = (1, 768)
        else:
            shapes[f"{UNET}label_emb.0.0.weight"] = (1,)
            shapes |= {f"{UNET}middle_block.1.transformer_blocks.{i}.x": (1,) for i in range(10)}
        path = tmp_path / "home/models/checkpoints/painter.safetensors"
        path.parent.mkdir(parents=True)
        return write_sparse(path, shapes)

    return install
