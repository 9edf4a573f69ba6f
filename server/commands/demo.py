"""`acetate demo`: a few layers from the built-in model, one picture composed of them, and a scene in layers."""

from __future__ import annotations

import argparse
from pathlib import Path

from acetate import document
from acetate.engine import Picture, Request

from ..command_line import json_option
from ..command_line.outputs import OutputFile, as_layer, stacking_of
from ..command_line.progress import shown
from ..worker.layers import position

SUBJECTS = ("a red apple", "a fox", "a green glass ball", "a sunflower")
SCENE = "a panda in the meadow"
SIDE = 256


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the folder that the files go into."""
    parser.add_argument("folder", type=Path, nargs="?", default=Path("demo"), help="created if it is missing (default: demo)")
    json_option.add_option(parser)


def run(options: argparse.Namespace) -> int:
    """Generate, compose, and say where everything is."""
    from acetate.engine.engine import Engine

    options.folder.mkdir(parents=True, exist_ok=True)
    engine = Engine()
    written: list[str] = []

    def tell(path: Path) -> None:
        written.append(str(path))
        if not options.json:
            print(path)

    pictures: list[Picture] = []
    for subject in SUBJECTS:
        path = options.folder / f"{subject.replace(' ', '-')}.png"
        target = OutputFile(path)
        made = list(shown(engine.run(Request(prompt=subject, width=SIDE, height=SIDE, seed=1)), quiet=options.json))
        target.write(made, notes=[])
        pictures += made
        tell(path)
    composed = document.Document(SIDE * 2, SIDE * 2, _arranged(pictures))
    for name in ("composed.psd", "composed.ora"):
        document.write(composed, options.folder / name)
        tell(options.folder / name)
    flat = document.Layer(rgba=document.compose(composed), name="composed")
    document.write(document.Document(composed.width, composed.height, (flat,)), options.folder / "composed.png")
    tell(options.folder / "composed.png")
    scene = OutputFile(options.folder / "scene.psd")
    scene.write(list(shown(engine.run(Request(task="scene", prompt=SCENE, seed=1)), quiet=options.json)), notes=[])
    tell(scene.path)
    json_option.tell(options, {"files": written}, ())
    return 0


def _arranged(pictures: list[Picture]) -> tuple[document.Layer, ...]:
    """A sheet of paper with the layers on it, two by two, overlapping a little."""
    from dataclasses import replace

    import numpy as np

    paper = np.full((SIDE * 2, SIDE * 2, 4), (247, 244, 236, 255), np.uint8)
    layers = [document.Layer(rgba=paper, name="paper")]
    for i, picture in enumerate(pictures):
        layer = as_layer(picture, position(stacking_of([picture]), picture).name_alone)
        layers.append(replace(layer, x=(i % 2) * (SIDE - 24) + 12, y=(i // 2) * (SIDE - 24) + 12))
    return tuple(layers)
