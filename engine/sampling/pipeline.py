"""From a request to layers: one pipeline for every task, with conditions as its parts.

Each task is a row of recipes (`recipes.py`); every recipe is one denoising run. What runs before are conditions of those after.
Iterate for progress and pictures; stop iterating to cancel between two steps.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from acetate.raster import RGBA, Mask, resample, to_float
from acetate.vocabulary.roles import ROLES, Role
from acetate.vocabulary.tasks import TASKS
from acetate.vocabulary.working_sizes import Fit
from torch import Tensor

from ..families import NativeFamily, recipes_for
from ..models.codec import most_passes
from ..models.model import Model
from ..native_rgba.references import References, area_shown
from ..pixels import initial_images
from ..pixels.alpha import fit, over_grey
from ..pixels.initial_images import strength_of
from ..pixels.inpaint_region import region_around
from ..sketch.showing import shown
from ..values.recipes import Recipe
from ..values.request import Picture, Progress, Request
from .denoising_loop import DenoisingStep, noise_like
from .finishing import Job, brought_back, finished_picture, picture_of, together
from .flow_guidance import wants_transparency
from .flow_matching import FlowStep
from .guidance import pictures_at_once
from .installed_weights import InstalledWeights
from .meter import Meter
from .retries import is_covered, is_opaque, until_transparent
from .runs import Loop, denoised, guidance_of, loop_for


@dataclass(frozen=True)
class _Seen:
    """What the networks see of the request's pictures; the same for every picture of `count`."""

    starts: dict[Role, Tensor]
    """Latents that the layers begin from."""
    latents: dict[Role, Tensor]
    """Conditions that join the UNet's input."""
    controls: dict[Role, Tensor]
    """Conditions of attention sharing, `(1, 3, H, W)` in [0, 1]."""
    references: References
    """What a model that sees pictures is shown."""


def generate(model: Model, requests: Sequence[Request], weights: InstalledWeights) -> Iterator[Progress | Picture]:
    """Run checked requests that differ in words, LoRAs and seed alone, one for each picture; it comes as soon as it is ready."""
    job = _plan(model, requests[0])
    if TASKS[job.request.task].keeps_size and not _loop(job).count:
        yield from _unchanged(job, requests)
        return
    _settle(job, requests)
    meter = Meter(_cost(job) * len(requests))
    seen = _see(job)

    def draw(index: int, request: Request) -> Iterator[Progress | Picture]:
        return _one(replace(job, request=request), seen, index, weights, meter)

    for index, request in enumerate(requests):
        if _may_forget_transparency(job):
            judge = is_covered if job.recipes[-1].sees else is_opaque
            yield from until_transparent(partial(draw, index), request, len(requests), judge)
        else:
            yield from draw(index, request)


def _may_forget_transparency(job: Job) -> bool:
    """Whether a transparent layer may come out opaque with one seed and not with the next."""
    request, recipe = job.request, job.recipes[-1]
    if not isinstance(job.model.family, NativeFamily) or request.wrap == "off" or len(job.recipes) > 1:
        return False
    return request.source is None or (recipe.sees and request.mask is None and wants_transparency(request, recipe))


def _unchanged(job: Job, requests: Sequence[Request]) -> Iterator[Picture]:
    """The source itself, where no step would change it: encoding and decoding alone would only blur it."""
    for index, request in enumerate(requests):
        assert request.source is not None
        yield picture_of(replace(job, request=request), request.source.copy(), "foreground", index, ())


def _settle(job: Job, requests: Sequence[Request]) -> None:
    """Choose how the model uses memory for a job of this size."""
    most = max(pictures_at_once(request, recipe, job.guidance_scale) for request in requests for recipe in job.recipes)
    shown = 0 if job.shown is None else area_shown(job.shown, job.request.references)
    job.model.memory.prepare(*job.frame.working, most, shown)


def _plan(model: Model, request: Request) -> Job:
    given = frozenset(role for role in ROLES if getattr(request, role) is not None)
    recipes = recipes_for(model.family, request.task, given, request.injection)
    region, source, mask = None, request.source, request.mask
    if mask is not None:
        assert source is not None
        region = region_around(mask, model.sizes.native)
        source, mask = (np.ascontiguousarray(part[region.slices]) for part in (source, mask))
    width, height = _target(request, model, source if TASKS[request.task].keeps_size else None)
    alone = source is None and recipes[0].frames == ("foreground",) and not recipes[0].conditions
    covering: Fit = "cover" if alone else "contain"
    frame = model.sizes.frame(width, height, covering)
    defaults = model.defaults
    pictures = {role: frame.to_working(fit(getattr(request, role), width, height, request.resize_mode)) for role in given}
    sees = recipes[-1].sees
    rough = None if source is None else frame.to_working(fit(source, width, height, request.resize_mode), carried_on=sees)
    begins = rough is not None and (not sees or (mask is not None and not recipes[-1].cuts_out))
    made = dict.fromkeys(role for recipe in recipes for role in recipe.frames)
    return Job(
        request=request,
        model=model,
        recipes=recipes,
        frame=frame,
        fit=covering,
        steps=request.steps or defaults.steps,
        guidance_scale=guidance_of(request, model),
        scheduler=request.scheduler or defaults.scheduler,
        spacing=request.spacing,
        passes=request.alpha_passes or defaults.alpha_passes,
        region=region,
        starts=initial_images.starts(request.task, made, rough, pictures) if rough is not None and begins else {},
        mask=None if mask is None else frame.mask_to_working(mask),
        shown=rough if sees else None,
        given=pictures,
    )


def _target(request: Request, model: Model, layer: RGBA | None) -> tuple[int, int]:
    """Width and height of the result: those of the layer that is changed, else what was asked for, else the first picture's."""
    if layer is not None:
        return layer.shape[1], layer.shape[0]
    pictures = (request.background, request.foreground, request.blended, request.source)
    condition = next((picture for picture in pictures if picture is not None), None)
    height, width = condition.shape[:2] if condition is not None else (model.sizes.native, model.sizes.native)
    return request.width or width, request.height or height


def _cost(job: Job) -> int:
    """Steps that the meter will count: encodes, denoising steps, decoder passes."""
    steps = _loop(job).count
    each = sum(steps + (most_passes(job.passes) if recipe.transparent else 1) for recipe in job.recipes)
    return max(1, each)


def _see(job: Job) -> _Seen:
    codec, given = job.model.codec, job.given
    joining = {role for recipe in job.recipes if not recipe.sharing for role in recipe.conditions}
    return _Seen(
        starts={role: codec.encode(p) if role == "foreground" else codec.encode_opaque(p) for role, p in job.starts.items()},
        latents={role: codec.encode_opaque(picture) for role, picture in given.items() if role in joining},
        controls={role: _control(picture) for role, picture in given.items()},
        references=References() if job.shown is None else References.of(codec, job.shown, job.request.references),
    )


def _one(job: Job, seen: _Seen, index: int, weights: InstalledWeights, meter: Meter) -> Iterator[Progress | Picture]:
    """All layers of picture `index`."""
    seed = job.request.seed
    latents = dict(seen.latents)
    reference = shown(job.model.recall, job.request, seen.starts.get("foreground"), job.model.codec.encode)
    finished: dict[Role, tuple[RGBA, tuple[str, ...]]] = {}
    for number, recipe in enumerate(job.recipes, start=1):
        # An earlier run's layers would lose what its weights are for: transparency, or the picture that they blend in.
        asked = job.request if recipe is job.recipes[-1] else replace(job.request, stop_at=1.0)
        with weights.installed(job.model, recipe, asked, seen.controls) as switch:
            frames = yield from _denoise(job, recipe, seed, seen, latents, switch, meter, reference.latents)
        for role, sample in zip(recipe.frames, frames.split(1), strict=True):
            latents[role] = sample
            if role == "foreground" and recipe.transparent:
                decoding = job.model.codec.decode(sample, job.passes)
                done = 0
                for done in decoding:
                    yield meter.progress("decode", done, decoding.passes)
                meter.skip(decoding.passes - done)
                finished[role] = brought_back(job, recipe, decoding.rgba)
                if any(role in later.conditions for later in job.recipes[number:]):
                    latents[role] = job.model.codec.encode_opaque(decoding.rgba)  # as a given layer is seen, over mid-grey
            else:
                finished[role] = brought_back(job, recipe, job.model.codec.decode_opaque(sample))
        if not recipe.transparent:
            yield meter.progress("decode", 1, 1)
    if TASKS[job.request.task].takes_apart:
        finished = together(job, finished)
    for role in ROLES:
        if role in finished:
            yield reference.noted(finished_picture(job, *finished[role], role, index))


def _denoise(
    job: Job,
    recipe: Recipe,
    seed: int,
    seen: _Seen,
    latents: dict[Role, Tensor],
    switch: Any,
    meter: Meter,
    reference: Tensor | None,
) -> Generator[Progress, None, Tensor]:
    """One run; returns `(frames, C, h, w)` latents in sampling space."""
    model = job.model
    denoiser = _loop(job)
    frames = len(recipe.frames)
    noise = noise_like((frames, *_latent_shape(job)), seen.references.seed(seed)).to(model.device)
    clean = torch.cat([seen.starts[role] for role in recipe.frames]) if seen.starts else None
    keep = None if job.mask is None or clean is None else partial(_keep, denoiser, clean, noise, _latent_mask(job.mask, clean))
    sample = denoiser.start(noise, clean) if denoiser.count else clean
    assert sample is not None
    denoiser.latents = sample
    told = {"latents": latents, "switch": switch, "keep": keep, "references": seen.references, "reference": reference}
    for step in denoised(denoiser, sample, model, recipe, job.request, **told):
        yield meter.progress("denoise", step.index, step.count, partial(_preview, model, step))
    return denoiser.latents


def _loop(job: Job) -> Loop:
    _, rows, columns = _latent_shape(job)
    return loop_for(job.model, job.request, strength_of(job.request), rows * columns)


def _latent_shape(job: Job) -> tuple[int, int, int]:
    """Channels, rows and columns of the working canvas in latents."""
    codec, (width, height) = job.model.codec, job.frame.working
    return codec.latent_channels, height // codec.spatial, width // codec.spatial


def _preview(model: Model, step: DenoisingStep | FlowStep) -> RGBA:
    """A preview of the first frame."""
    return model.preview(step.clean[:1])


def _keep(denoiser: Loop, clean: Tensor, noise: Tensor, mask: Tensor, sample: Tensor, index: int) -> Tensor:
    """Outside the mask the sample follows the source's own way through the noise levels (layerdiffuse.md 3.5)."""
    return mask * sample + (1 - mask) * denoiser.noised(clean, noise, index)


def _control(picture: RGBA) -> Tensor:
    """`(H, W, 4)` -> `(1, 3, H, W)` in [0, 1], over mid-grey."""
    return torch.from_numpy(over_grey(to_float(picture))).permute(2, 0, 1)[None]


def _latent_mask(mask: Mask, latents: Tensor) -> Tensor:
    """`(H, W)` -> `(1, 1, h, w)` in {0, 1}: a latent that any selected pixel touches may change."""
    touched = resample(to_float(mask)[..., None], latents.shape[3], latents.shape[2], "area") > 1e-3
    return torch.from_numpy(touched[..., 0].astype(np.float32))[None, None].to(latents)
