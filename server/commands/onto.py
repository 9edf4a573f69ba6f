"""`acetate generate --onto`: conditions out of a layered file, and the result back into it with all else untouched."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acetate import document
from acetate.engine import Picture

from .failing import UsageError
from .outputs import LAYERED, as_layer


def add_options(parser: argparse.ArgumentParser) -> None:
    """A layered file and one of its layers."""
    parser.add_argument(
        "--onto", type=Path, metavar="FILE", help="a .psd or .ora; its layers are the conditions, the result goes into it"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--below", metavar="LAYER", help="what lies below this layer is the background; the result goes between")
    place.add_argument("--like", metavar="LAYER", help="this layer is refined, or is the foreground of a background")


@dataclass(frozen=True)
class Onto:
    """A layered file that one layer is added to."""

    path: Path
    below: str | None
    like: str | None

    def conditions(self, task: str | None) -> dict[str, Any]:
        """Fields of the request; a task that was not said is `object` below a layer and `refine` of a layer."""
        read = document.read(self.path)
        fields: dict[str, Any] = {"width": read.width, "height": read.height}
        if self.below is not None:
            chosen = task or "object"
            return {**fields, "task": chosen, "background": document.below(read, self.below)} if chosen == "object" else fields
        if self.like is None:
            return fields
        picture = document.alone(read, self.like)
        chosen = task or "refine"
        return {**fields, "task": chosen, "foreground" if chosen in ("background", "blend") else "source": picture}

    def write(self, pictures: Sequence[Picture], target: Path) -> list[Path]:
        """Write the file with one more layer for every visible picture, cropped to what it shows."""
        source = self.path
        added = [picture for picture in pictures if not picture.hidden]
        for picture in added:
            layer = document.trim(replace(as_layer(picture), visible=True))
            document.insert_into_file(source, layer, target, **self._place(picture))
            source = target
        return [target] * len(added)

    def _place(self, picture: Picture) -> dict[str, str | None]:
        """A background goes behind the layer that it was made for, everything else in front."""
        if self.like is not None and picture.role == "background":
            return {"below": self.like}
        return {"above": self.like, "below": self.below}


def onto_of(options: argparse.Namespace) -> Onto | None:
    """What the options ask for, or `None`; raises `UsageError` where they contradict each other."""
    if options.onto is None:
        if options.below or options.like:
            raise UsageError("--below and --like name a layer of a file, and none was given", "add --onto FILE")
        return None
    if options.output.suffix.lower() != options.onto.suffix.lower() or options.onto.suffix.lower() not in LAYERED:
        raise UsageError(f"{options.onto} and {options.output} must both be .psd or both be .ora", "use `acetate convert` first")
    return Onto(options.onto, options.below, options.like)
