"""What denoising begins from where a request brings a picture: the layer itself, or a rough version of what its task makes.

Knows pictures and their roles; knows no network. Forge begins all layers of a task from one latent; here each one begins from a
picture of its own kind (layerdiffuse.md 6.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acetate.raster import RGBA, over, to_float, to_u8
from acetate.vocabulary.roles import Role
from acetate.vocabulary.tasks import TASKS

from ..values.request import Request


def strength_of(request: Request) -> float:
    """Denoising strength in [0, 1]; 1 where denoising begins from noise: without a source, or with one that is only seen."""
    if request.source is None or TASKS[request.task].instructed:
        return 1.0
    return TASKS[request.task].strength if request.strength is None else request.strength


def starts(task: str, made: Iterable[Role], source: RGBA, given: Mapping[Role, RGBA]) -> dict[Role, RGBA]:
    """An `(H, W, 4)` straight picture for each layer that is `made` on the way; `source` and `given` are of the same size."""
    product = TASKS[task].product
    if product is None:
        return dict.fromkeys(made, source)
    both: dict[Role, RGBA] = {**given, product: source}
    return {role: source if role == product else _composed(both) for role in made}


def _composed(layers: Mapping[Role, RGBA]) -> RGBA:
    """The blended layer as the other two make it up."""
    return to_u8(over(to_float(layers["foreground"]), to_float(layers["background"])))
