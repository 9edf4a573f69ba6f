"""`acetate upscale` as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from acetate import document
from acetate.engine import Request
from acetate.engine.preflight import Preflight
from PIL import Image

Command = Callable[..., tuple[int, str, str]]


@pytest.mark.parametrize(("words", "size"), [(("--scale", 3), (120, 90)), (("--size", "100x75"), (100, 75)), ((), (80, 60))])
def test_a_layer_becomes_larger_and_stays_transparent(
    acetate: Command, layer_file: Path, words: tuple[object, ...], size: tuple[int, int]
) -> None:
    code, out, err = acetate("upscale", layer_file, "-o", "large.png", *words, "--alone")
    assert (code, out) == (0, "large.png\n"), err
    large = np.asarray(Image.open("large.png"))
    assert large.shape == (size[1], size[0], 4)
    assert large[0, 0, 3] == 0
    assert large[size[1] // 2, size[0] // 2, 3] == 255


def test_a_layer_of_16_bits_is_interpolated_in_16(acetate: Command, tmp_path: Path) -> None:
    rgba = np.full((2, 1024, 4), 65535, np.uint16)
    rgba[..., :3] = np.linspace(0, 65535, 1024).round()[None, :, None]
    document.write(document.Document(1024, 2, (document.Layer(rgba),)), tmp_path / "ramp.png")
    assert acetate("upscale", tmp_path / "ramp.png", "-o", tmp_path / "large.png", "--scale", 2)[0] == 0
    large = document.read(tmp_path / "large.png").layers[0]
    assert isinstance(large, document.Layer) and large.rgba.shape == (4, 2048, 4)
    assert len(np.unique(large.rgba[..., 0])) >= 2000


def test_a_larger_layer_keeps_its_name(acetate: Command, layer_file: Path, tmp_path: Path) -> None:
    """Without a seed, as nothing was drawn; a picture without a name has that of its file."""
    named = document.Document(4, 4, (document.Layer(np.full((4, 4, 4), 99, np.uint8), name="Kite (7)"),))
    document.write(named, tmp_path / "named.ora")
    for source, name in ((tmp_path / "named.ora", "Kite (7)"), (layer_file, "layer")):
        assert acetate("upscale", source, "-o", "large.psd", "--alone")[0] == 0
        assert document.names(document.read("large.psd")) == (name,)


def test_a_layered_file_is_merged_and_it_is_said(acetate: Command, tmp_path: Path) -> None:
    layers = [document.Layer(np.full((4, 4, 4), 99, np.uint8), name=name) for name in ("a", "b")]
    document.write(document.Document(4, 4, layers), tmp_path / "two.psd")
    words = ("upscale", tmp_path / "two.psd", "-o", "large.psd", "--alone")
    merged = "two.psd: 2 layers were merged into one picture"
    assert acetate(*words)[2] == f"note: {merged}\n"
    assert json.loads(acetate(*words, "--json")[1])["notes"] == [merged]
    assert document.names(document.read("large.psd")) == ("two",)


def test_options_of_the_tiles_are_set_by_name(acetate: Command, layer_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []
    look = Preflight.look
    monkeypatch.setattr(Preflight, "look", lambda preflight, request: asked.append(request) or look(preflight, request))
    words = ("--mode", "enlarge", "--lock-alpha", "--set", "padding=64", "--set", "uniform=false", "--set", "order=chess")
    code, _, err = acetate("upscale", layer_file, "-o", "large.png", *words, "--set", "seam_strength=0.1", "--alone")
    assert code == 0, err
    assert asked[0].lock_alpha
    assert asked[0].upscaling == {"mode": "enlarge", "padding": 64, "uniform": False, "order": "chess", "seam_strength": 0.1}
    assert "--lock-alpha, padding, uniform, order, seam_strength had no effect" in err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--set", "padding"), "'padding' sets nothing; write NAME=VALUE"),
        (("--set", "padding=wide"), "padding is 'wide'; it must be a whole number from 0 to 512"),
        (("--set", "blur=8"), "unknown option 'blur'"),
        (("--scale", 0), "scale is 0"),
        (("--scale", "nan"), "scale is nan"),
        (("--upscaler", "nothing"), "'nothing'"),
    ],
)
def test_wrong_values_are_named(acetate: Command, layer_file: Path, words: tuple[object, ...], named: str) -> None:
    code, _, err = acetate("upscale", layer_file, "-o", "large.png", *words, "--alone")
    assert code in (1, 2)
    assert named in err
    assert not Path("large.png").exists()
