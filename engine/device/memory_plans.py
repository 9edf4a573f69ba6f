"""Ways to run a model within the memory there is, predicted from counts: which would fit, and which comes after a failure.

Knows numbers only: no tensor, no device and no network. The counts are those of performance.md 7, made on the operators
themselves; they are for 16 bit and grow with pixels and with bytes per element.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Stage = Literal["text", "encode", "denoise", "decode"]

Offload = Literal["nothing", "text", "stages", "layers"]
"""What waits in host memory: nothing; text encoders; all that the present stage does not use; and all UNet layers but one."""

MIB, GIB = 2**20, 2**30

RESERVE = GIB
"""Kept free on an accelerator beyond every prediction: workspaces of the libraries and fragmentation (performance.md 7)."""

TEXT_ACTIVATIONS = 128 * MIB
VAE_ENCODE, VAE_DECODE = 1.3 * GIB, 1.5 * GIB
DECODER_PASS = 0.63 * GIB
"""Bytes of one pass of the transparent decoder. All three are per megapixel (2^20 pixels of the picture)."""

TILE = 512
"""Side in pixels of a tile of the tiled VAE."""


@dataclass(frozen=True)
class MemoryPlan:
    """How a model uses memory. Everything but the last two gives the same picture, up to rounding."""

    offload: Offload = "nothing"
    decoder_batch: int = 1
    """Passes of the transparent decoder at once."""
    guidance_together: bool = True
    """Both halves of classifier-free guidance in one UNet call."""
    tiled_vae: bool = False
    """The VAE decodes tile by tile: seams may show faintly."""
    fp8: bool = False
    """The UNet's large weights are stored in 8 bit and computed in 16."""

    @property
    def whole(self) -> bool:
        """The UNet's layers only compute; else each also fetches or widens its weights as it runs."""
        return not (self.fp8 or self.offload == "layers")

    @property
    def exact(self) -> bool:
        return not (self.tiled_vae or self.fp8)


@dataclass(frozen=True)
class NetworkSizes:
    """What a model's networks weigh, in bytes, and how wide their numbers are."""

    unet_activations: int
    """Bytes per sample and megapixel, at 16 bit."""
    text: int
    unet: int
    pixels: int
    """The VAE and both of LayerDiffuse's networks."""
    largest_layer: int
    """The UNet's largest layer."""
    unet_element: int = 2
    """Bytes per number of the UNet's arithmetic."""
    narrow: bool = False
    """Whether its weights are stored narrower than that, and widened as its layers run."""
    vae_element: int = 2
    decoder_element: int = 2


@dataclass(frozen=True)
class Workload:
    """The largest sizes that a job asks for."""

    pixels: int
    """Pixels of the working canvas."""
    samples: int
    """Samples in a UNet call with guidance in one batch."""

    @property
    def megapixels(self) -> float:
        return self.pixels / 2**20


def accelerator_plans() -> tuple[MemoryPlan, ...]:
    """Every plan for a device with memory of its own, in the order of preference: exact and fast ones first."""
    exact = tuple(plan for offload in ("nothing", "text", "stages", "layers") for plan in _batches(MemoryPlan(offload=offload)))
    smallest = exact[-1]
    return (*exact, replace(smallest, tiled_vae=True), *_approximate())


def _batches(plan: MemoryPlan) -> Iterator[MemoryPlan]:
    for batch in (8, 4, 2, 1):
        yield replace(plan, decoder_batch=batch)
    yield replace(plan, decoder_batch=1, guidance_together=False)


def _approximate() -> Iterator[MemoryPlan]:
    """Where layers one by one do not fit, or host memory not all that moves."""
    yield MemoryPlan(offload="text", fp8=True)
    yield MemoryPlan(offload="text", fp8=True, guidance_together=False, tiled_vae=True)


def host_plans(*, narrow: bool = False) -> tuple[MemoryPlan, ...]:
    """For a CPU, whose networks are where they run: one pass at a time, as batches gain nothing there (performance.md 9).

    Narrow weights are views of a mapped file, of which the layer that runs holds its own.
    """
    plan = MemoryPlan(offload="layers" if narrow else "nothing")
    apart = replace(plan, guidance_together=False)
    return (plan, apart, replace(apart, tiled_vae=True))


def need(plan: MemoryPlan, stage: Stage, sizes: NetworkSizes, work: Workload) -> int:
    """Bytes on the device at the highest point of `stage`: weights and activations, without `RESERVE`."""
    return _weights(plan, stage, sizes) + int(_activations(plan, stage, sizes, work))


def peak(plan: MemoryPlan, sizes: NetworkSizes, work: Workload) -> int:
    """The highest `need` of all stages."""
    stages: tuple[Stage, ...] = ("text", "encode", "denoise", "decode")
    return max(need(plan, stage, sizes, work) for stage in stages)


def host_need(plan: MemoryPlan, sizes: NetworkSizes) -> int:
    """Bytes that wait in host memory: copies of what moves, and the originals of 8-bit weights."""
    moving = sizes.unet + sizes.pixels if plan.offload in ("stages", "layers") else 0
    text = 0 if plan.offload == "nothing" else sizes.text
    return text + moving + (sizes.unet if plan.fp8 else 0)


def choose(plans: Sequence[MemoryPlan], sizes: NetworkSizes, work: Workload, free: int, host_free: int) -> MemoryPlan:
    """The first plan that fits in `free` bytes of the device and `host_free` of the host; the smallest where none does."""
    fitting = (plan for plan in plans if peak(plan, sizes, work) <= free and host_need(plan, sizes) <= host_free)
    return next(fitting, None) or min(plans, key=lambda plan: peak(plan, sizes, work))


def after(
    plans: Sequence[MemoryPlan], failed: MemoryPlan, stage: Stage, sizes: NetworkSizes, work: Workload
) -> MemoryPlan | None:
    """The next plan that takes less at `stage`, where `failed` did not fit; `None` when there is none."""
    later = plans[plans.index(failed) + 1 :] if failed in plans else plans
    limit = need(failed, stage, sizes, work)
    return next((plan for plan in later if need(plan, stage, sizes, work) < limit), None)


def _weights(plan: MemoryPlan, stage: Stage, sizes: NetworkSizes) -> int:
    text = sizes.text if stage == "text" or plan.offload == "nothing" else 0
    stays = plan.offload in ("nothing", "text")
    pixels = sizes.pixels if stage in ("encode", "decode") or stays else 0
    unet = sizes.unet if stage == "denoise" or stays else 0
    if plan.offload == "layers" and stage == "denoise":
        unet = min(unet, 4 * sizes.largest_layer)  # the one that runs, and those that come and go meanwhile
    if plan.fp8:
        unet = unet // sizes.unet_element + sizes.largest_layer
    if sizes.narrow and unet:
        unet += sizes.unet_element * sizes.largest_layer  # the layer that runs, twice as wide, and a change of its weights
    return text + pixels + unet


def _activations(plan: MemoryPlan, stage: Stage, sizes: NetworkSizes, work: Workload) -> float:
    if stage == "text":
        return TEXT_ACTIVATIONS * sizes.unet_element / 2
    if stage == "denoise":
        samples = work.samples if plan.guidance_together else max(1, work.samples // 2)
        return sizes.unet_activations * samples * work.megapixels * sizes.unet_element / 2
    area = min(work.megapixels, (TILE / 1024) ** 2) if plan.tiled_vae else work.megapixels
    vae = (VAE_ENCODE if stage == "encode" else VAE_DECODE) * area * sizes.vae_element / 2
    decoder = DECODER_PASS * plan.decoder_batch * work.megapixels * sizes.decoder_element / 2
    return max(vae, decoder) if stage == "decode" else vae
