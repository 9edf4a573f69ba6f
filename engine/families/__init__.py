"""The families of base models: a file for each, and the table that everything else looks one up in.

A family is asked for what is particular to it; code outside this folder never compares names. Nothing here knows torch, so that
files can be listed and requests checked before it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from acetate.vocabulary.roles import Role
from acetate.vocabulary.tasks import TASKS

from ..values.errors import BadRequest
from ..values.recipes import Recipe
from .base import BaseFamily, Defaults, Family, FamilyName, NativeFamily, drawn_as
from .qwen21 import QWEN21
from .sd15 import SD15
from .sdxl import SDXL
from .sketchpad import SKETCHPAD

__all__ = [
    "BASE_FAMILIES",
    "TITLES",
    "ONE_OF_TITLES",
    "FAMILIES",
    "NATIVE_FAMILIES",
    "NEWEST_FIRST",
    "SKETCHPAD",
    "BaseFamily",
    "Defaults",
    "Family",
    "FamilyName",
    "NativeFamily",
    "drawn_as",
    "recipes_for",
    "without_effect",
]

BASE_FAMILIES: Mapping[str, BaseFamily] = {family.name: family for family in (SD15, SDXL)}
"""Those whose models are files that artists have, by name, the oldest first."""

NATIVE_FAMILIES: Mapping[str, NativeFamily] = {family.name: family for family in (QWEN21,)}
"""Those whose models draw RGBA by themselves."""

FAMILIES: Mapping[str, Family] = {**BASE_FAMILIES, **NATIVE_FAMILIES, SKETCHPAD.name: SKETCHPAD}

NEWEST_FIRST = tuple(BASE_FAMILIES.values())[::-1]
"""Whose a file is, is asked in this order: files of a newer family have the names of an older one's and more."""

_titles = [family.title for family in BASE_FAMILIES.values()]
TITLES = " and ".join(_titles)
ONE_OF_TITLES = f"{SD15.article} {' or '.join(_titles)}"
"""The titles with an article, for sentences: `… checkpoint is needed`."""


def recipes_for(family: Family, task: str, given: frozenset[Role], injection: str) -> tuple[Recipe, ...]:
    """The runs of a task on a family, with pictures of the roles `given`. Raises `BadRequest` if it has no weights for it."""
    key = drawn_as(task)
    if key not in family.recipes:
        able = " or ".join(name for name, other in FAMILIES.items() if key in other.recipes)
        raise BadRequest(f"task {task!r} cannot be done by {family.name} models", f"choose a model of family {able}")
    runs = family.recipes[key]
    if TASKS[task].one_of:
        runs = (next((run for run in runs if given.issuperset(run.conditions)), runs[-1]),)
    if injection == "convolution":
        runs = tuple(run if run.convolution is None else replace(run, weights=run.convolution) for run in runs)
    return runs


_OF_BASE_MODELS = ("clip_skip", "spacing", "fast")
"""Parameters of what native families do not have: CLIP text encoders, a choice of noise levels, distilled LoRAs."""


def without_effect(family: Family, runs: Sequence[Recipe]) -> frozenset[str]:
    """The parameters that would change nothing in these runs: `runs` are as `recipes_for` gives them."""
    carried = {run.weights for run in runs}
    effects = {
        "injection": any(run.convolution for run in runs),
        "layer_weight": any(run.weights and not run.sharing for run in runs),
        "stop_at": carried != {None},
        "loras": not family.bundled,
        "alpha_passes": any(run.transparent for run in runs) and not isinstance(family, NativeFamily),
        **{name: not isinstance(family, NativeFamily) for name in _OF_BASE_MODELS},
        "scheduler": len(family.schedulers) > 1,
        "wrap": isinstance(family, NativeFamily) and any(run.transparent for run in runs),
    }
    return frozenset(name for name, works in effects.items() if not works)
