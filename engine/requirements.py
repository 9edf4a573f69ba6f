"""The weight files that a request takes beside its base model: known before anything is opened.

Knows recipes; does not know where a file lies.
"""

from __future__ import annotations

from collections.abc import Iterable

from .errors import ModelMissing
from .recipes import Family, recipes_for
from .request import ROLES, Request
from .weights import Find

DECODER = "transparent-decoder"


def uses_model(request: Request) -> bool:
    """Whether a base model has a part in it: enlarging alone takes none, whatever name the request carries."""
    return request.task != "upscale" or (request.strength != 0 and request.upscaling.get("mode") != "enlarge")


def roles_of(request: Request, family: Family) -> tuple[str, ...]:
    """Catalogue roles of what the request cannot do without; raises `BadRequest` where the family has no way to do it.

    A transparent encoder is not among them: without one a source is encoded as the plain VAE sees it.
    """
    if request.task == "upscale":
        if request.upscaling.get("mode") != "refine":
            return ()
        recipes = recipes_for(family, "refine", frozenset(), request.injection)
    else:
        given = frozenset(role for role in ROLES if getattr(request, role) is not None)
        recipes = recipes_for(family, request.task, given, request.injection)
    roles = [recipe.weights for recipe in recipes if recipe.weights is not None]
    if family != "sketchpad" and any(recipe.transparent for recipe in recipes):
        roles.append(DECODER)
    return tuple(roles)


def check(family: Family, roles: Iterable[str], find: Find) -> None:
    """Raise one `ModelMissing` for all that is not there, with the commands that bring it."""
    missing: list[ModelMissing] = []
    for role in roles:
        try:
            find(family, role)
        except ModelMissing as error:
            missing.append(error)
    if missing:
        hints = dict.fromkeys(error.hint for error in missing)
        raise ModelMissing("; ".join(str(error) for error in missing), "; ".join(hints))
