"""What an engine offers, as plain JSON values: its models, and its tasks with their parameters, defaults and conditions."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from .families import Family
from .validation import NEEDED, SOURCE_TASKS
from .values.parameters import PIXELS
from .values.request import TASKS, Request, Task


@dataclasses.dataclass(frozen=True)
class Offer:
    """A model that could be opened."""

    name: str
    family: Family
    loaded: bool


def describe(device: str, offers: Iterable[Offer]) -> dict[str, Any]:
    """The value that `welcome` carries to every client."""
    parameters = _parameters()
    models = [
        {
            "name": offer.name,
            "family": offer.family.name,
            "width": offer.family.native,
            "height": offer.family.native,
            "loaded": offer.loaded,
            "tasks": [task for task in TASKS if offer.family.can(task)],
        }
        for offer in offers
    ]
    tasks = {task: {"parameters": parameters, "conditions": _conditions(task)} for task in TASKS}
    return {"device": device, "models": models, "tasks": tasks, "pid": os.getpid()}


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
