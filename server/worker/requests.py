"""From a `submit` message and its pictures to the engine's request: cutting conditions to the target box on the canvas.

Runs in the worker. Knows canvas places; knows no queue and no network.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acetate.engine import RGBA, Mask, Request
from acetate.protocol import Box
from acetate.protocol.messages import Placed, Submit
from acetate.raster import Deep, crop
from acetate.vocabulary.parameters import values_of
from acetate.vocabulary.roles import PICTURES
from acetate.vocabulary.tasks import TASKS

from .pixels import to_deep, to_mask, to_rgba8

Files = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class CanvasTarget:
    """The request to run, and where on the canvas its result belongs."""

    request: Request
    box: Box | None
    """The box of the result; `None` means its own size at (`x`, `y`)."""
    x: int = 0
    y: int = 0


def target(submit: Submit, files: Files) -> CanvasTarget:
    """The engine's request for a `submit` message, and the place of its result.

    With a target box, conditions are cut (or padded with transparency) to it, except for a task that enlarges, whose box is where
    the larger result goes. Without one, conditions that share a place go to the engine whole, and others are cut to the first.
    """
    placed: dict[str, Placed] = {role: found for role in PICTURES if (found := getattr(submit.conditions, role)) is not None}
    pictures: dict[str, RGBA] = {role: _picture(place, files, role) for role, place in placed.items()}
    asked = values_of(submit.parameters)
    if asked["model"] is None:
        del asked["model"]
    if submit.box is not None and "width" in TASKS[submit.task].parameters:
        asked["width"] = asked["width"] or submit.box.width
        asked["height"] = asked["height"] or submit.box.height
    own = _own_box(placed, pictures)
    cut_to = None if TASKS[submit.task].enlarges else submit.box or (own if _scattered(placed) else None)
    conditions: dict[str, Any] = pictures
    if cut_to is not None:
        conditions = {role: _cut(picture, placed[role], cut_to) for role, picture in pictures.items()}
    mask = _mask(submit.conditions.mask, files, cut_to or own)
    deep = _deep(placed["source"], files) if TASKS[submit.task].enlarges and "source" in placed else None
    references = tuple(_picture(place, files, "reference") for place in submit.conditions.references)
    request = Request(task=submit.task, **asked, **conditions, mask=mask, deep_source=deep, references=references)
    return CanvasTarget(request, submit.box, own.x if own else 0, own.y if own else 0)


def _own_box(placed: Mapping[str, Placed], pictures: Mapping[str, RGBA]) -> Box | None:
    """The box of the first picture that was given, which the result replaces or joins."""
    for role, picture in pictures.items():
        return Box(placed[role].x, placed[role].y, picture.shape[1], picture.shape[0])
    return None


def _scattered(placed: Mapping[str, Placed]) -> bool:
    return len({(place.x, place.y) for place in placed.values()}) > 1


def _picture(place: Placed, files: Files, role: str) -> RGBA:
    file = files[place.sha256]
    return to_rgba8(_content(file), file["format"], file["width"], file["height"], role)


def _deep(place: Placed, files: Files) -> Deep | None:
    """The picture as it was sent, where that is more than 8 bits."""
    file = files[place.sha256]
    return to_deep(_content(file), file["format"], file["width"], file["height"])


def _mask(place: Placed | None, files: Files, box: Box | None) -> Mask | None:
    if place is None:
        return None
    file = files[place.sha256]
    mask = to_mask(_content(file), file["format"], file["width"], file["height"], "mask")
    if box is None:  # no picture that it could be a part of: the engine says so
        return mask
    return _cut(mask[..., None], place, box)[..., 0]


def _cut(picture: RGBA, place: Placed, box: Box) -> RGBA:
    wanted = box.translated(-place.x, -place.y)
    return picture if wanted == Box(0, 0, picture.shape[1], picture.shape[0]) else crop(picture, wanted)


def _content(file: Mapping[str, Any]) -> memoryview:
    """The file's bytes, mapped, so that they are not copied. Content files are never changed in place."""
    with Path(file["path"]).open("rb") as stream:
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
