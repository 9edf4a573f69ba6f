"""What an engine offers, as plain JSON values: its models, and its tasks with their parameters, defaults and conditions."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from .validation import NEEDED, SOURCE_TASKS
from .values.parameters import PIXELS
from .values.recipes import RECIPES, Family
from .values.request import TASKS, Request, Task


@dataclasses.dataclass(frozen=True)
class Offer:
    """A model that could be opened."""

    name: str
    family: Family
    native: int
    """Side of its usual picture in pixels."""
    loaded: bool


def describe(device: str, offers: Iterable[Offer]) -> dict[str, Any]:
    """The value that `welcome` carries to every client."""
    parameters = _parameters()
    models = [
        {
            "name": offer.name,
            "family": offer.family,
            "width": offer.native,
            "height": offer.native,
            "loaded": offer.loaded,
            "tasks": list(tasks_of(offer.family)),
        }
        for offer in offers
    ]
    tasks = {task: {"parameters": parameters, "conditions": _conditions(task)} for task in TASKS}
    return {"device": device, "models": models, "tasks": tasks, "pid": os.getpid()}


def tasks_of(family: Family) -> list[Task]:
    """Tasks that a family has weights for."""
    able = set(RECIPES[family]) | {"refine", "repaint", "upscale"}
    return [task for task in TASKS if task in able or task == "blend" and family == "sdxl"]


def _parameters() -> dict[str, Any]:
    defaults = Request()
    fields = (field.name for field in dataclasses.fields(Request))
    values = {name: getattr(defaults, name) for name in fields if name not in PIXELS and name != "task"}
    return {name: dict(value) if name == "prompts" else value for name, value in values.items()}


def _conditions(task: Task) -> list[str]:
    """What the task cannot do without; `blend` takes a background in the foreground's place as well."""
    if task == "blend":
        return ["foreground"]
    mask = ["mask"] if task == "repaint" else []
    return (["source"] if task in SOURCE_TASKS else []) + mask + list(NEEDED.get(task, ()))
