"""Check a request before anything is loaded: every refusal names the value and says what would be right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import get_args

from .pixels.upscale_options import options_of
from .values.errors import BadRequest
from .values.request import ROLES, TASKS, Injection, LayerPrompts, Request, ResizeMode, Role, Task

MAX_SIDE = 8192
MAX_PROMPT = 10_000
MAX_COUNT = 64
MAX_STEPS = 500
MAX_SEED = 2**63 - 1

SOURCE_TASKS = frozenset({"refine", "repaint", "upscale"})
"""They start from a picture, which may do without words."""

NEEDED: dict[Task, tuple[Role, ...]] = {
    "background": ("foreground",),
    "object": ("background",),
    "extract-background": ("foreground", "blended"),
    "extract-foreground": ("background", "blended"),
}
"""Conditions that a task cannot do without."""


def check(request: Request) -> None:
    """Raise `BadRequest` for the first thing that is wrong with `request`."""
    _among("task", request.task, TASKS)
    _among("injection", request.injection, get_args(Injection))
    _among("resize mode", request.resize_mode, get_args(ResizeMode))
    _among("layer_prompts", request.layer_prompts, get_args(LayerPrompts))
    for role in request.prompts:
        _among("layer", role, ROLES)
    _check_texts(request)
    _check_numbers(request)
    _check_pictures(request)
    options_of(request.upscaling)


def _check_texts(request: Request) -> None:
    texts = {"prompt": request.prompt, "negative_prompt": request.negative_prompt}
    texts |= {f"prompt of {role}": text for role, text in request.prompts.items()}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise BadRequest(f"{name} is {text!r}; it must be text")
        if len(text) > MAX_PROMPT:
            raise BadRequest(f"{name} has {len(text)} characters; at most {MAX_PROMPT} are taken")
    words = (request.prompt, *request.prompts.values())
    if request.task not in SOURCE_TASKS and not any(text.strip() for text in words):
        raise BadRequest("the prompt is empty", "say in a few words what to draw")


def _check_numbers(request: Request) -> None:
    for name, side in (("width", request.width), ("height", request.height)):
        _within(name, side, 1, MAX_SIDE, whole=True)
    _within("steps", request.steps, 1, MAX_STEPS, whole=True)
    _within("guidance_scale", request.guidance_scale, 0, 100)
    _within("strength", request.strength, 0, 1)
    _within("count", request.count, 1, MAX_COUNT, whole=True)
    _within("seed", request.seed, 0, MAX_SEED, whole=True)
    _within("layer_weight", request.layer_weight, -1, 3)
    _within("stop_at", request.stop_at, 0, 1)
    _within("scale", request.scale, 1, 16)
    if request.alpha_passes not in (None, 1, 2, 4, 8):
        raise BadRequest(f"alpha_passes is {request.alpha_passes!r}; it must be 8, 4, 2 or 1")
    for name, weight in request.loras:
        _within(f"weight of LoRA {name!r}", weight, -10, 10)


def _check_pictures(request: Request) -> None:
    task = request.task
    if task in SOURCE_TASKS and request.source is None:
        raise BadRequest(f"task {task!r} works on a layer, and none was given", "give a source picture")
    if task == "foreground" and request.source is not None:
        raise BadRequest(
            "task 'foreground' begins from nothing, and a source picture was given", "take task 'refine', or leave it out"
        )
    if request.strength is not None and request.source is None:
        raise BadRequest(
            f"strength is {request.strength}, and there is no source picture to keep", "give one, or leave strength out"
        )
    for role in NEEDED.get(task, ()):
        if getattr(request, role) is None:
            raise BadRequest(f"task {task!r} needs a {role} picture, and none was given", f"give a {role} picture")
    if task == "blend" and request.foreground is None and request.background is None:
        raise BadRequest("task 'blend' needs a foreground or a background picture, and none was given")
    if task == "blend" and request.foreground is not None and request.background is not None:
        raise BadRequest("task 'blend' takes a foreground or a background picture, and both were given", "leave one out")
    for name in ("source", "foreground", "background", "blended"):
        picture = getattr(request, name)
        if picture is None:
            continue
        if picture.ndim != 3 or picture.shape[2] != 4 or picture.dtype != "uint8":
            raise BadRequest(f"{name} is {picture.dtype} of shape {picture.shape}; it must be uint8 of shape (height, width, 4)")
        if min(picture.shape[:2]) < 1 or max(picture.shape[:2]) > MAX_SIDE:
            raise BadRequest(f"{name} is {picture.shape[1]} x {picture.shape[0]} pixels; each side must be 1 to {MAX_SIDE}")
    if task == "repaint":
        _check_mask(request)


def _check_mask(request: Request) -> None:
    if request.mask is None:
        raise BadRequest("task 'repaint' needs a mask, and none was given", "select what may change")
    assert request.source is not None
    if request.mask.shape != request.source.shape[:2]:
        height, width = request.source.shape[:2]
        raise BadRequest(f"the mask's shape is {request.mask.shape}; it must be that of the source, {(height, width)}")
    if not request.mask.any():
        raise BadRequest("the mask is empty: nothing is selected", "select what may change")


def _among(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise BadRequest(f"unknown {name} {value!r}", f"one of {', '.join(known)}")


def _within(name: str, value: float | None, least: float, most: float, *, whole: bool = False) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadRequest(f"{name} is {value!r}; it must be a number from {least} to {most}")
    if whole and int(value) != value:
        raise BadRequest(f"{name} is {value!r}; it must be a whole number from {least} to {most}")
    if not least <= value <= most:
        raise BadRequest(f"{name} is {value}; it must be from {least} to {most}")
