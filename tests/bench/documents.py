"""How long layered files take to write and to read, and how much memory: `python tests/bench/documents.py [SIDE] [LAYERS]`.

Everything that is compared runs in this one call, each in a process of its own, several times in turn. Printed are medians and
their ratios, beside the ratios that we hold to. psd-tools' ways are `create_pixel_layer` with `save()`, and `open()` with
`numpy()` of every layer. With `--node FOLDER`, a folder in which `npm install ag-psd` was run, ag-psd's `readPsd` is among
them. *Plain ORA* is an OpenRaster file as Pillow's encoder makes it in one thread. The exit code is 1 where a ratio is not held.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from acetate import document
from acetate.document import Document, Layer
from PIL import Image

ROUNDS = 3
AG_PSD = """
const path = require('path'), fs = require('fs')
const { initializeCanvas, readPsd } = require(path.join(process.argv[1], 'node_modules', 'ag-psd'))
initializeCanvas(() => null, (width, height) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) }))
const start = process.hrtime.bigint()
readPsd(fs.readFileSync(process.argv[2]), { useImageData: true, skipCompositeImageData: true, skipThumbnail: true })
console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - start) / 1e9, memory: null }))
"""
HELD = (
    ("write PSD", "write PSD, psd-tools", 0.5),
    ("write ORA", "write plain ORA", 1 / 3),
    ("read PSD", "read PSD, psd-tools", 1.0),
    ("read PSD", "read PSD, ag-psd", 1.2),
)
"""One measurement, the one that it is compared with, and how large a share of it it may take."""
MEMORY = 2.0
"""How many times the decoded layers a process may need at its peak, the layers themselves among them."""


def scene(side: int, count: int) -> Document:
    """An opaque background and soft-edged discs, photo-like: smooth shading with noise of two levels."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    layers = []
    for number in range(count):
        shade = 128 + 60 * np.sin(14 * x + number) + 60 * np.cos(20 * y)
        rgba = np.empty((side, side, 4), np.uint8)
        for channel in range(3):
            rgba[..., channel] = shade + 2 * channel + generator.integers(-2, 3, shade.shape)
        distance = np.hypot(x - 0.2 - 0.6 * number / count, y - 0.4)
        rgba[..., 3] = 255 if number == 0 else np.clip((0.3 - distance) * side / 4, 0, 255)
        layers.append(Layer(rgba, name=f"layer {number}"))
    return Document(side, side, layers)


def write_with_psd_tools(scene: Document, path: Path) -> None:
    from psd_tools import PSDImage

    psd = PSDImage.new("RGBA", (scene.width, scene.height))
    for layer in scene.layers:
        assert isinstance(layer, Layer)
        psd.create_pixel_layer(Image.fromarray(layer.rgba), name=layer.name)
    psd.save(path)


def write_plain_ora(scene: Document, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number, rgba in enumerate([*(layer.rgba for layer in scene.layers), document.compose(scene)]):  # type: ignore[union-attr]
            file = io.BytesIO()
            Image.fromarray(rgba).save(file, "PNG", compress_level=1)
            archive.writestr(f"{number}.png", file.getvalue())


def read_with_psd_tools(path: Path) -> None:
    from psd_tools import PSDImage

    for layer in PSDImage.open(path):
        layer.numpy()


WRITING: dict[str, tuple[str, Callable[[Document, Path], object]]] = {
    "write PSD": ("a.psd", document.write),
    "write PSD, psd-tools": ("b.psd", write_with_psd_tools),
    "write ORA": ("a.ora", document.write),
    "write plain ORA": ("b.ora", write_plain_ora),
}
READING: dict[str, tuple[str, Callable[[Path], object]]] = {
    "read PSD": ("a.psd", document.read),
    "read PSD, psd-tools": ("a.psd", read_with_psd_tools),
    "read ORA": ("a.ora", document.read),
}


class Peak:
    """The most memory that this process has had since it was asked for, looked at every few milliseconds."""

    def __init__(self) -> None:
        self._process, self._over = psutil.Process(), threading.Event()
        self.bytes = self._before = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.005):
            self.bytes = max(self.bytes, self._process.memory_info().rss)

    def end(self) -> int:
        """Bytes above those at the beginning."""
        self._over.set()
        self._thread.join()
        return self.bytes - self._before


def measure(name: str, folder: Path, side: int, count: int) -> dict[str, float]:
    """Do one thing in this process. Memory is in decoded layers, those that are given to a writer counted."""
    given = scene(side, count) if name in WRITING else None
    decoded = 4 * side * side * count
    peak, start = Peak(), time.perf_counter()
    if given is not None:
        file, write = WRITING[name]
        write(given, folder / file)
    else:
        file, read = READING[name]
        kept = read(folder / file)
        del kept
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "memory": peak.end() / decoded + (given is not None)}


def compare(side: int, count: int, node: Path | None) -> bool:
    """Print all measurements; whether every ratio is held."""
    names = [*WRITING, *READING, *(["read PSD, ag-psd"] if node else [])]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for name in names:
                command = [sys.executable, __file__, str(side), str(count), "--one", name, "--folder", folder]
                if name not in WRITING and name not in READING:
                    command = ["node", "--max-old-space-size=8192", "-e", AG_PSD, str(node), f"{folder}/a.psd"]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
        sizes = {file: Path(folder, file).stat().st_size / 2**20 for file, _ in WRITING.values()}
    seconds = {name: statistics.median(one["seconds"] for one in rounds) for name, rounds in found.items()}
    print(f"{count} layers of {side} x {side}, median of {ROUNDS}; " + ", ".join(f"{f} {s:.0f} MiB" for f, s in sizes.items()))
    held = True
    for name, rounds in found.items():
        peak = max((one["memory"] for one in rounds if one["memory"] is not None), default=None)
        ours = "psd-tools" not in name and "plain" not in name
        too_much = ours and peak is not None and peak > MEMORY
        held = held and not too_much
        said = "" if peak is None else f"   peak {peak:.2f} times the decoded layers{' (!)' if too_much else ''}"
        print(f"  {name:22} {seconds[name]:7.2f} s{said}")
    for name, other, most in HELD:
        if other in seconds:
            ratio = seconds[name] / seconds[other]
            held = held and ratio <= most
            print(f"  {name} / {other}: {ratio:.2f} (at most {most:.2f}{'' if ratio <= most else ', NOT HELD'})")
    return held


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("side", type=int, nargs="?", default=4096, help="pixels of the square canvas (4096)")
    parser.add_argument("layers", type=int, nargs="?", default=20, help="how many layers (20)")
    parser.add_argument("--node", type=Path, metavar="FOLDER", help="a folder with ag-psd in its node_modules")
    parser.add_argument("--one", choices=[*WRITING, *READING], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.folder, options.side, options.layers)))
        return 0
    return 0 if compare(options.side, options.layers, options.node and options.node.resolve()) else 1


if __name__ == "__main__":
    sys.exit(main())
