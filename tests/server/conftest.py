"""The command line run in this process, with the built-in model's weights random and the state in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from acetate import document
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


@pytest.fixture(params=["psd", "ora"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A layered file of 64 x 48: a kite at (30, 20) above a sky above paper."""
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


@pytest.fixture
def lossy(tmp_path: Path) -> Path:
    """A PSD with curves, which we neither draw nor keep, over a layer."""
    from psd_tools import PSDImage
    from psd_tools.constants import Tag

    psd = PSDImage.new("RGB", (16, 12))
    psd.create_pixel_layer(Image.new("RGB", (16, 12), (90, 90, 90)), "Paper")
    curves = psd.create_pixel_layer(Image.new("RGB", (0, 0)), "Contrast")
    curves.tagged_blocks.set_data(Tag.CURVES, version=4, count_map=1, data=[[(0, 0), (255, 255)]])
    path = tmp_path / "lossy.psd"
    psd.save(path)
    return path


@pytest.fixture
def checkpoint(tmp_path: Path, write_sparse: Callable[..., Path]) -> Callable[[str], Path]:
    """Install a model `painter` of a family: a header with nothing behind it, enough for what is said before it is opened."""

    def install(family: str) -> Path:
        encoders = BASE_FAMILIES[family].text_encoders
        shapes: dict[str, tuple[int, ...]] = {f"{encoder.prefix}x": (1,) for encoder in encoders}
        shapes[f"{UNET}input_blocks.0.0.weight"] = (1, 4, 3, 3)
        shapes |= {f"first_stage_model.{half}.conv_in.weight": (1,) for half in ("encoder", "decoder")}
        if family == "sd15":
            shapes[f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"] = (1, 768)
        else:
            shapes[f"{UNET}label_emb.0.0.weight"] = (1,)
            shapes |= {f"{UNET}middle_block.1.transformer_blocks.{i}.x": (1,) for i in range(10)}
        path = tmp_path / "home/models/checkpoints/painter.safetensors"
        path.parent.mkdir(parents=True)
        return write_sparse(path, shapes)

    return install
