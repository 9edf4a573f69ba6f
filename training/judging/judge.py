"""Judge the built-in model: prompts, measures, and the gates it must pass.

`python -m training.judging.judge` prints the table; a test checks the same gates. Knows the engine's results and the
training artwork; knows no network.
"""

from __future__ import annotations

import argparse
import colorsys
import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from acetate.engine.pixels import quality
from acetate.engine.values.request import Picture, Request
from acetate.raster import RGBA, bounds, crop, premultiply, resample, to_float
from acetate.vocabulary.box import Box
from numpy.typing import NDArray

from ..pictures import noto
from ..pictures.subjects import HUES, OPEN, RECOLOURED, SUBJECTS

PHRASES = (
    "a {}",
    "{}",
    "a glossy {}, high quality",
    "cute {}, sticker",
    "the {}, detailed",
    "simple {} on a transparent background",
)
GATES = {"border": 0.95, "core": 0.90, "nearest 5": 0.85, "nearest 1": 0.60, "colour": 0.90, "see-through": 0.90}
"""Share of the pictures that must pass each measure."""
SIDE = 24
"""Side of the thumbnails that are compared."""

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """A prompt and what must come of it."""

    prompt: str
    subject: str | None = None
    colour: str | None = None
    solid: bool = False
    see_through: bool = False

    @property
    def opaque(self) -> bool:
        """Whether the picture is judged by its opaque core."""
        return self.solid or (self.subject is not None and self.subject not in OPEN)


def cases() -> list[Case]:
    """Every subject in a changing phrase, colours, materials, glass and smoke: over 150 prompts."""
    phrases = itertools.cycle(PHRASES)
    found = [Case(next(phrases).format(subject), subject) for subject in SUBJECTS]
    colours = itertools.cycle(HUES)
    for subject in RECOLOURED:
        colour = next(colours)
        found.append(Case(next(phrases).format(f"{colour} {subject}"), subject, colour))
    found += [Case(f"a {colour} {material} {shape}", None, colour, solid=True) for colour, material, shape in _solids()]
    found += [
        Case(f"a {colour} glass {shape}", see_through=True)
        for colour, shape in zip(HUES, ("ball", "cube", "ring") * 3, strict=False)
    ]
    found += [Case(f"{colour} smoke", see_through=True) for colour in ("grey", "blue", "red", "purple")]
    return found


def _solids() -> Iterator[tuple[str, str, str]]:
    """Every shape once or twice, then balls and cubes in every material."""
    shapes, materials = itertools.cycle(("ball", "cube", "ring", "hexagon", "triangle")), itertools.cycle(("matte", "glossy"))
    yield from ((colour, next(materials), next(shapes)) for colour in HUES)
    every = itertools.product(("matte", "glossy", "metal"), ("ball", "cube"))
    yield from ((colour, material, shape) for colour, (material, shape) in zip(HUES, every, strict=False))


@dataclass
class Tally:
    """Passed and judged pictures per measure."""

    passed: dict[str, int]
    judged: dict[str, int]
    failures: list[str]

    def note(self, measure: str, passed: bool, what: str) -> None:
        """Count a judged picture, and if it did not pass, remember `what` it was."""
        self.judged[measure] = self.judged.get(measure, 0) + 1
        self.passed[measure] = self.passed.get(measure, 0) + passed
        if not passed:
            self.failures.append(f"{measure}: {what}")

    def share(self, measure: str) -> float:
        """The share of the judged pictures that passed."""
        return self.passed.get(measure, 0) / max(1, self.judged.get(measure, 0))


def judge(results: Iterable[tuple[Case, Picture]]) -> Tally:
    """Measure every picture against its case."""
    tally = Tally({}, {}, [])
    for case, picture in results:
        what = f"{case.prompt!r} seed {picture.seed}"
        rgba = picture.rgba
        measured = quality.measure(rgba)
        if not touches_border(rgba):
            tally.note("border", measured["border"] >= 0.9, f"{what}: {measured['border']:.2f}")
        if case.opaque:
            tally.note("core", measured["core"] >= 0.9, f"{what}: {measured['core']:.2f}")
        if case.subject is not None:
            order = ranking(rgba)
            tally.note("nearest 5", case.subject in order[:5], f"{what}: {order[:5]}")
            tally.note("nearest 1", case.subject == order[0], f"{what}: {order[0]}")
        if case.colour is not None:
            seen = colour_of(rgba)
            tally.note("colour", seen == case.colour, f"{what}: {seen}")
        if case.see_through:
            alpha = measured["subject_alpha"]
            tally.note("see-through", 0.15 <= alpha <= 0.85, f"{what}: {alpha:.2f}")
    return tally


def touches_border(rgba: RGBA) -> bool:
    """Whether an opaque part of the subject, `(H, W, 4)` straight, reaches the edge of the canvas."""
    alpha = rgba[..., 3]
    edge = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
    return bool((edge > 127).mean() > 0.01)


def ranking(rgba: RGBA) -> list[str]:
    """Subjects by distance to the picture, `(H, W, 4)` straight, nearest first; shift and scale do not count."""
    names, vectors = _references()
    distances = np.square(vectors - signature(rgba)).sum(axis=1)
    best: dict[str, float] = {}
    for name, distance in zip(names, distances.tolist(), strict=True):
        best[name] = min(best.get(name, np.inf), distance)
    return sorted(best, key=best.__getitem__)


def signature(rgba: RGBA) -> Vector:
    """The subject of `(H, W, 4)` straight, cut to its box, at 24 x 24: premultiplied colour and alpha, `(2304,)`."""
    visible = np.where(rgba[..., 3:] > 24, rgba, 0).astype(np.uint8)
    box = bounds(visible[..., 3])
    if box is None:
        return np.zeros(SIDE * SIDE * 4, np.float32)
    side = max(box.width, box.height)
    square = crop(rgba, Box((box.x + box.right) // 2 - side // 2, (box.y + box.bottom) // 2 - side // 2, side, side))
    small = resample(premultiply(to_float(square)), SIDE, SIDE, "area" if side >= SIDE else "linear")
    return small.reshape(-1)


@cache
def _references() -> tuple[list[str], Vector]:
    names: list[str] = []
    vectors: list[Vector] = []
    for subject in SUBJECTS:
        drawings = [noto.artwork(subject)]
        if subject in RECOLOURED:
            drawings += [noto.recoloured(drawings[0], colour) for colour in HUES]
        for drawing in drawings:
            for angle in (-6, 0, 6):
                names.append(subject)
                vectors.append(signature(noto.turned(drawing, angle)))
    return names, np.stack(vectors)


def colour_of(rgba: RGBA) -> str:
    """The colour word of the saturated part of `(H, W, 4)` straight, by hue; light violet-reds are pink."""
    solid = rgba[rgba[..., 3] > 127][:, :3].astype(np.float32) / 255
    if len(solid) == 0:
        return "none"
    spread = solid.max(axis=1) - solid.min(axis=1)
    vivid = solid[spread >= np.quantile(spread, 0.5)]
    hue, saturation, _ = colorsys.rgb_to_hsv(*(float(v) for v in np.median(vivid, axis=0)))
    if saturation < 0.12:
        return "grey"
    turns = hue * 360
    gap = {name: min(abs(turns - centre), 360 - abs(turns - centre)) for name, centre in HUES.items()}
    return min(gap, key=gap.__getitem__)


def table(tally: Tally, gates: Mapping[str, float] = GATES) -> str:
    """The measures next to their gates."""
    rows = [f"{'measure':12} {'share':>7} {'gate':>6} {'judged':>7}"]
    for measure, gate in gates.items():
        mark = "" if tally.share(measure) >= gate else "  MISSED"
        rows.append(f"{measure:12} {tally.share(measure):7.3f} {gate:6.2f} {tally.judged.get(measure, 0):7d}{mark}")
    return "\n".join(rows)


def run(seeds: int = 2, every: int = 1) -> Iterator[tuple[Case, Picture]]:
    """Generate every case, or each `every`th as a sample, with the installed built-in model."""
    from acetate.engine.engine import Engine

    engine = Engine("cpu")
    for case in cases()[::every]:
        for result in engine.run(Request(prompt=case.prompt, count=seeds)):
            if isinstance(result, Picture):
                yield case, result


def main() -> None:
    """Print the table, and the failures on request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="only each n-th prompt, as a sample")
    parser.add_argument("--failures", action="store_true", help="name every picture that failed")
    options = parser.parse_args()
    tally = judge(run(options.seeds, options.every))
    if options.failures:
        print("\n".join(sorted(tally.failures)))
    print(table(tally))


if __name__ == "__main__":
    main()
