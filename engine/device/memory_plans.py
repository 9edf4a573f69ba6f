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

OFFLOADS: tuple[Offload, ...] = ("nothing", "text", "stages", "layers")

MIB, GIB = 2**20, 2**30

RESERVE = GIB
"""Kept free on an accelerator beyond every prediction: workspaces of the libraries and fragmentation (performance.md 7)."""

TEXT_ACTIVATIONS = 128 * MIB

TILE = 512
"""Side in pixels of a tile of the tiled VAE."""


@dataclass(frozen=True)
class PixelWork:
    """What a family's way between pixels and latents takes: bytes per megapixel (2^20 pixels of the picture), at 16 bit."""

    encode: float = 1.3 * GIB
    decode: float = 1.5 * GIB
    decoder_pass: float = 0.63 * GIB
    """Of one pass of the transparent decoder."""
    strips: tuple[float, float] | None = None
    """Encoding and decoding in strips of rows, where these are exact; else the VAE's parts are tiles of one size."""


LATENT_DIFFUSION = PixelWork()


@dataclass(frozen=True)
class MemoryPlan:
    """How a model uses memory. Everything but the last two gives the same picture, up to rounding."""

    offload: Offload = "nothing"
    decoder_batch: int = 1
    """Passes of the transparent decoder at once."""
    guidance_together: bool = True
    """Both halves of classifier-free guidance in one UNet call."""
    tiled_vae: bool = False
    """The VAE works part by part: seams of tiles may show faintly, strips are exact."""
    fp8: bool = False
    """The UNet's large weights are stored in 8 bit and computed in 16."""

    @property
    def whole(self) -> bool:
        """The UNet's layers only compute; else each also fetches or widens its weights as it runs."""
        return not (self.fp8 or self.offload == "layers")

    def exact(self, pixel_work: PixelWork = LATENT_DIFFUSION) -> bool:
        """Whether it gives the same picture as every other such plan, up to rounding."""
        return not self.fp8 and (not self.tiled_vae or pixel_work.strips is not None)


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
    pixel_work: PixelWork = LATENT_DIFFUSION
    kept: int = 0
    """Bytes that stay from the first step on, per sample and megapixel of the pictures that it is shown, at 16 bit."""


@dataclass(frozen=True)
class Workload:
    """The largest sizes that a job asks for."""

    pixels: int
    """Pixels of the working canvas."""
    samples: int
    """Samples in a UNet call with guidance in one batch."""
    shown: int = 0
    """Pixels of all pictures that the model is shown beside what it draws."""

    @property
    def megapixels(self) -> float:
        return self.pixels / 2**20


def accelerator_plans(pixel_work: PixelWork = LATENT_DIFFUSION) -> tuple[MemoryPlan, ...]:
    """Every plan for a device with memory of its own, in the order of preference: exact and fast ones first."""
    among = _batches if pixel_work.strips is None else _strips
    exact = tuple(plan for offload in OFFLOADS for plan in among(MemoryPlan(offload=offload)))
    tiles = (replace(exact[-1], tiled_vae=True),) if pixel_work.strips is None else ()
    return (*exact, *tiles, *_approximate())


def _batches(plan: MemoryPlan) -> Iterator[MemoryPlan]:
    for batch in (8, 4, 2, 1):
        yield replace(plan, decoder_batch=batch)
    yield replace(plan, decoder_batch=1, guidance_together=False)


def _strips(plan: MemoryPlan) -> Iterator[MemoryPlan]:
    """With an autoencoder that is exact in strips: these cost less time than moving a network."""
    yield plan
    yield replace(plan, tiled_vae=True)
    yield replace(plan, tiled_vae=True, guidance_together=False)


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
        seen = work.megapixels + work.shown / 2**20  # in the first step, which reads what is shown too
        kept = sizes.kept * work.samples * work.shown / 2**20  # by either half of guidance, whichever runs
        return (sizes.unet_activations * samples * seen + kept) * sizes.unet_element / 2
    each = sizes.pixel_work
    vae = (each.encode if stage == "encode" else each.decode) * work.megapixels
    if plan.tiled_vae and each.strips is not None:
        vae = each.strips[0 if stage == "encode" else 1] * work.megapixels
    elif plan.tiled_vae:
        vae *= min(1.0, (TILE / 1024) ** 2 / work.megapixels)
    vae *= sizes.vae_element / 2
    decoder = each.decoder_pass * plan.decoder_batch * work.megapixels * sizes.decoder_element / 2
    return max(vae, decoder) if stage == "decode" else vae
