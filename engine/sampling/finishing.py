"""From what the networks drew to finished layers: the target's size, the source's own pixels, measures and warnings.

Knows pictures and what was asked for; runs no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from acetate.raster import RGBA, Mask, to_float, to_u8
from acetate.vocabulary.box import Box
from acetate.vocabulary.parameters import Passes
from acetate.vocabulary.roles import Role
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.working_sizes import Drawn, Fit

from ..models.model import Model
from ..pixels import quality
from ..pixels.inpaint_region import paste
from ..pixels.kept_pixels import SEPARATE, changed, cut_out, separation, taken_apart
from ..pixels.working_canvas import WorkingCanvas
from ..values.parameters import to_json
from ..values.recipes import Recipe
from ..values.request import Picture, Request


@dataclass
class Job:
    """A request made concrete for one model."""

    request: Request
    model: Model
    recipes: tuple[Recipe, ...]
    frame: WorkingCanvas
    fit: Fit
    steps: int
    guidance_scale: float
    scheduler: str
    spacing: str | None
    passes: Passes
    region: Box | None
    """`repaint`: the part of the source that is worked on."""
    starts: dict[Role, RGBA]
    """What the layers begin from, on the working canvas; empty where they begin from noise."""
    mask: Mask | None
    shown: RGBA | None
    """The source on the working canvas, where the model sees it beside what it draws."""
    given: dict[Role, RGBA] = field(default_factory=dict)
    """Conditions on the working canvas."""


def brought_back(job: Job, recipe: Recipe, working: RGBA) -> tuple[RGBA, tuple[str, ...]]:
    """The layer at the target's size and, for tasks with a source, in the source; with what a person should know of that.

    `working` is `(H, W, 4)` uint8 straight on the working canvas, as the layer is on the target's.
    """
    request = job.request
    rgba = job.frame.from_working(job.model.codec.enlarged(working) if job.frame.enlarges else working)
    said: tuple[str, ...] = ()
    if recipe.cuts_out:
        rgba, said = _cut_out(job, rgba)
    elif job.region is not None and request.source is not None and request.mask is not None:
        rgba = paste(request.source, rgba, request.mask, job.region)
    elif recipe.sees and request.source is not None:
        meant = changed(request.source, rgba)
        said = () if meant.any() else (quality.UNCHANGED,)
        rgba = paste(request.source, rgba, meant, Box(0, 0, rgba.shape[1], rgba.shape[0]))
    if request.lock_alpha and request.source is not None and TASKS[request.task].keeps_size:
        rgba = np.concatenate([rgba[..., :3], request.source[..., 3:]], axis=2)
    return rgba, said


def together(job: Job, layers: Mapping[Role, tuple[RGBA, tuple[str, ...]]]) -> dict[Role, tuple[RGBA, tuple[str, ...]]]:
    """The two layers of a picture, `(H, W, 4)` uint8 straight, with the colours that show it exactly."""
    assert job.request.source is not None
    (cut, said), (behind, _) = layers["foreground"], layers["background"]
    front, back = taken_apart(job.request.source, cut, behind)
    moved = separation(job.request.source, cut, back)
    return {"foreground": (front, said), "background": (back, (quality.STILL_THERE,) if moved < SEPARATE else ())}


def finished_picture(job: Job, rgba: RGBA, said: tuple[str, ...], role: Role, index: int) -> Picture:
    """The layer, `(H, W, 4)` uint8 straight, as a picture, with what is `said` of it besides."""
    made = picture_of(job, rgba, role, index, drawn=job.model.sizes.drawn(*job.frame.target, job.fit))
    return replace(made, warnings=(*made.warnings, *said))


def _cut_out(job: Job, drawn: RGBA) -> tuple[RGBA, tuple[str, ...]]:
    """The part of the source that was drawn, of the source's size, and what a person should know of it."""
    source, mask = job.request.source, job.request.mask
    assert source is not None
    part = slice(None) if job.region is None else job.region.slices
    cut, same = cut_out(source[part], drawn)
    if mask is not None:
        cut[..., 3] = to_u8(to_float(cut[..., 3]) * to_float(mask[part]))
    whole = np.zeros_like(source)
    whole[part] = cut
    return whole, () if same else (quality.MOVED,)


def picture_of(
    job: Job, rgba: RGBA, role: Role, index: int, warnings: tuple[str, ...] | None = None, drawn: Drawn | None = None
) -> Picture:
    """The finished layer, `(H, W, 4)` uint8 straight; `warnings` replaces what is said of one that was drawn."""
    request, measured = job.request, quality.measure(rgba)
    height, width = rgba.shape[:2]
    asked = replace(
        request,
        width=width,
        height=height,
        steps=job.steps,
        guidance_scale=job.guidance_scale,
        scheduler=job.scheduler,
        spacing=job.spacing,
        alpha_passes=job.passes,
    )
    return Picture(
        rgba=rgba,
        role=role,
        index=index,
        seed=request.seed,
        parameters={**to_json(asked), **job.model.noted, **job.model.runtime.noted},
        quality=measured,
        warnings=tuple(_warnings(job, role, measured)) if warnings is None else warnings,
        hidden=TASKS[request.task].hides(role),
        drawn=drawn,
    )


def _remedy(job: Job) -> str:
    """What else makes the background of a layer transparent, where there is such a thing and it was not asked for."""
    others = any(recipe.convolution for recipe in job.recipes) and job.request.injection == "attention"
    return "take injection convolution with checkpoints retrained far, such as Illustrious or NoobAI" if others else ""


def _warnings(job: Job, role: Role, measured: Mapping[str, float]) -> Iterator[str]:
    """What a person should know of a layer."""
    source = job.request.source if TASKS[job.request.task].keeps_size else None
    part = any(recipe.cuts_out for recipe in job.recipes)
    if role == "foreground" and (part or source is None or int(source[..., 3].min()) < 255):
        yield from quality.warnings(measured, _remedy(job))
        if job.model.caution:
            yield job.model.caution
    yield from job.model.notes
    if job.starts:
        yield from job.model.codec.notes
    yield from job.model.memory.notes
