"""Judge layers that the built-in model draws together: do they compose, and is the foreground a layer of its own?

`python -m training.judging.judge_scenes` prints the table; a test checks the same gates.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from acetate.engine.pixels import quality
from acetate.engine.values.request import Picture, Request
from acetate.raster import RGBA, to_float

from ..pictures import noto, scenery
from ..pictures.subjects import OPEN, SUBJECTS
from .judge import Tally, ranking, table, touches_border

RECOMPOSED = 0.10
"""Mean absolute difference per channel, in [0, 1], up to which foreground over background counts as the blended picture.

The codec alone changes such pictures by 0.07 in the mean and by up to 0.11; another case's blended picture is 0.33 away.
"""
GATES = {"recomposed": 0.90, "border": 0.95, "core": 0.90, "nearest 5": 0.85}
"""Share of the pictures that must pass each measure."""

SceneTask = Literal["scene", "background", "object"]


@dataclass(frozen=True)
class Case:
    """A subject in a place, and which of the two is given."""

    task: SceneTask
    subject: str
    place: str
    foreground: RGBA | None = None
    background: RGBA | None = None

    @property
    def prompt(self) -> str:
        """The prompt as a user would write it."""
        return f"a {self.subject} in the {self.place}"


def cases(size: int, every: int = 1) -> list[Case]:
    """Every `every`th subject, with places and tasks in turn."""
    rng, found = np.random.default_rng(1), []
    places = list(scenery.SCENERY)
    tasks: tuple[SceneTask, ...] = ("scene", "background", "object")
    for number, subject in enumerate(list(SUBJECTS)[::every]):
        task, place = tasks[number % 3], places[number % len(places)]
        front = noto.place(noto.artwork(subject), size, rng) if task == "background" else None
        back = scenery.background(place, size, rng) if task == "object" else None
        found.append(Case(task, subject, place, front, back))
    return found


def judge(results: Iterable[tuple[Case, dict[str, Picture]]]) -> Tally:
    """Measure the layers of every case; what was given takes the place of the layer that did not have to be made."""
    tally = Tally({}, {}, [])
    for case, layers in results:
        what = f"{case.task} {case.prompt!r}"
        front = layers["foreground"].rgba if case.foreground is None else case.foreground
        back = layers["background"].rgba if case.background is None else case.background
        error = recomposition_error(front, back, layers["blended"].rgba)
        tally.note("recomposed", error <= RECOMPOSED, f"{what}: {error:.3f}")
        if case.foreground is None:
            _judge_foreground(tally, case, front, what)
    return tally


def recomposition_error(foreground: RGBA, background: RGBA, blended: RGBA) -> float:
    """Mean absolute difference, in [0, 1], of foreground over background and the blended picture; all `(H, W, 4)` straight."""
    composed = scenery.in_front(foreground, background)
    return float(np.abs(to_float(composed)[..., :3] - to_float(blended)[..., :3]).mean())


def _judge_foreground(tally: Tally, case: Case, rgba: RGBA, what: str) -> None:
    measured = quality.measure(rgba)
    if not touches_border(rgba):
        tally.note("border", measured["border"] >= 0.9, f"{what}: {measured['border']:.2f}")
    if case.subject not in OPEN:
        tally.note("core", measured["core"] >= 0.9, f"{what}: {measured['core']:.2f}")
    order = ranking(rgba)
    tally.note("nearest 5", case.subject in order[:5], f"{what}: {order[:5]}")


def run(every: int = 1) -> Iterator[tuple[Case, dict[str, Picture]]]:
    """Generate every case with the installed built-in model."""
    from acetate.engine.engine import Engine

    from ..pictures.dataset import NATIVE

    engine = Engine("cpu")
    for number, case in enumerate(cases(NATIVE, every)):
        asked = Request(
            task=case.task, prompt=case.prompt, foreground=case.foreground, background=case.background, seed=number, width=NATIVE
        )
        yield case, {result.role: result for result in engine.run(asked) if isinstance(result, Picture)}


def main() -> None:
    """Print the table, and the failures on request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only each n-th subject, as a sample")
    parser.add_argument("--failures", action="store_true", help="name every picture that failed")
    options = parser.parse_args()
    tally = judge(run(options.every))
    if options.failures:
        print("\n".join(sorted(tally.failures)))
    print(table(tally, GATES))


if __name__ == "__main__":
    main()
