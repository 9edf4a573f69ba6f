"""Single choices of the engine against what they replaced, each in turn with it: which of them pays on this device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ..layerdiffuse.transparency import lower_median
from ..models.codec import to_picture
from ..models.runtime import Runtime
from .counts import FREE
from .subject import Subject
from .timing import Action, Contestant, Times, alternate, measure

SMALL = 256 * 256
"""Pixels up to which all activations of a decoder fit into memory at once."""


@dataclass(frozen=True)
class Variant:
    """Median seconds of the same result, made in two ways; of CPU time where the CPU is the device."""

    name: str
    before: float
    after: float


def variants(subject: Subject, repeats: int, *, compiled: bool) -> list[Variant]:
    """All that apply to the device; compilation takes minutes and is asked for separately."""
    found = [_race(name, before, after, subject, repeats) for name, before, after in _pairs(subject)]
    found[:0] = [_layout(subject, repeats), _projections(subject, repeats)]
    if compiled:
        found += _compiled(subject, repeats)
    return found


def _pairs(subject: Subject) -> Iterator[tuple[str, Action, Action]]:
    model, codec = subject.model, subject.codec
    step = _Step(subject)
    yield "guidance: two UNet calls, then one of both halves", step.split, step.together
    yield "UNet step with guidance, then at guidance 1", step.together, step.alone
    yield "UNet step, then as the engine replays it", step.together, step.replayed
    weight = codec.decoder.conv_in.weight
    pixels, latents = subject.pixels.to(weight), (subject.latents / codec.scaling_factor).to(weight)

    def passes(number: int, batch: int) -> Action:
        return lambda: codec.decoder.estimate(pixels, latents, number, batch)

    yield "transparent decoder: one pass at a time, then four", passes(subject.passes, 1), passes(subject.passes, 4)
    yield "transparent decoder: four at a time, then eight", passes(subject.passes, 4), passes(subject.passes, 8)
    if subject.width * subject.height <= SMALL:
        call = step.replayed if model.device.type == "cpu" else step.together  # the kernels in a graph cannot be seen
        yield "UNet step as it is replayed, then its kernels alone", call, _Kernels(call)
        vae, one_pass = torch.no_grad()(lambda: codec.pixels(latents)), passes(1, 1)
        yield "VAE decode, then its kernels alone", vae, _Kernels(vae)
        yield "transparent decoder, one pass, then its kernels alone", one_pass, _Kernels(one_pass)
    each = [torch.rand_like(subject.estimate) for _ in range(8)]
    name = "median of eight: stack and torch.median, then the selection network"
    yield name, lambda: torch.median(torch.stack(each), dim=0), lambda: lower_median(each)
    estimate = subject.estimate
    yield "bytes: converted on the host, then on the device", lambda: _on_host(estimate), lambda: to_picture(estimate)
    if model.device.type == "cuda":
        pinned = torch.empty_like(estimate, device="cpu").pin_memory()
        yield "copy to the host: pageable, then pinned", lambda: estimate.cpu(), lambda: pinned.copy_(estimate)


class _Step:
    """UNet calls on one set of inputs."""

    def __init__(self, subject: Subject) -> None:
        model, text = subject.model, subject.text
        self._unet: Any = model.unet
        self._sample = subject.noise.to(model.dtype).contiguous(memory_format=torch.channels_last)
        self._timestep = torch.tensor(500.0, device=model.device)
        self._embeds, self._added = text.embeds, {}
        if text.pooled is not None:
            self._added = {"text_embeds": text.pooled, "time_ids": text.pooled.new_zeros(len(text.pooled), 6)}
        self._recorded = Runtime(model.device, "recorded").accelerator()

    @property
    def inputs(self) -> list[Tensor]:
        """The inputs of both halves of guidance."""
        return [self._sample.repeat(2, 1, 1, 1), self._timestep, self._embeds, *self._added.values()]

    @torch.no_grad()
    def call(self, sample: Tensor, timestep: Tensor, embeds: Tensor, *parts: Tensor) -> Tensor:
        added = dict(zip(self._added, parts, strict=True))
        output: Tensor = self._unet(sample, timestep, embeds, added_cond_kwargs=added, return_dict=False)[0]
        return output

    def replayed(self) -> None:
        self._recorded.call(self._unet, self.call, self.inputs, constant=1 + len(self._added))

    def together(self) -> None:
        self.call(*self.inputs)

    def split(self) -> None:
        self._half(slice(0, 1))
        self.alone()

    def alone(self) -> None:
        """At guidance 1: the prompt's half, without the negative one."""
        self._half(slice(1, 2))

    def _half(self, half: slice) -> None:
        sample, timestep, embeds, *parts = self.inputs
        self.call(sample[half], timestep, embeds[half], *(part[half] for part in parts))


class _Kernels(TorchDispatchMode):
    """The kernels that an action runs, one after another without what is around them: the least it could take.

    Kept with what they were given, so it takes the memory of all activations at once. Called from Python each, which is still
    more than nothing.
    """

    def __init__(self, action: Action) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._calls: list[tuple[Any, Any, Any]] = []
        with self:
            action()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not func.is_view and func._schema.name not in FREE:
            self._calls.append((func, args, kwargs or {}))
        return func(*args, **(kwargs or {}))

    @torch.no_grad()
    def __call__(self) -> None:
        for func, args, kwargs in self._calls:
            func(*args, **kwargs)


def _race(name: str, before: Action, after: Action, subject: Subject, repeats: int) -> Variant:
    return _alternated(name, Contestant("before", {name: before}), Contestant("after", {name: after}), subject, repeats)


def _alternated(name: str, before: Contestant, after: Contestant, subject: Subject, repeats: int) -> Variant:
    device = subject.model.device
    times = alternate([before, after], repeats, device)
    return Variant(name, times[before.name][name].steady(device), times[after.name][name].steady(device))


def _layout(subject: Subject, repeats: int) -> Variant:
    name = "UNet: torch's layout, then channels_last"
    step, unet = _Step(subject), subject.model.unet
    before = Contestant("before", {name: step.together}, lambda: unet.to(memory_format=torch.contiguous_format))
    after = Contestant("after", {name: step.together}, lambda: unet.to(memory_format=torch.channels_last))
    return _alternated(name, before, after, subject, repeats)


def _projections(subject: Subject, repeats: int) -> Variant:
    """Queries, keys and values in one product, as diffusers joins them; the joined weights come on top of the others."""
    name = "UNet: attention's projections one by one, then joined"
    step, unet = _Step(subject), subject.model.unet
    layers: list[Any] = [module for module in unet.modules() if isinstance(module, Attention)]

    def one_by_one() -> None:
        unet.unfuse_qkv_projections()

    def joined() -> None:
        unet.fuse_qkv_projections()

    unet.original_attn_processors = None
    try:
        stage = {name: step.together}
        contestants = Contestant("before", stage, one_by_one), Contestant("after", stage, joined)
        return _alternated(name, *contestants, subject, repeats)
    finally:
        one_by_one()
        for layer in layers:
            layer.fused_projections = False
            for joint in ("to_qkv", "to_kv"):
                layer._modules.pop(joint, None)


def _compiled(subject: Subject, repeats: int) -> Iterator[Variant]:
    """A UNet step eager and with its repeated blocks compiled; and how long that takes in the background."""
    step, unet, device = _Step(subject), subject.model.unet, subject.model.device
    eager, compiling, compiled = Times(), Times(), Times()
    for _ in range(repeats + 1):
        measure(step.together, device, eager)
    compiler = Runtime(device, "compiled").accelerator()

    def run() -> None:
        compiler.call(unet, step.call, step.inputs)

    run()
    measure(compiler.wait, device, compiling)

    run()  # where a device has graphs, this call makes one
    for _ in range(repeats + 1):
        measure(run, device, compiled)
    yield Variant("UNet step: eager, then with its blocks compiled", eager.steady(device), compiled.steady(device))
    yield Variant("UNet step: eager, then compiling its blocks", eager.steady(device), compiling.steady(device))


def _on_host(alpha_rgb: Tensor) -> None:
    (alpha_rgb[0].permute(1, 2, 0).cpu().float().numpy() * 255).clip(0, 255).astype("uint8")
