"""`acetate generate --onto`: conditions out of a layered file, and the result back into it with all else untouched."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from acetate import document
from acetate.engine import RGBA, Picture
from acetate.engine.pixels.alpha import resize_padded
from acetate.raster import to_8_bits
from acetate.vocabulary.layered_files import LAYERED, choice
from acetate.vocabulary.stacking import goes_below
from acetate.vocabulary.tasks import DEFAULT, TASKS

from .exit_codes import UsageError
from .outputs import as_layer, stacking_of

SHAPE_TOLERANCE = 0.02
"""How far a shape may be from the canvas's: sides are whole numbers, and models like multiples of 64."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for a layered file and one of its layers."""
    parser.add_argument(
        "--onto", type=Path, metavar="FILE", help=f"a {choice(LAYERED)}; its layers are the conditions, the result goes into it"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--below", metavar="LAYER", help="what lies below this layer is the background; the result goes between")
    place.add_argument("--like", metavar="LAYER", help="this layer is refined, or is the foreground of a background")


@dataclass(frozen=True)
class Onto:
    """A layered file that one layer is added to."""

    path: Path
    read: document.Document
    below: str | None
    like: str | None

    def conditions(self, task: str | None, notes: list[str]) -> dict[str, Any]:
        """The fields of the request; the default task is `object` below a layer, and `refine` for a layer.

        What the condition does not show of the file is added to `notes`; the file itself keeps it.
        """
        size: dict[str, Any] = {"width": self.read.width, "height": self.read.height}
        if self.below is not None:
            chosen = task or "object"
            pictures = {"background": self._background(self.below)} if _takes(chosen, "background") else {}
        elif self.like is not None:
            chosen = task or "refine"
            role = "foreground" if _takes(chosen, "foreground") else "source"
            pictures = {role: document.alone(self.read, self.like)}
        else:
            return size if "width" in TASKS[task or DEFAULT].parameters else {}
        notes += [f"in the {role} taken from {self.path.name}: {note}" for role in pictures for note in self.read.notes]
        return {**(size if "width" in TASKS[chosen].parameters else {}), "task": chosen, **pictures}

    def _background(self, below: str) -> RGBA:
        """What lies below a layer, over white: the networks would see mid-grey where it is transparent."""
        picture = document.below(self.read, below)
        if not picture[..., 3].any():
            raise UsageError(f"nothing lies below {below!r}", "name a higher layer, or add --task foreground")
        paper = document.Layer(np.full_like(picture, 255))
        return to_8_bits(document.compose(replace(self.read, layers=(paper, document.Layer(picture)))))

    def check_size(self, width: int, height: int) -> None:
        """Raise `UsageError` for a size of another shape than the canvas, which the result is resized to."""
        needed = max(1, round(width * self.read.height / self.read.width))
        if abs(height - needed) > 1 + SHAPE_TOLERANCE * needed:
            canvas = f"{self.read.width}x{self.read.height}"
            raise UsageError(
                f"--size {width}x{height} has another shape than the canvas of {self.path.name}, which is {canvas}",
                f"leave it out, or choose one of that shape, such as {width}x{needed}",
            )

    def write(self, pictures: Sequence[Picture], target: Path, notes: list[str]) -> list[Path]:
        """Write the file with one more layer for every picture, cropped to what it has; the first candidate is shown.

        A reference is left out.
        """
        from ..worker.layers import position  # imports the protocol, which takes longer than to refuse

        source = self.path
        lacking: tuple[str, ...] = ()
        added = [picture for picture in pictures if not picture.hidden]
        stacking = stacking_of(added)
        for picture in sorted(added, key=lambda picture: self._turn(picture, position(stacking, picture).order)):
            rgba = resize_padded(picture.rgba, self.read.width, self.read.height)
            layer = as_layer(picture, position(stacking, picture).name_alone, visible=picture.index == 0)
            lacking = document.insert_into_file(source, document.trim(replace(layer, rgba=rgba)), target, **self._place(picture))
            source = target
        notes += lacking
        return [target] * len(added)

    def _place(self, picture: Picture) -> dict[str, str | None]:
        """Where the picture goes: a background behind the layer that it was made for, everything else in front."""
        if self.like is not None and goes_below(picture.role, "foreground"):
            return {"below": self.like}
        return {"above": self.like, "below": self.below}

    def _turn(self, picture: Picture, order: int) -> int:
        """The order to insert in: lower ones first, but directly above a layer the uppermost, as each pushes up the last."""
        return order if self._place(picture).get("above") is None else -order


def _takes(task: str, role: str) -> bool:
    """Whether one layer is given to the task in that role."""
    row = TASKS[task]
    return row.takes == role or role in row.one_of


def onto_of(options: argparse.Namespace) -> Onto | None:
    """What the options ask for, or `None`. Raises `UsageError` where they contradict each other."""
    if options.onto is None:
        if options.below or options.like:
            raise UsageError("--below and --like name a layer of a file, and none was given", "add --onto FILE")
        return None
    if options.output.suffix.lower() != options.onto.suffix.lower() or options.onto.suffix.lower() not in LAYERED:
        what = f"{options.onto} and {options.output} must have the same suffix, one of {choice(LAYERED)}"
        raise UsageError(what, "use `acetate convert` first")
    wanted = TASKS[options.task].takes if options.task else None
    if options.below is not None and wanted not in (None, "background") and getattr(options, wanted) is None:
        raise UsageError(
            f"--task {options.task} works on a layer, and --below gives it what lies below one",
            f"name the layer with --like {options.below!r} instead",
        )
    onto = Onto(options.onto, document.read(options.onto), options.below, options.like)
    for name in filter(None, (options.below, options.like)):
        document.find(onto.read, name)  # not first when a picture waits to be placed
    if options.size:
        onto.check_size(*options.size)
    return onto
