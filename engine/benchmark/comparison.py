"""The engine compared with diffusers' pipeline and the reference's way, stage by stage: a table of values, nothing printed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..models.model import Model
from ..values.errors import BadRequest
from .counts import Operation, count
from .ours import Ours
from .plain import Plain
from .reference import Reference
from .roofline import Peak, floor_seconds, peak_of
from .subject import Subject
from .timing import Contestant, Times, alternate, measure, peak_memory
from .variants import Variant, variants

PER_STEP = "denoise"
"""The stage whose time is divided by the steps."""


@dataclass(frozen=True)
class Options:
    """What is compared."""

    size: int | None = None
    """Side of the square picture in pixels; `None` means the model's native one."""
    steps: int | None = None
    passes: int = 8
    repeats: int = 3
    from_disk: bool = True
    """Opening the model reads it from disk."""
    alone: bool = False
    """Leave out the other contestants: they keep whole networks on the device, which a small one cannot hold."""
    variants: bool = False
    compiled: bool = False
    stages: tuple[str, ...] = ()
    """Only these, and no whole picture unless it is among them; empty means all."""


@dataclass(frozen=True)
class ComparisonRow:
    """One stage; times in seconds, medians."""

    stage: str
    seconds: Mapping[str, float]
    """Seconds by contestant."""
    cpu_seconds: Mapping[str, float]
    ratios: Mapping[str, float]
    """Ours divided by each other contestant's; by CPU time where the CPU is the device."""
    floor: float | None = None
    """The least time that the device could take, every kernel on its own."""
    fused_floor: float | None = None
    """The same with everything fused into matrix products, convolutions and attention."""


@dataclass(frozen=True)
class Comparison:
    """Everything that one run of the benchmark found."""

    model: str
    device: str
    peak: str
    """The device's peak rates that the floors assume; empty where there are none for this device."""
    threads: int
    size: tuple[int, int]
    steps: int
    passes: int
    repeats: int
    load: float | None
    """Seconds to open the model from disk; `None` for a synthetic one."""
    cold: float | None
    """Seconds of the first whole picture after that; `None` where none was asked for."""
    cancel: float | None
    """Seconds until the device rests after a cancel in the middle of the steps; `None` as above."""
    plan: str
    """How the engine used memory."""
    rows: tuple[ComparisonRow, ...]
    memory: Mapping[str, int]
    """Peak bytes of a whole picture by contestant."""
    variants: tuple[Variant, ...] = ()


def compare(load: Callable[[], Model], options: Options) -> Comparison:
    """Open the model, run everything, and return the measurements."""
    began = time.perf_counter()
    model = load()
    loading = time.perf_counter() - began
    subject = _subject(model, options)
    ours, reference = Ours(subject), Reference(subject)
    peak = peak_of(model.device)
    floors = _floors(subject) if peak else {}  # before a plan hooks the networks
    model.memory.prepare(subject.width, subject.height, samples=2)
    whole = not options.stages or "whole" in options.stages
    cold = Times()
    if whole:
        measure(ours.whole, model.device, cold)
    contestants = [ours.contestant()]
    if not options.alone:
        contestants += [Plain(subject).contestant(), reference.contestant()]
    contestants = [_limited(one, options.stages) for one in contestants]
    times = alternate(contestants, options.repeats, model.device)
    memory = {}
    for one in contestants:
        if "whole" in one.stages:
            one.prepare()
            memory[one.name] = peak_memory(one.stages["whole"], model.device)
            one.finish()
    ours.prepare()
    cancel = ours.cancel() if whole else None
    rows = [_row(stage, contestants, times, subject) for stage in contestants[0].stages]
    if peak:
        rows = [_with_floor(row, floors, peak) for row in rows]
    return Comparison(
        model=model.name,
        device=str(model.device),
        peak=peak.name if peak else "",
        threads=torch.get_num_threads(),
        size=(subject.width, subject.height),
        steps=subject.steps,
        passes=subject.passes,
        repeats=options.repeats,
        load=loading if options.from_disk else None,
        cold=cold.seconds if whole else None,
        cancel=cancel,
        plan=str(model.memory.plan),
        rows=tuple(rows),
        memory=memory,
        variants=tuple(variants(subject, options.repeats, compiled=options.compiled)) if options.variants else (),
    )


def _subject(model: Model, options: Options) -> Subject:
    side = options.size or model.sizes.native
    width, height = model.sizes.frame(side, side, "cover").working
    if options.size and (width, height) != (side, side):
        raise BadRequest(f"{model.name} does not work at {side} x {side}", f"the size for it is {width} x {height}")
    return Subject(model, width, height, options.steps or model.defaults.steps, model.defaults.guidance_scale, options.passes)


def _limited(contestant: Contestant, stages: tuple[str, ...]) -> Contestant:
    kept = {name: action for name, action in contestant.stages.items() if not stages or name in stages}
    return replace(contestant, stages=kept)


def _row(stage: str, contestants: list[Contestant], times: Mapping[str, Mapping[str, Times]], subject: Subject) -> ComparisonRow:
    ours, *others = (one.name for one in contestants)
    taken = {name: times[name][stage] for name in (ours, *others) if stage in times[name]}
    share = subject.steps if stage == PER_STEP else 1
    device = subject.model.device
    return ComparisonRow(
        stage=stage,
        seconds={name: one.seconds / share for name, one in taken.items()},
        cpu_seconds={name: one.cpu_seconds / share for name, one in taken.items()},
        ratios={name: taken[ours].steady(device) / taken[name].steady(device) for name in others if name in taken},
    )


def _with_floor(row: ComparisonRow, floors: Mapping[str, list[Operation]], peak: Peak) -> ComparisonRow:
    if row.stage not in floors:
        return row
    alone, fused = (floor_seconds(floors[row.stage], peak, fused=fused) for fused in (False, True))
    return replace(row, floor=alone, fused_floor=fused)


def _floors(subject: Subject) -> dict[str, list[Operation]]:
    """The operations of the stages that networks dominate; `whole` is their sum."""
    model, codec = subject.model, subject.codec
    batch = 2 if subject.guidance_scale > 1 else 1
    sample = subject.noise.to(model.dtype).expand(batch, -1, -1, -1)
    embeds = subject.text.embeds[-batch:]
    extra: dict[str, Any] = {}
    if subject.text.pooled is not None:
        pooled = subject.text.pooled[-batch:].to("meta")
        extra["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": pooled.new_zeros(batch, 6)}
    timestep = torch.zeros((), device="meta")
    step = count(model.unet, lambda x, c: model.unet(x, timestep, c, return_dict=False, **extra), sample, embeds)
    latents = subject.latents
    vae = count(codec.vae, lambda x: codec.vae.decode(x, return_dict=False), latents.to(codec.vae.dtype))
    weight = codec.decoder.conv_in.weight
    single = count(codec.decoder, codec.decoder, subject.pixels.to(weight), latents.to(weight))
    transparent = single * subject.passes
    return {PER_STEP: step, "vae": vae, "transparent": transparent, "whole": step * subject.steps + vae + transparent}
