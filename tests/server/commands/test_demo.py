"""The first thing that a newcomer runs: layers from the built-in model, a picture composed of them, and a scene in layers."""

from __future__ import annotations

from pathlib import Path

import pytest
from acetate import document
from acetate.server.__main__ import main
from PIL import Image


def test_the_demo_writes_layers_a_composed_picture_and_a_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path / "new" / "demo")]) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert {path.name for path in files} == {path.name for path in (tmp_path / "new" / "demo").iterdir()}

    composed = {path.suffix: path for path in files if path.stem == "composed"}
    singles = [path for path in files if path.suffix == ".png" and path.stem != "composed"]
    assert set(composed) == {".psd", ".ora", ".png"} and len(singles) >= 3
    for path in singles:
        smallest, largest = Image.open(path).getchannel("A").getextrema()
        assert smallest == 0 and largest > 100, path
    named = {name for path in (composed[".psd"], composed[".ora"]) for name in document.names(document.read(path))}
    assert len(named) == len(singles) + 1, "every layer, and the paper below"
    (scene,) = document.read(tmp_path / "new" / "demo" / "scene.psd").layers
    assert isinstance(scene, document.Group)
    shown = [(node.role, node.visible) for node in scene.children if isinstance(node, document.Layer)]
    assert shown == [("background", True), ("foreground", True), ("blended", False)]
    with Image.open(composed[".png"]) as flat, Image.open(composed[".psd"]) as layered:
        assert flat.size == layered.size
