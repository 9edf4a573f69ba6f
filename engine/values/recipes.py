"""Which weights, conditions and frames make which layers: the tasks as data, one row a denoising run.

Knows names and order (layerdiffuse.md 4.1, 5.1, 5.3, 6); knows no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from acetate.vocabulary.roles import Role
from acetate.vocabulary.tasks import TASKS

from .errors import BadRequest

Family = Literal["sd15", "sdxl", "sketchpad"]


@dataclass(frozen=True)
class Recipe:
    """One denoising run."""

    frames: tuple[Role, ...]
    """The layers that come out of one run, in batch order."""
    weights: str | None
    """The catalogue role of the weight file that the UNet carries; `None` runs the UNet as it is."""
    conditions: tuple[Role, ...] = ()
    """Pictures that the run sees, in channel order: given by the request or made by an earlier run."""
    transparent: bool = False
    """The foreground frame is decoded to RGBA."""
    sharing: bool = False
    """The weights are attention-sharing units (SD 1.5), not patches."""


def _sharing(frames: tuple[Role, ...], weights: str, conditions: tuple[Role, ...] = (), *, transparent: bool = True) -> Recipe:
    return Recipe(frames, weights, conditions, transparent, sharing=True)


_SD15: Mapping[str, tuple[Recipe, ...]] = {
    "foreground": (_sharing(("foreground",), "transparent-attention"),),
    "scene": (_sharing(("foreground", "background", "blended"), "joint"),),
    "background": (_sharing(("background", "blended"), "foreground-to-background", ("foreground",), transparent=False),),
    "object": (_sharing(("foreground", "blended"), "background-to-foreground", ("background",)),),
}

_SDXL_FOREGROUND = Recipe(("foreground",), "transparent-attention", transparent=True)
_SDXL_BLEND_FOREGROUND = Recipe(("blended",), "foreground-to-blended", ("foreground",))
_SDXL_BLEND_BACKGROUND = Recipe(("blended",), "background-to-blended", ("background",))
_SDXL_BACKGROUND = Recipe(("background",), "foreground-blended-to-background", ("foreground", "blended"))
_SDXL_OBJECT = Recipe(("foreground",), "background-blended-to-foreground", ("background", "blended"), transparent=True)

RECIPES: Mapping[Family, Mapping[str, tuple[Recipe, ...]]] = {
    "sd15": _SD15,
    "sketchpad": {**_SD15, "foreground": (Recipe(("foreground",), None, transparent=True),)},
    "sdxl": {
        "foreground": (_SDXL_FOREGROUND,),
        "scene": (_SDXL_FOREGROUND, _SDXL_BLEND_FOREGROUND, _SDXL_BACKGROUND),
        "background": (_SDXL_BLEND_FOREGROUND, _SDXL_BACKGROUND),
        "object": (_SDXL_BLEND_BACKGROUND, _SDXL_OBJECT),
        "extract-background": (_SDXL_BACKGROUND,),
        "extract-foreground": (_SDXL_OBJECT,),
    },
}


def recipes_for(
    family: Family, task: str, given: frozenset[Role], injection: Literal["attention", "convolution"]
) -> tuple[Recipe, ...]:
    """The runs that a task takes on a family; raises `BadRequest` where the family has no weights for it."""
    if task == "blend" and family == "sdxl":
        return (_SDXL_BLEND_FOREGROUND if "foreground" in given else _SDXL_BLEND_BACKGROUND,)
    table = RECIPES[family]
    key = "foreground" if TASKS[task].keeps_size else task
    if key not in table:
        able = [name for name, tasks in RECIPES.items() if key in tasks or key == "blend" and name == "sdxl"]
        raise BadRequest(f"task {task!r} cannot be done by {family} models", f"choose a model of family {' or '.join(able)}")
    runs = table[key]
    if injection == "convolution" and family == "sdxl":
        runs = tuple(
            Recipe(r.frames, "transparent-convolution", r.conditions, True) if r is _SDXL_FOREGROUND else r for r in runs
        )
    return runs
