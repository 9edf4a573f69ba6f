"""How long layered files take to write and to read, and how much memory: `python tests/bench/documents.py [SIDE] [LAYERS]`.

Everything that is compared runs in this one call, each in a process of its own, several times in turn. Printed are medians of
time and of the processor's time, and the ratios that we hold to, of the processor's time, which other programs disturb less.
Then come goals of their own: many small layers, the list of a file of a gigabyte, a layer into a page for print.

psd-tools' ways are `create_pixel_layer` with `save()`, and `open()` with `numpy()` of every layer. With `--node FOLDER`, in
which `npm install ag-psd` was run, ag-psd's `readPsd` is among them. *Plain ORA* is an OpenRaster file as Pillow's encoder makes
it in one thread. The exit code is 1 where a ratio is not held or a goal not reached.
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
from typing import Any, NamedTuple

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
const start = process.hrtime.bigint(), before = process.cpuUsage()
readPsd(fs.readFileSync(process.argv[2]), { useImageData: true, skipCompositeImageData: true, skipThumbnail: true })
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - start) / 1e9, cpu: (user + system) / 1e6, memory: null }))
"""
BY_AG_PSD, PREPARE = "read PSD, ag-psd", "prepare: "
HELD = (
    ("write PSD", "write PSD, psd-tools", 0.5),
    ("write ORA", "write plain ORA", 1 / 3),
    ("read PSD", "read PSD, psd-tools", 1.0),
    ("read PSD", BY_AG_PSD, 1.2),
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


def small_layers(count: int) -> Document:
    """So many layers of 24 x 24 pixels, side by side."""
    tile = np.random.default_rng(0).integers(0, 255, (24, 24, 4), dtype=np.uint8)
    across = 100
    layers = [Layer(tile, 24 * (number % across), 24 * (number // across), f"layer {number}") for number in range(count)]
    return Document(24 * across, 24 * -(-count // across), layers)


def write_small_layers(count: int) -> Callable[[Path], object]:
    return lambda folder: document.write(small_layers(count), folder / "small.psd")


def write_gigabyte(folder: Path) -> None:
    """Fifteen layers of 4096 x 4096 pixels that cannot be compressed."""
    noise = np.random.default_rng(0).integers(0, 255, (4096, 4096, 4), dtype=np.uint8)
    document.write(Document(4096, 4096, [Layer(noise, name=f"layer {number}") for number in range(15)]), folder / "large.psd")


def write_print_page(folder: Path) -> None:
    """A page for print at 600 dots per inch and half the height of a sheet, in CMYK."""
    from psd_tools import PSDImage

    y, x = np.mgrid[0:5100, 0:3300].astype(np.float32)
    plane = Image.fromarray(np.uint8(128 + 60 * np.sin(x / 90) + 60 * np.cos(y / 70)))
    psd = PSDImage.frompil(Image.merge("CMYK", [plane] * 4))
    psd.create_pixel_layer(Image.merge("CMYK", [plane] * 4), "page")
    psd._record.write((folder / "page.psd").open("wb"))


def insert_into_print_page(folder: Path) -> None:
    layer = Layer(np.full((64, 64, 4), (200, 100, 0, 128), np.uint8), 1000, 2000, "kite")
    document.insert_into_file(folder / "page.psd", layer, folder / "page-with-kite.psd")


class Goal(NamedTuple):
    """What one thing may take at most."""

    prepare: Callable[[Path], object] | None
    """Makes the file, in a process of its own."""
    act: Callable[[Path], object]
    seconds: float
    gigabytes: float | None = None


GOALS = {
    "write 800 small layers": Goal(None, write_small_layers(800), 4),
    "write 10,000 small layers": Goal(None, write_small_layers(10_000), 60),
    "list the layers of a gigabyte": Goal(write_gigabyte, lambda folder: document.outline(folder / "large.psd"), 3, 0.3),
    "a layer into 3300 x 5100 CMYK": Goal(write_print_page, insert_into_print_page, 3, 0.5),
}
"""Each is measured once; of time it is the processor's that counts."""


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


def timed(act: Callable[[], object]) -> dict[str, float]:
    """Time, the processor's time and bytes of memory that something takes in this process."""
    peak, start, before = Peak(), time.perf_counter(), time.process_time()
    kept = act()
    del kept
    seconds, cpu = time.perf_counter() - start, time.process_time() - before
    return {"seconds": seconds, "cpu": cpu, "memory": peak.end()}


def measure(name: str, folder: Path, side: int, count: int) -> dict[str, float]:
    """Do one thing in this process. Memory is in decoded layers, those that are given to a writer counted."""
    if name.startswith(PREPARE):
        prepare = GOALS[name.removeprefix(PREPARE)].prepare
        assert prepare is not None
        return timed(lambda: prepare(folder))
    if name in GOALS:
        return timed(lambda: GOALS[name].act(folder))
    if name in WRITING:
        given, (file, write) = scene(side, count), WRITING[name]
        found = timed(lambda: write(given, folder / file))
    else:
        file, read = READING[name]
        found = timed(lambda: read(folder / file))
    return {**found, "memory": found["memory"] / (4 * side * side * count) + (name in WRITING)}


def run(name: str, folder: str, side: int, count: int, node: Path | None) -> dict[str, Any]:
    """Measure one thing in a process of its own."""
    command = [sys.executable, __file__, str(side), str(count), "--one", name, "--folder", folder]
    if name == BY_AG_PSD:
        command = ["node", "--max-old-space-size=8192", "-e", AG_PSD, str(node), f"{folder}/a.psd"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(side: int, count: int, node: Path | None, times: int) -> bool:
    """Print all that is compared; whether every ratio is held."""
    names = [*WRITING, *READING, *([BY_AG_PSD] if node else [])]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(times):
            for name in names:
                found[name].append(run(name, folder, side, count, node))
        sizes = {file: Path(folder, file).stat().st_size / 2**20 for file, _ in WRITING.values()}
    print(f"{count} layers of {side} x {side}, median of {times}; " + ", ".join(f"{f} {s:.0f} MiB" for f, s in sizes.items()))
    middle = {
        name: {key: statistics.median(one[key] for one in rounds) for key in ("seconds", "cpu")} for name, rounds in found.items()
    }
    held = True
    for name, rounds in found.items():
        peak = max((one["memory"] for one in rounds if one["memory"] is not None), default=None)
        too_much = "psd-tools" not in name and "plain" not in name and peak is not None and peak > MEMORY
        held = held and not too_much
        said = "" if peak is None else f"   peak {peak:.2f} times the decoded layers{' (!)' if too_much else ''}"
        print(f"  {name:22} {middle[name]['seconds']:7.2f} s, processor {middle[name]['cpu']:7.2f} s{said}")
    for name, other, most in HELD:
        if other in middle:
            ratio, seen = (middle[name][key] / middle[other][key] for key in ("cpu", "seconds"))
            held = held and ratio <= most
            print(
                f"  {name} / {other}: {ratio:.2f} (at most {most:.2f}{'' if ratio <= most else ', NOT HELD'}); of time {seen:.2f}"
            )
    return held


def reach() -> bool:
    """Print the goals; whether each is reached."""
    reached = True
    with tempfile.TemporaryDirectory() as folder:
        for name, goal in GOALS.items():
            if goal.prepare is not None:
                run(PREPARE + name, folder, 0, 0, None)
            found = run(name, folder, 0, 0, None)
            gigabytes = found["memory"] / 1e9
            fine = found["cpu"] <= goal.seconds and (goal.gigabytes is None or gigabytes <= goal.gigabytes)
            reached = reached and fine
            most = f"{goal.seconds} s" + (f", {goal.gigabytes} GB" if goal.gigabytes is not None else "")
            print(
                f"  {name:32} {found['seconds']:7.2f} s, processor {found['cpu']:6.2f} s, {gigabytes:.2f} GB"
                f" (at most {most}{'' if fine else ', NOT REACHED'})"
            )
    return reached


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("side", type=int, nargs="?", default=4096, help="pixels of the square canvas (4096)")
    parser.add_argument("layers", type=int, nargs="?", default=20, help="how many layers (20)")
    parser.add_argument("--node", type=Path, metavar="FOLDER", help="a folder with ag-psd in its node_modules")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how often each is compared ({ROUNDS})")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.folder, options.side, options.layers)))
        return 0
    held = compare(options.side, options.layers, options.node and options.node.resolve(), options.rounds)
    return 0 if reach() and held else 1


if __name__ == "__main__":
    sys.exit(main())
