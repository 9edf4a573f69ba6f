"""How long a PSD takes to write, beside psd-tools' own way in the same run: `python tests/bench/psd_write.py [SIDE]`.

Both get the same layers and end with a file on disk. psd-tools' way is `create_pixel_layer` and `save()`, which renders the
merged picture itself. Prints both times, their ratio and the sizes; the ratio is to stay at or below 0.25, else the
exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from acetate import document
from acetate.document import Document, Layer
from PIL import Image
from psd_tools import PSDImage

TARGET = 0.25


def scene(side: int, count: int = 5) -> Document:
    """An opaque background and soft-edged discs, photo-like: smooth shading with noise of two levels."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    layers = []
    for number in range(count):
        shade = 128 + 60 * np.sin(14 * x + number) + 60 * np.cos(20 * y)
        rgba = np.empty((side, side, 4), np.uint8)
        for channel in range(3):
            rgba[..., channel] = shade + 2 * channel + generator.integers(-2, 3, shade.shape)
        distance = np.hypot(x - 0.2 - 0.15 * number, y - 0.4)
        rgba[..., 3] = 255 if number == 0 else np.clip((0.3 - distance) * side / 4, 0, 255)
        layers.append(Layer(rgba, name=f"layer {number}"))
    return Document(side, side, layers)


def write_ours(scene: Document, path: Path) -> None:
    document.write(scene, path)


def write_with_psd_tools(scene: Document, path: Path) -> None:
    psd = PSDImage.new("RGBA", (scene.width, scene.height))
    for layer in scene.layers:
        assert isinstance(layer, Layer)
        psd.create_pixel_layer(Image.fromarray(layer.rgba), name=layer.name)
    psd.save(path)


def measure(write: Callable[[Document, Path], None], scene: Document, path: Path) -> float:
    start = time.perf_counter()
    write(scene, path)
    return time.perf_counter() - start


def compare(side: int) -> float:
    """Print both times and return ours as a share of psd-tools'."""
    picture = scene(side)
    with tempfile.TemporaryDirectory() as folder:
        seconds = {}
        for name, write in (("acetate", write_ours), ("psd-tools", write_with_psd_tools)):
            path = Path(folder) / f"{name}.psd"
            seconds[name] = measure(write, picture, path)
            print(f"{name:10} {seconds[name]:7.2f} s {path.stat().st_size / 2**20:8.1f} MiB")
    ratio = seconds["acetate"] / seconds["psd-tools"]
    print(f"ratio      {ratio:7.3f}   (at most {TARGET})")
    return ratio


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("side", type=int, nargs="?", default=4096, help="pixels of the square canvas (4096)")
    sys.exit(compare(parser.parse_args().side) > TARGET)
