"""Generated pictures as files: PNGs one by one, or all of them as the layers of one PSD or OpenRaster file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from acetate import document
from acetate.engine import Picture, Request
from acetate.engine.pixels.alpha import fit
from acetate.raster import Pixels
from acetate.vocabulary.layered_files import LAYERED, WRITTEN, choice
from acetate.vocabulary.stacking import BOTTOM_UP, Stacking, goes_below, nested
from acetate.vocabulary.tasks import TASKS

from .exit_codes import UsageError


class OutputFile:
    """Where results go; checked before anything is generated, so that no picture is lost to a wrong path."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise UsageError(f"{path} is a folder", "name a file in it")
        if path.suffix.lower() not in WRITTEN:
            what = f"is called {path.suffix}, which cannot be written" if path.suffix else "has no suffix that names its format"
            raise UsageError(f"{path} {what}", f"use {choice(WRITTEN)}")
        folder = path.parent
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder", "create it first, or choose another place")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{folder} cannot be written to", "choose another place")
        self.path = path

    def write(
        self, pictures: Sequence[Picture], given: Sequence[document.Layer] = (), *, notes: list[str], name: str = ""
    ) -> list[Path]:
        """Write every picture; returns the file of each, and adds to `notes` what a file could not keep.

        Only a layered file takes what was `given`. The pictures are named `name`, else after their prompt.
        """
        if self.path.suffix.lower() in LAYERED:
            notes += document.write(as_document(pictures, given, name), self.path)
            return [self.path] * len(pictures)
        from ..worker.layers import position  # imports the protocol, which takes longer than to refuse

        stacking = stacking_of(pictures, name)
        paths = [self._numbered(i, pictures) for i in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            height, width = picture.rgba.shape[:2]
            layer = as_layer(picture, position(stacking, picture).name_alone)  # shown, or a reference's file would be empty
            notes += document.write(document.Document(width, height, (layer,)), path)
        return paths

    def _numbered(self, index: int, pictures: Sequence[Picture]) -> Path:
        """`apple.png`, or `apple-1.png` … for several pictures, or `apple-1-background.png` where one has several layers."""
        picture = pictures[index]
        parts = [self.path.stem]
        if pictures[-1].index:
            parts.append(str(picture.index + 1))
        if len({p.role for p in pictures}) > 1:
            parts.append(picture.role)
        return self.path.with_name("-".join(parts) + self.path.suffix)


def stacking_of(pictures: Sequence[Picture], name: str = "") -> Stacking:
    """How the pictures of one request are arranged; `name` is that of the layer that they are larger versions of."""
    asked = pictures[0].parameters
    makes = tuple(dict.fromkeys(picture.role for picture in pictures))
    return Stacking(str(asked.get("task", "")), str(asked.get("prompt", "")), makes, pictures[-1].index + 1, name)


def as_layer(picture: Picture, name: str, *, visible: bool = True) -> document.Layer:
    """A picture as a layer at the canvas's origin, in 16 bits where it has them."""
    pixels = cast(Pixels, picture.rgba if picture.deep is None or picture.deep.dtype != np.uint16 else picture.deep)
    return document.Layer(pixels, name=name, role=picture.role, visible=visible, parameters=dict(picture.parameters))


def given_layers(request: Request, picture: Picture) -> tuple[document.Layer, ...]:
    """The foreground or background that a picture was made for, as its networks saw it: together they compose."""
    height, width = picture.rgba.shape[:2]
    given = {role: getattr(request, role) for role in TASKS[request.task].needs if role in ("foreground", "background")}
    return tuple(
        document.Layer(rgba=fit(rgba, width, height, request.resize_mode), name=role.capitalize(), role=role)
        for role, rgba in given.items()
    )


def as_document(pictures: Sequence[Picture], given: Sequence[document.Layer] = (), name: str = "") -> document.Document:
    """All layers as an editor would receive them, above or below what was given."""
    from ..worker.document_jobs import document_group
    from ..worker.layers import position

    height, width = (max(p.rgba.shape[axis] for p in pictures) for axis in (0, 1))
    stacking = stacking_of(pictures, name)
    placed = sorted(((position(stacking, picture), picture) for picture in pictures), key=lambda one: one[0].order)
    made: tuple[document.Node, ...] = nested(
        placed, lambda one: one[0].groups, lambda one: as_layer(one[1], one[0].name, visible=one[0].visible), document_group
    )
    lowest = min(stacking.makes, key=BOTTOM_UP.index)
    above = tuple(layer for layer in given if goes_below(lowest, layer.role))
    return document.Document(width, height, (*(layer for layer in given if layer not in above), *made, *above))


def parameters_of(path: Path) -> Mapping[str, Any]:
    """The parameters that a file carries, on the first candidate if there are several. Raises `UsageError` without any."""
    layers = [node for node in document.walk(document.read(path).layers) if isinstance(node, document.Layer)]
    found = next((layer.parameters for layer in reversed(layers) if layer.parameters), None)
    if not found:
        raise UsageError(f"{path} carries no generation parameters", "use a file that acetate wrote")
    return dict(found)
