"""What an engine offers, as plain JSON values: its models, and its tasks with their parameters, defaults and conditions."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from acetate.vocabulary.tasks import TASKS

from .values.recipes import RECIPES, Family
from .values.request import Request


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
    return {"device": device, "models": models, "tasks": described_tasks(), "pid": os.getpid()}


def described_tasks() -> dict[str, Any]:
    """Of each task the parameters that it heeds with their defaults, and the pictures that it cannot do without."""
    defaults = Request()
    return {
        name: {
            "parameters": {one: getattr(defaults, one) for one in row.parameters},
            "conditions": list(row.conditions),
        }
        for name, row in TASKS.items()
    }


def families_of(task: str) -> list[Family]:
    """Families that have weights for a task."""
    return [family for family in RECIPES if task in tasks_of(family)]


def tasks_of(family: Family) -> list[str]:
    """Tasks that a family has weights for."""
    able = set(RECIPES[family])
    return [name for name, row in TASKS.items() if name in able or row.replaces or row.one_of and family == "sdxl"]
