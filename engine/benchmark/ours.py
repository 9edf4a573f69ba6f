"""This engine as a contestant."""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..device import glibc_malloc
from ..families import Family
from ..layerdiffuse import upsample_conv
from ..layerdiffuse.transparency import lower_median
from ..models.codec import to_picture
from ..models.model import Model
from ..sampling.denoising_loop import DenoisingLoop
from ..sampling.guidance import GuidedUNet
from ..sampling.installed_weights import InstalledWeights
from ..sampling.pipeline import generate
from ..sampling.samplers import Sampler
from ..values.recipes import Recipe
from ..values.request import Picture, Progress, Request
from ..weights import patches
from .subject import PROMPT, SCHEDULER, Subject
from .timing import Contestant, synchronize

RECIPE = Recipe(("foreground",), weights=None, transparent=True)
"""Patched weights cost what plain ones cost; so none are needed here."""

RANK = 256


class Ours:
    """Every stage as the pipeline runs it."""

    name = "acetate"

    def __init__(self, subject: Subject) -> None:
        self._subject, self._model = subject, subject.model
        self._weights = _Unpatched()
        self._number = count()

    def contestant(self) -> Contestant:
        """The stages by name, as `timing.alternate` takes them."""
        stages = {
            "text": self.text,
            "text, known prompt": self.known_text,
            "switch": self.switch,
            "denoise": self.denoise,
            "vae": self.vae,
            "transparent": self.transparent,
            "bytes": self.bytes,
            "whole": self.whole,
        }
        return Contestant(self.name, stages, self.prepare)

    def prepare(self) -> None:
        """Layout and place of the networks as the engine keeps them."""
        networks: list[Any] = [self._model.unet, *self._subject.codec.networks]
        glibc_malloc.keep_freed()
        for network in networks:
            network.to(memory_format=torch.channels_last)
            upsample_conv.sum_weights(network, True)
        for group in self._model.memory.placement.groups:
            self._model.memory.placement.need(group)
        if self._model.device.type != "cpu":  # where weights were moved, kernels are recorded or captured again
            self._denoise(steps=2)
            self.vae()
            self.transparent()

    def text(self) -> None:
        """Encode a prompt that was not seen before."""
        self._model.text.encode(["", f"{PROMPT} number {next(self._number)}"])

    def known_text(self) -> None:
        """Encode a prompt that the encoder remembers."""
        self._model.text.encode(["", PROMPT])

    def switch(self) -> None:
        """From the base model to a task's weights and back: a low-rank change of all attention, as the published files have."""
        placement = self._model.memory.placement
        with placement.editing():
            patch = patches.apply(self._model.unet, self._low_rank)
        with placement.editing(heavily=False):
            patch.revert()

    @cached_property
    def _low_rank(self) -> dict[str, Tensor]:
        changes = {}
        for name, weight in self._model.unet.named_parameters():
            if match := re.fullmatch(r"(.+\.attn[12]\.to_(?:q|k|v|out\.0))\.weight", name):
                outputs, inputs = weight.shape
                changes[f"{match[1]}.lora_A.weight"] = torch.zeros(RANK, inputs, dtype=weight.dtype)
                changes[f"{match[1]}.lora_B.weight"] = torch.zeros(outputs, RANK, dtype=weight.dtype)
        return changes

    def denoise(self) -> None:
        """All steps of one picture, as far as its latents."""
        self._denoise(self._subject.steps)

    @torch.no_grad()
    def _denoise(self, steps: int) -> None:
        subject, model = self._subject, self._model
        denoiser = DenoisingLoop(Sampler(SCHEDULER, model.scheduler_config), steps, 1.0, model.device)
        request = Request(prompt=PROMPT)
        with self._weights.installed(model, RECIPE, request, {}) as switch:
            guided = GuidedUNet(model, RECIPE, request, subject.guidance_scale, {}, switch, denoiser)
            start = denoiser.start(subject.noise, None)
            for _ in denoiser.run(start, guided.predict, torch.Generator("cpu").manual_seed(0)):
                pass

    @torch.no_grad()
    def vae(self) -> None:
        """The VAE's decode, as far as its pixels."""
        self._subject.codec.pixels(self._subject.latents / self._subject.codec.scaling_factor)

    @torch.no_grad()
    def transparent(self) -> None:
        """All passes, their median and its bytes, from the VAE's pixels on."""
        subject, codec = self._subject, self._subject.codec
        weight = codec.decoder.conv_in.weight
        unscaled = (subject.latents / codec.scaling_factor).to(weight)
        batch = self._model.memory.plan.decoder_batch

        def one_call(*inputs: Tensor) -> Tensor:
            return codec.run(codec.decoder, inputs, codec.decoder)

        groups = codec.decoder.estimates(subject.pixels.to(weight), unscaled, subject.passes, batch, forward=one_call)
        to_picture(lower_median([estimate for group in groups for estimate in group]))

    def bytes(self) -> None:
        """Convert the decoder's estimate to bytes on the device."""
        to_picture(self._subject.estimate)

    def whole(self) -> None:
        """The public way: a request becomes a picture."""
        for _ in self._run():
            pass

    def cancel(self) -> float:
        """Seconds from closing a run in the middle of its steps until the device rests."""
        middle, run = (self._subject.steps + 1) // 2, self._run()
        next(item for item in run if isinstance(item, Progress) and item.stage == "denoise" and item.step == middle)
        began = time.perf_counter()
        run.close()
        synchronize(self._model.device)
        return time.perf_counter() - began

    def _run(self) -> Generator[Progress | Picture]:
        subject = self._subject
        request = Request(
            prompt=PROMPT,
            width=subject.width,
            height=subject.height,
            steps=subject.steps,
            guidance_scale=subject.guidance_scale,
            scheduler=SCHEDULER,
            alpha_passes=subject.passes,  # type: ignore[arg-type]
        )
        yield from generate(self._model, request.pictures(), self._weights)


class _Unpatched(InstalledWeights):
    """Leaves the UNet as it is, whatever the recipe asks for."""

    def __init__(self) -> None:
        super().__init__(self._nothing, self._nothing)

    def _ensure(self, model: Model, key: object, *, sharing: bool) -> None:
        return None

    @staticmethod
    def _nothing(family: Family, role: str) -> Path:
        raise AssertionError(f"no weights are read here: {family.name} {role}")
