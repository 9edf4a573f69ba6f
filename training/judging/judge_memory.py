"""Judge a model with a memory: `python -m training.judging.judge_memory FOLDER`.

Its drawings against all drawings that it knows; whether seeds vary them; how sharp they are. Knows the engine's results and the
memory; knows no network.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from acetate.engine import builtin
from acetate.engine.engine import Engine
from acetate.engine.pixels import quality
from acetate.engine.sketch.memory import MEMORY, Memory
from acetate.engine.sketch.recolouring import recoloured
from acetate.engine.values.request import Picture, Request
from acetate.raster import RGBA, premultiply, to_float, to_u8, unpremultiply

from .judge import Tally, colour_of, signature, table, touches_border

GATES = {
    **{"nearest 1": 0.85, "nearest 5": 0.95, "border": 0.97, "core": 0.93, "colour": 0.93, "see-through": 0.95},
    **{"new": 1.0},
}
"""Share of the pictures that must pass each measure; `new` is no nearer than `NEAREST` to its reference."""
PHRASES = ("a {}", "{}", "a cute {}, sticker", "{}, high quality", "the {}, detailed", "simple {} on a transparent background")
COLOURS = ("blue", "green", "red", "purple", "yellow", "pink", "orange")
NEAREST = 26.0
"""dB, over the whole picture."""
MOST_ALIKE = 0.93
"""Alpha's intersection over union of two seeds, on average."""
WIDEST = 1.5
"""How much wider edges may be than the renderings', on average."""


@dataclass
class Judged:
    """Shares of passed pictures, and the measures that are averages."""

    tally: Tally = field(default_factory=lambda: Tally({}, {}, []))
    alike: list[float] = field(default_factory=list)
    edges: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        alike, edges = float(np.mean(self.alike or [0])), float(np.mean(self.edges or [0]))
        rows = [f"seeds alike  {alike:7.3f} {MOST_ALIKE:6.2f}", f"edge width   {edges:7.2f} {WIDEST:6.2f}"]
        return "\n".join([table(self.tally, GATES), *rows])


class Judge:
    """Compares pictures with all drawings of a memory, `memory`."""

    def __init__(self, memory: Memory) -> None:
        self.names = memory.names
        self.drawings = [memory.picture(number) for number in range(len(self.names))]
        straight = [to_u8(unpremultiply(to_float(drawing))) for drawing in self.drawings]
        self._signatures = np.stack([[signature(one), signature(one[:, ::-1])] for one in straight])

    def ranking(self, rgba: RGBA) -> list[str]:
        """The drawings by distance to `rgba`, `(H, W, 4)` straight; shift, scale and a mirror do not count."""
        distances = np.square(self._signatures - signature(rgba)).sum(axis=2).min(axis=1)
        return [self.names[number] for number in np.argsort(distances).tolist()]

    def subject(self, pictures: list[Picture], judged: Judged) -> None:
        """Two seeds of one subject."""
        for picture in pictures:
            name = str(picture.parameters.get("reference", ""))
            what = f"{picture.parameters['prompt']!r} seed {picture.seed}"
            order = self.ranking(picture.rgba)
            judged.tally.note("nearest 1", name == order[0], f"{what}: {order[0]}")
            judged.tally.note("nearest 5", name in order[:5], f"{what}: {order[:5]}")
            _note_alpha(judged.tally, picture, what, self._opaque(name))
            if name in self.names:
                drawing = self.drawings[self.names.index(name)]
                near = max(_decibels(picture.rgba, drawing), _decibels(picture.rgba[:, ::-1], drawing))
                judged.tally.note("new", near <= NEAREST, f"{what}: {near:.1f} dB")
                judged.edges.append(edge_width(picture.rgba) / edge_width(to_u8(unpremultiply(to_float(drawing)))))
        first, second = (picture.rgba[..., 3] > 127 for picture in pictures[:2])
        judged.alike.append(float((first & second).sum() / max(1, (first | second).sum())))

    def _opaque(self, name: str) -> bool:
        """Whether the drawing itself has an opaque core."""
        if name not in self.names:
            return False
        straight = to_u8(unpremultiply(to_float(self.drawings[self.names.index(name)])))
        return quality.measure(straight)["core"] >= 0.97


def _note_alpha(tally: Tally, picture: Picture, what: str, opaque: bool) -> None:
    measured = quality.measure(picture.rgba)
    if not touches_border(picture.rgba):
        tally.note("border", measured["border"] >= 0.9, f"{what}: {measured['border']:.2f}")
    if opaque:
        tally.note("core", measured["core"] >= 0.9, f"{what}: {measured['core']:.2f}")


def edge_width(rgba: RGBA) -> float:
    """How many pixels alpha takes from nothing to opaque, `(H, W, 4)` straight: its sum of steps over that of their squares."""
    alpha = to_float(rgba[..., 3])
    steps = np.concatenate([np.diff(alpha, axis=0).ravel(), np.diff(alpha, axis=1).ravel()])
    steps = np.abs(steps)
    return float(steps.sum() / max(1e-6, np.square(steps).sum()))


def _decibels(straight: RGBA, premultiplied: RGBA) -> float:
    difference = premultiply(to_float(straight)) - to_float(premultiplied)
    return float(-10 * np.log10(max(1e-9, float(np.square(difference).mean()))))


def run(judge: Judge, subjects: int, seeds: int = 2) -> Judged:
    """`subjects` of the memory, evenly chosen, in changing phrases, and colours and glass on some of them."""
    engine, judged, phrases, colours = Engine("cpu"), Judged(), itertools.cycle(PHRASES), itertools.cycle(COLOURS)
    for number in np.linspace(0, len(judge.names) - 1, subjects).astype(int).tolist():
        name = judge.names[number]
        judge.subject(_drawn(engine, next(phrases).format(name), seeds), judged)
    for number in _colourful(judge)[:: max(1, len(_colourful(judge)) // max(1, subjects // 5))]:
        colour = next(colours)
        for picture in _drawn(engine, f"a {colour} {judge.names[number]}", 1):
            seen = colour_of(picture.rgba)
            judged.tally.note("colour", seen == colour, f"{colour} {judge.names[number]}: {seen}")
        for picture in _drawn(engine, f"a glass {judge.names[number]}", 1):
            alpha = quality.measure(picture.rgba)["subject_alpha"]
            judged.tally.note("see-through", 0.15 <= alpha <= 0.85, f"glass {judge.names[number]}: {alpha:.2f}")
    return judged


def _colourful(judge: Judge) -> list[int]:
    """Drawings that are blue when they are recoloured in blue: others are judged by what stays as it is."""
    found = []
    for number, drawing in enumerate(judge.drawings):
        blue = to_u8(unpremultiply(recoloured(to_float(drawing), "blue")))
        plain = " " not in judge.names[number]
        if plain and colour_of(blue) == "blue":
            found.append(number)
    return found


def _drawn(engine: Engine, prompt: str, count: int) -> list[Picture]:
    def drawn() -> Iterator[Picture]:
        yield from (event for event in engine.run(Request(prompt=prompt, count=count)) if isinstance(event, Picture))

    return list(drawn())


def main() -> None:
    """Print the table, and the failures on request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the model's folder")
    parser.add_argument("--subjects", type=int, default=300)
    parser.add_argument("--failures", action="store_true", help="name every picture that failed")
    options = parser.parse_args()
    builtin.FOLDER = options.folder
    judged = run(Judge(Memory(options.folder / MEMORY)), options.subjects)
    if options.failures:
        print("\n".join(sorted(judged.tally.failures)))
    print(judged)


if __name__ == "__main__":
    main()
