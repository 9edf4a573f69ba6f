"""A transparent layer enlarged without fringes: colour padded under alpha, alpha on its own way, both of one size at the end.

Three modes (`vocabulary.upscaling.Mode`): interpolation or a network alone; then the colour redrawn by the unpatched base model
(Ultimate SD Upscale, layerdiffuse.md 9); or the transparent layer itself refined. Knows their order; runs no network itself, and
imports torch only where one runs.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from acetate.raster import RGB, RGBA, Deep, lanczos, resize_deep, to_u8
from acetate.vocabulary.parameters import LARGEST_SIDE
from acetate.vocabulary.upscaling import Mode
from numpy.typing import NDArray
from PIL import Image

from .. import builtin
from ..pixels import quality
from ..pixels.alpha import pad_rgb
from ..pixels.initial_images import strength_of
from ..pixels.upscale_options import UpscaleOptions, options_of
from ..values.errors import BadRequest
from ..values.parameters import to_json
from ..values.request import Picture, Progress, Request
from .alpha_channel import edges, enlarge_alpha, is_for_the_network
from .meter import Meter
from .upscaler_files import EXTRA, SpandrelMissing

if TYPE_CHECKING:
    from ..models.model import Model
    from ..sampling.installed_weights import InstalledWeights
    from .upscalers import Network, Upscalers

ENLARGED = 0.2
"""Share of a job that enlarging is taken for, when a redraw follows."""

INTERPOLATED = 1.5
"""A network whose result is still too small by more than this runs once more; less is left to Lanczos."""

TRUSTED_ALPHA = 16
"""From this alpha (of 255) on a pixel's own colour is kept; the less there is below, the more comes from its surroundings."""

SAME_SHAPE = 0.97
"""From this soft intersection over union on two alphas count as one shape (layerdiffuse.md 8.2)."""

EIGHT_BITS = "the colours come back with 8 bits in sRGB: no network draws in more; only enlarging keeps the layer's own"

OF_A_MODEL = (
    "prompt",
    "negative_prompt",
    "strength",
    "steps",
    "guidance_scale",
    "scheduler",
    "spacing",
    "clip_skip",
    "fast",
    "count",
    "lock_alpha",
    "loras",
)
"""Fields of a request that only a base model heeds."""

_DEFAULTS = Request()


@dataclass(frozen=True, eq=False)
class _Job:
    """A request made concrete."""

    request: Request
    source: RGBA
    options: UpscaleOptions
    mode: Mode
    size: tuple[int, int]
    network: Network | None
    model: Model | None
    """`None` for `enlarge`."""
    notes: tuple[str, ...]
    """What a person should know of the result."""


@dataclass(frozen=True)
class Networks:
    """What a job opens its networks with, where it takes any."""

    open_model: Callable[[], Model]
    weights: InstalledWeights
    upscalers: Upscalers


def redraws(request: Request) -> bool:
    """Whether a base model draws, too; the built-in one only where that is asked for."""
    mode = options_of(request.upscaling).mode
    return mode != "enlarge" and strength_of(request) > 0 and bool(mode or request.model != builtin.NAME)


def interpolates(request: Request) -> bool:
    """Whether the request takes no network at all."""
    return request.upscaler is None and not redraws(request)


def upscale(requests: Sequence[Request], networks: Networks | None = None) -> Iterator[Progress | Picture]:
    """Run a checked `upscale`, a request for each picture; a base model is opened only where one is used.

    One that `interpolates` needs no `networks`. Stop iterating to cancel after a tile or a step.
    """
    job = _plan(replace(requests[0], count=len(requests)), networks)
    meter = Meter()
    enlarged = yield from _enlarge(job, meter)
    drawn = requests if job.model else requests[:1]
    for index, one in enumerate(drawn):
        if job.model is not None:
            job = replace(job, request=_settled(one, job.model, strength_of(one)))
        meter.begin(ENLARGED + (1 - ENLARGED) * (index + 1) / len(drawn))
        rgba = yield from _drawn_anew(job, enlarged, networks, meter)
        yield replace(_picture(job, rgba, index, tuple(_warnings(job, rgba, enlarged))), deep=_deep(job))


def keeps_depth(request: Request) -> bool:
    """Whether the result has its source's depth: no network can draw in more than 8 bits."""
    return request.deep_source is not None and interpolates(request)


def _deep(job: _Job) -> Deep | None:
    deep = job.request.deep_source
    return resize_deep(deep, *job.size) if deep is not None and keeps_depth(job.request) else None


def target_size(request: Request) -> tuple[int, int]:
    """Width and height of the result: those asked for, one of them and the source's aspect, or the source's times `scale`.

    Raises `BadRequest` for a side that is too long.
    """
    assert request.source is not None
    height, width = request.source.shape[:2]
    if request.width and request.height:
        size = (request.width, request.height)
    else:
        factor = request.width / width if request.width else request.height / height if request.height else request.scale
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if max(size) > LARGEST_SIDE:
        raise BadRequest(
            f"the result would be {size[0]} x {size[1]} pixels; a side has at most {LARGEST_SIDE}", "choose a smaller factor"
        )
    return size


def padded(rgba: RGBA) -> RGB:
    """Opaque colour for networks, `(H, W, 4)` straight -> `(H, W, 3)`: hidden colour is filled from what is visible around it.

    Unlike the bare `pad_rgb` it keeps the colour of half-transparent pixels: in glass and smoke that is the picture. Measured on
    such pictures (tests/bench/upscale_quality.py): 61 instead of 43 dB.
    """
    trust = np.minimum(rgba[..., 3:].astype(np.uint16) * (255 // TRUSTED_ALPHA + 1), 255).astype(np.uint8)
    return to_u8(pad_rgb(np.concatenate([rgba[..., :3], trust], axis=2)))


def _plan(request: Request, networks: Networks | None) -> _Job:
    assert request.source is not None
    options, size = options_of(request.upscaling), target_size(request)
    strength = strength_of(request)
    model = None
    if networks is not None and redraws(request):
        model = networks.open_model()
    mode = _mode(options, model)
    network: Network | None = None
    notes = tuple(_ignored(request, options, mode))
    if request.deep_source is not None and not keeps_depth(request):
        notes += (EIGHT_BITS,)
    if networks is not None and request.upscaler is not None:
        try:
            network = networks.upscalers.open(request.upscaler)
        except SpandrelMissing:
            notes += (f"upscaler {request.upscaler!r} was not used, as spandrel is missing ({EXTRA}); Lanczos was used",)
    return _Job(
        request=request if model is None else _settled(request, model, strength),
        source=request.source,
        options=options,
        mode=mode,
        size=size,
        network=network,
        model=model if mode != "enlarge" else None,
        notes=notes,
    )


def _settled(request: Request, model: Model, strength: float) -> Request:
    """The request with the model's defaults filled in, so that the result's parameters repeat it."""
    defaults = model.defaults
    return replace(
        request,
        strength=strength,
        steps=request.steps or defaults.steps,
        guidance_scale=defaults.guidance_scale if request.guidance_scale is None else request.guidance_scale,
        scheduler=request.scheduler or defaults.scheduler,
    )


def _mode(options: UpscaleOptions, model: Model | None) -> Mode:
    """The mode asked for, else the best one that the model can do."""
    if model is None:
        return "enlarge"
    return options.mode or ("redraw" if model.family.opaque else "enlarge")


def _ignored(request: Request, options: UpscaleOptions, mode: Mode) -> Iterator[str]:
    """What was asked for and has no effect in this mode."""
    names = [] if mode == "redraw" else list(options.given)
    if mode == "enlarge":
        names = [name for name in OF_A_MODEL if getattr(request, name) not in (getattr(_DEFAULTS, name), 0)] + names
    if names:
        reason = "nothing was redrawn" if mode == "enlarge" else "a layer is refined in tiles of the model's own size"
        yield f"{', '.join(names)} had no effect: {reason}"


def _enlarge(job: _Job, meter: Meter) -> Generator[Progress, None, RGBA]:
    """Colour and alpha by network or interpolation, at the target's size."""
    source, size, network = job.source, job.size, job.network
    end = 1.0 if job.mode == "enlarge" else ENLARGED
    if network is None and size == (source.shape[1], source.shape[0]):
        return source
    colour, alpha = padded(source), np.ascontiguousarray(source[..., 3])
    grey = None
    raw = job.options.colour == "network"
    if network is not None and is_for_the_network(job.options.alpha, alpha):
        colour = yield from _networked(network, colour, alpha > 0, size, meter, end / 2, raw)
        wide = np.repeat(alpha[..., None], 3, axis=2)
        grey = (yield from _networked(network, wide, edges(alpha), size, meter, end)).mean(axis=2).round().astype(np.uint8)
    elif network is not None:
        colour = yield from _networked(network, colour, alpha > 0, size, meter, end, raw)
    meter.begin(end)
    yield meter.at("upscale", 1, 1)
    return np.dstack([lanczos(colour, size), enlarge_alpha(alpha, grey, size)])


def _networked(
    network: Network, picture: RGB, shown: NDArray[np.bool_], size: tuple[int, int], meter: Meter, end: float, raw: bool = False
) -> Generator[Progress, None, RGB]:
    """Through a network as often as `size` asks for; each run but the first gets no more pixels than the result needs.

    A 4x network on its way to 8x sees the source, and then its own result at twice the source's size. What is left, up to
    `INTERPOLATED`, is interpolation's. The result has the last run's size, not `size`.
    """
    factor = max(size[0] / picture.shape[1], size[1] / picture.shape[0])
    runs = 1
    while network.scale > 1 and factor > network.scale**runs * INTERPOLATED:
        runs += 1
    start = meter.fraction
    for run in range(1, runs + 1):
        if run > 1:
            ahead = network.scale ** (runs - run + 1)
            needed = (min(picture.shape[1], -(-size[0] // ahead)), min(picture.shape[0], -(-size[1] // ahead)))
            picture = lanczos(picture, needed)
            shown = np.asarray(Image.fromarray(shown).resize(needed, Image.Resampling.NEAREST))
        meter.begin(start + (end - start) * run / runs)
        picture = yield from network.enlarge(picture, shown, partial(meter.at, "upscale"), raw=raw)
    return picture


def _drawn_anew(job: _Job, enlarged: RGBA, networks: Networks | None, meter: Meter) -> Generator[Progress, None, RGBA]:
    """The enlarged layer, redrawn by the base model where the mode asks for it."""
    if job.model is None or networks is None:
        return enlarged
    from .tiled_img2img import Redraw  # imports torch

    request, native = job.request, job.model.sizes.native
    assert request.strength is not None
    redraw = Redraw(job.model, networks.weights, request, request.seed, request.strength, meter)
    if job.mode == "refine":
        return (yield from redraw.layer(enlarged, native))
    alpha = np.ascontiguousarray(enlarged[..., 3])
    # At an unchanged size nothing was enlarged, and hidden colour is still the source's own.
    colour = padded(enlarged) if enlarged is job.source else np.ascontiguousarray(enlarged[..., :3])
    return np.dstack([(yield from redraw.colour(colour, alpha, job.options.tiling(native))), alpha])


def _picture(job: _Job, rgba: RGBA, index: int, warnings: tuple[str, ...]) -> Picture:
    height, width = rgba.shape[:2]
    done = {**job.request.upscaling, "mode": job.mode}
    asked = replace(job.request, count=1, width=width, height=height, upscaling=done)
    if asked.upscaler is not None:
        asked = replace(asked, upscaler=Path(asked.upscaler).stem)  # the file's folder is private
    return Picture(
        rgba=rgba,
        role="foreground",
        index=index,
        seed=asked.seed,
        parameters={**to_json(asked), **({**job.model.noted, **job.model.runtime.noted} if job.model else {})},
        quality=quality.measure(rgba),
        warnings=warnings,
    )


def _warnings(job: _Job, rgba: RGBA, enlarged: RGBA) -> Iterator[str]:
    """What a person should know of the layer."""
    yield from job.notes
    if job.model is not None:
        yield from job.model.notes
        yield from job.model.memory.notes
    if job.model is not None and job.mode == "refine":
        yield from job.model.codec.notes
        share = quality.soft_overlap(rgba[..., 3], enlarged[..., 3])
        if share < SAME_SHAPE:
            yield f"the layer's shape has changed (its alpha overlaps the old one by {share:.0%}): lock alpha to keep it"
