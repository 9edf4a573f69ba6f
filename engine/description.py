"""What an engine offers, as plain JSON values: its models, and its tasks with their parameters, defaults and conditions."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from acetate.vocabulary.parameters import SCHEDULERS, SPACINGS
from acetate.vocabulary.tasks import DEFAULT, TASKS

from .families import FAMILIES, Family, drawn_as, without_effect
from .values.request import Request

PREVIEWS = "previews"
"""Where a description tells the files of the LoRAs' pictures: for the server that asks, not for its clients."""


@dataclasses.dataclass(frozen=True)
class Offer:
    """A model that could be opened."""

    name: str
    family: Family
    loaded: bool


def describe(device: str, offers: Iterable[Offer]) -> dict[str, Any]:
    """The value that `welcome` carries to every client."""
    models = [
        {
            "name": offer.name,
            "family": offer.family.name,
            "width": offer.family.native,
            "height": offer.family.native,
            "sizes": dataclasses.asdict(offer.family.sizes),
            "loaded": offer.loaded,
            "tasks": [task for task in TASKS if offer.family.can(task)],
        }
        for offer in offers
    ]
    return {
        "device": device,
        "models": models,
        "families": {family.name: described_family(family) for family in FAMILIES.values()},
        "tasks": described_tasks(),
        "schedulers": list(SCHEDULERS),
        "spacings": list(SPACINGS),
        "pid": os.getpid(),
    }


def described_tasks() -> dict[str, Any]:
    """For each task, the parameters that it heeds with their defaults, and the pictures that it cannot do without."""
    defaults = Request()
    return {
        name: {"parameters": {one: getattr(defaults, one) for one in row.parameters}, "conditions": list(row.conditions)}
        for name, row in TASKS.items()
    }


def described_family(family: Family) -> dict[str, Any]:
    """What models of a family do by themselves: the values of what a request leaves out, and per task what changes nothing."""
    return {
        "title": family.title,
        "schedulers": list(family.schedulers),
        "defaults": {**dataclasses.asdict(family.defaults), "clip_skip": -family.text_layer},
        "idle": {task: sorted(without_effect(family, family.recipes[_drawn(task)])) for task in TASKS if family.can(task)},
    }


def _drawn(task: str) -> str:
    """The task whose runs draw it: what is enlarged may be drawn once more, as any layer is."""
    return drawn_as(DEFAULT if TASKS[task].enlarges else task)


def families_of(task: str) -> list[Family]:
    """The families that have weights for a task."""
    return [family for family in FAMILIES.values() if family.can(task)]
