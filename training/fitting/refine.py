"""Train an exported model further for some minutes, on a GPU: every stage of the recipe once, and an export after each.

A stage that fails, or makes its measure worse, leaves what was before it. The codec's latents are what the denoiser has learnt,
so the two are kept, or not, together.
"""

from __future__ import annotations

import copy
import shutil
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from .. import export
from ..pictures import pools, tokenizer
from ..pictures.rendering import Drawn
from . import autoencoder, sharing, stages, timed
from .sharing import Scenes, Units

SHARES = {"codec": 80, "denoiser": 130, "decoders": 30, **dict.fromkeys(sharing.FILES, 28)}
"""Shares of the time, in the order of the stages. What the pictures lacked most was shape, which is the denoiser's."""
RESERVE = 12.0
"""Seconds at the end for the last measurement and export."""
ERROR = 0.25
"""Noise in the latents for the decoders' measure: half of the most that they are trained for."""


@dataclass(frozen=True)
class Sizes:
    """Pictures or scenes per step, captions per thing, and how many pictures are measured."""

    codec: int = 60  # at 64 and more, diffusers' upsamplers leave channels_last
    denoiser: int = 256
    sharing: int = 64
    captions: int = 48
    prompts: int = 16
    measured: int = 256

    def times(self, factor: float) -> Sizes:
        """The batches larger or smaller by `factor`, with at least one picture each."""
        batches = {name: max(1, round(getattr(self, name) * factor)) for name in ("codec", "denoiser", "sharing")}
        return replace(self, **batches)


@dataclass(frozen=True)
class Clock:
    """Divides what is left of the time."""

    deadline: float
    """In `time.monotonic`'s seconds."""
    stages: tuple[str, ...] = tuple(SHARES)
    """The stages that are run."""

    def seconds(self, stage: str) -> float:
        """Seconds for a stage, by its share of those that remain. Raises `TimeoutError` when there is no time left."""
        order = [each for each in SHARES if each in self.stages]
        left = self.deadline - RESERVE - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no time is left for {stage}")
        return left * SHARES[stage] / sum(SHARES[later] for later in order[order.index(stage) :])


@dataclass
class Refinement:
    """The best networks so far, on the device, and what they are trained with."""

    start_from: Path
    destination: Path
    drawn: Drawn
    clock: Clock
    device: torch.device
    sizes: Sizes = field(default_factory=Sizes)

    def run(self) -> None:
        """Run all of the clock's stages."""
        self.words = tokenizer.kept(self.start_from / "tokenizer")
        codec, network = export.read(self.start_from)
        self.codec, self.network = codec.to(self.device), network.to(self.device)
        self.units = {role: self._read(role) for role in sharing.FILES}
        self.data = torch.from_numpy(self.drawn.pictures).to(self.device)
        self.sample = self.data[stages.evenly(len(self.data), self.sizes.measured, self.device)]
        self._pictures()
        self._attempt("decoders", self._decoders)
        if not self.units.keys().isdisjoint(self.clock.stages):
            scenes = self._scenes()
            for role in self.units:
                self._attempt(role, lambda role=role: self._sharing(role, scenes))  # type: ignore[misc]

    def _pictures(self) -> None:
        """Codec and denoiser: both, or the denoiser alone."""
        captions = pools.Captions.write(self.words, self.drawn.items, self.sizes.captions, self.device)
        before = self.codec
        self._attempt("codec", self._codec)
        self.latents = autoencoder.encoded(self.codec, self.data)
        if self._attempt("denoiser", lambda: self._denoiser(captions)) or self.codec is before:
            return
        print("the codec is given up with its denoiser", flush=True)
        self.codec, self.latents = before, autoencoder.encoded(before, self.data)

    def _codec(self) -> None:
        trained = stages.codec(self.codec, self.data, self.clock.seconds("codec"), self.sizes.codec)
        old, new = (stages.fidelity(codec, self.sample) for codec in (self.codec, trained))
        if _said("codec", "PSNR", old, new, better=new > old):
            self.codec = trained

    def _denoiser(self, captions: pools.Captions) -> None:
        seconds, batch = self.clock.seconds("denoiser"), self.sizes.denoiser
        trained = stages.network(self.network, self.latents, captions, seconds, batch)
        old, new = (stages.error(n, self.latents, captions, self.sizes.measured) for n in (self.network, trained))
        if _said("denoiser", "loss", old, new, better=new < old):
            self.network = trained
            self._export()

    def _decoders(self) -> None:
        trained = stages.decoders(self.codec, self.data, self.latents, self.clock.seconds("decoders"), self.sizes.codec)
        for wrong in (0.0, ERROR):
            old, new = (stages.fidelity(codec, self.sample, wrong) for codec in (self.codec, trained))
            better = _said("decoders", f"PSNR at an error of {wrong}", old, new, better=new > old)
        if better:
            self.codec = trained
            self._export()

    def _sharing(self, role: str, scenes: Scenes) -> None:
        recipe, old_units = sharing.FILES[role], self.units[role]
        tokens = pools.of_scenes(self.words, self.drawn.names, recipe, self.sizes.prompts, self.device)
        shared = stages.Shared(old_units, self.network, scenes, tokens, recipe)
        trained = shared.train(role, self.clock.seconds(role), self.sizes.sharing)
        old, new = (shared.error(units, self.sizes.measured) for units in (old_units, trained))
        if _said(role, "loss", old, new, better=new < old):
            self.units[role] = trained
            self._export()

    def _scenes(self) -> Scenes:
        layers = torch.from_numpy(self.drawn.layers).to(self.device)
        grey = torch.from_numpy(self.drawn.over_grey).to(self.device)
        latents = {layer: autoencoder.encoded(self.codec, layers[:, i]) for i, layer in enumerate(sharing.LAYERS)}
        return Scenes(self.drawn.names, latents, {"foreground": grey[:, 0], "background": grey[:, 1]})

    def _read(self, role: str) -> Units:
        units = Units(self.network.unet, sharing.FILES[role])
        sharing.read(units, self.start_from / "layers" / f"{role}.safetensors")
        return units.to(self.device)

    def _attempt(self, name: str, stage: Callable[[], None]) -> bool:
        """Whether the stage came to its end, if it is one of those that are run; it alone changes what is best."""
        if name not in self.clock.stages:
            return False
        try:
            stage()
        except Exception:  # earlier stages are kept, and later ones still have their time
            traceback.print_exc()
            print(f"{name} failed", flush=True)
            return False
        finally:
            timed.release(self.device)
        return True

    def _export(self) -> None:
        """Write the best so far, first under another name next to the destination."""
        codec, network = copy.deepcopy(self.codec).cpu(), copy.deepcopy(self.network).cpu()
        autoencoder.stretch_alpha(codec.decoder)
        chosen = torch.from_numpy(export.sample(len(self.latents))).to(self.device)
        preview = export.preview_of(self.latents[chosen].cpu(), self.data[chosen].cpu())
        beside = self.destination.with_name(self.destination.name + ".new")
        shutil.rmtree(beside, ignore_errors=True)
        export.save(beside, codec, network, preview)
        shutil.copytree(self.start_from / "tokenizer", beside / "tokenizer")
        for role, units in self.units.items():
            sharing.write(copy.deepcopy(units).cpu(), beside / "layers" / f"{role}.safetensors")
        shutil.rmtree(self.destination, ignore_errors=True)
        beside.rename(self.destination)
        print(f"exported, {self.clock.deadline - time.monotonic():.0f} s before the end", flush=True)


def prepare(device: torch.device) -> None:
    """Start the device, and let it compute as fast as the networks bear."""
    torch.set_float32_matmul_precision("high")
    if device.type == "cuda":
        torch.backends.cudnn.benchmark_limit = 4  # instead of ten: trials cost seconds, of which there are few
        torch.backends.cuda.enable_cudnn_sdp(False)  # it builds a kernel for every shape, which takes as long
        print(f"on {torch.cuda.get_device_name(device)}, torch {torch.__version__}", flush=True)
    torch.ones(1, device=device)


def _said(stage: str, measure: str, old: float, new: float, *, better: bool) -> bool:
    print(f"{stage}: {measure} {old:.4f} before, {new:.4f} after{'' if better else ': not kept'}", flush=True)
    return better
