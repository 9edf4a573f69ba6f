"""The weight files that a request takes besides its base model, known before anything is opened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from acetate.vocabulary.parameters import PARAMETERS
from acetate.vocabulary.roles import ROLES
from acetate.vocabulary.tasks import TASKS

from .families import ONE_OF_TITLES, BaseFamily, Family, recipes_for, without_effect
from .files.library import Find
from .upscaling.upscale import redraws
from .values.errors import BadRequest, ModelMissing
from .values.recipes import Recipe
from .values.request import Request

DECODER = "transparent-decoder"


def uses_model(request: Request) -> bool:
    """Whether the request uses a base model: enlarging alone does not, whatever name it carries."""
    return not TASKS[request.task].enlarges or redraws(request)


def roles_of(request: Request, family: Family) -> tuple[str, ...]:
    """Catalogue roles of the files that the request cannot do without.

    Raises `BadRequest` where the family cannot do it, or would ignore what was asked. A transparent encoder is not among them:
    without one a source is encoded as the plain VAE sees it.
    """
    if TASKS[request.task].enlarges:
        mode = request.upscaling.get("mode")
        if mode == "redraw" and not family.opaque:
            raise BadRequest(
                f"{request.model} cannot redraw opaque colour: it has learnt transparent layers only",
                f"choose mode refine, or {ONE_OF_TITLES} model",
            )
        if mode != "refine":
            return ()
        recipes = recipes_for(family, "refine", frozenset(), request.injection)
    else:
        given = frozenset(role for role in ROLES if getattr(request, role) is not None)
        recipes = recipes_for(family, request.task, given, request.injection)
    _refuse_ignored(request, family, recipes)
    roles = [recipe.weights for recipe in recipes if recipe.weights is not None]
    if isinstance(family, BaseFamily) and any(recipe.transparent for recipe in recipes):
        roles.append(DECODER)
    return tuple(roles)


def _refuse_ignored(request: Request, family: Family, recipes: Sequence[Recipe]) -> None:
    """Raise `BadRequest` for an option that would change nothing."""
    idle = without_effect(family, recipes)
    for name in _REFUSED:
        value = getattr(request, name)
        if name in idle and value != PARAMETERS[name].default:
            said = f"{name} {value!r}"
            raise BadRequest(f"{said} would change nothing in task {request.task!r} of {family.name} models", "leave it out")
    if request.scheduler is not None and request.scheduler not in family.schedulers:
        able = f"one of {', '.join(family.schedulers)}"
        raise BadRequest(f"{family.title} models are not sampled by scheduler {request.scheduler!r}", able)


_REFUSED = ("injection", "layer_weight", "stop_at", "clip_skip", "spacing", "fast", "wrap")
"""The parameters that are refused where they would change nothing; others may come from any form."""


def check(family: Family, roles: Iterable[str], find: Find) -> None:
    """Raise one `ModelMissing` for everything that is missing, with the commands that download it."""
    missing: list[ModelMissing] = []
    for role in roles:
        try:
            find(family, role)
        except ModelMissing as error:
            missing.append(error)
    if missing:
        hints = dict.fromkeys(error.hint for error in missing)
        raise ModelMissing("; ".join(str(error) for error in missing), "; ".join(hints))
