"""Generated pictures as files: PNGs one by one, or all of them as the layers of one PSD or OpenRaster file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate import document
from acetate.engine import Picture, Request
from acetate.engine.pixels.alpha import fit
from acetate.vocabulary.tasks import TASKS

from ..worker.layers import layer_name
from .exit_codes import UsageError

LAYERED = (".psd", ".ora")


class OutputFile:
    """Where results go; checked before anything is generated, so that no picture is lost to a wrong path."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise UsageError(f"{path} is a folder", "name a file in it")
        if path.suffix.lower() not in (".png", *LAYERED):
            raise UsageError(f"{path}: {path.suffix or 'no suffix'} cannot be written", "use .png, .psd or .ora")
        folder = path.parent
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", "make it first, or choose another place")
        if not os.access(folder, os.W_OK):
            raise UsageError(f"{folder} cannot be written to", "choose another place")
        self.path = path

    def write(
        self, pictures: Sequence[Picture], given: Sequence[document.Layer] = (), *, notes: list[str], name: str = ""
    ) -> list[Path]:
        """Write every picture; returns the file of each, and adds to `notes` what a file could not keep.

        Only a layered file takes what was `given`. The pictures are called by `name`, else after their prompt.
        """
        if self.path.suffix.lower() in LAYERED:
            notes += document.write(as_document(pictures, given, name), self.path)
            return [self.path] * len(pictures)
        paths = [self._numbered(i, pictures) for i in range(len(pictures))]
        for path, picture in zip(paths, pictures, strict=True):
            height, width = picture.rgba.shape[:2]
            layer = replace(as_layer(picture, name), visible=True)  # also a reference: hidden, its file would be empty
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


def as_layer(picture: Picture, name: str = "") -> document.Layer:
    """A picture as a layer at the canvas's origin, called by `name`, else after its prompt, and with its seed."""
    prompt = str(picture.parameters.get("prompt", "")).strip() or picture.role
    words = prompt[:60] if picture.role == "foreground" else picture.role
    return document.Layer(
        rgba=picture.rgba,
        name=layer_name(picture, words, original=name),
        role=picture.role,
        visible=not picture.hidden,
        parameters=dict(picture.parameters),
    )


def given_layers(request: Request, picture: Picture) -> tuple[document.Layer, ...]:
    """The foreground or background that a picture was made for, as its networks saw it: together they compose."""
    height, width = picture.rgba.shape[:2]
    given = {role: getattr(request, role) for role in TASKS[request.task].needs if role in ("foreground", "background")}
    return tuple(
        document.Layer(rgba=fit(rgba, width, height, request.resize_mode), name=role, role=role) for role, rgba in given.items()
    )


def as_document(pictures: Sequence[Picture], given: Sequence[document.Layer] = (), name: str = "") -> document.Document:
    """All layers, backgrounds lowest; several pictures become a group each, the first one visible, between what was given."""
    height, width = (max(p.rgba.shape[axis] for p in pictures) for axis in (0, 1))
    order = {"background": 0, "blended": 1, "foreground": 2}
    layers: list[document.Layer | document.Group] = []
    for index in range(pictures[-1].index + 1):
        own = sorted((p for p in pictures if p.index == index), key=lambda p: order[p.role])
        made = tuple(as_layer(p, name) for p in own)
        if pictures[-1].index == 0 or len(made) == 1:
            layers += [replace(layer, visible=layer.visible and index == 0) for layer in made]
        else:
            layers.append(document.Group(name=f"picture {index + 1}", children=made, visible=index == 0))
    below = [layer for layer in given if layer.role == "background"]
    above = [layer for layer in given if layer.role == "foreground"]
    return document.Document(width, height, (*below, *layers, *above))


def parameters_of(path: Path) -> Mapping[str, Any]:
    """The generation parameters that a file carries."""
    read = document.read(path)
    layers = (node for node in document.walk(read.layers) if isinstance(node, document.Layer))
    found = next((layer.parameters for layer in layers if layer.parameters), None)
    if not found:
        raise UsageError(f"{path} carries no generation parameters", "use a file that acetate wrote")
    return dict(found)
