"""diffusers' own pipeline as a contestant: the same weights, steps and noise, an opaque picture.

Knows diffusers' StableDiffusionPipeline and StableDiffusionXLPipeline; their networks keep torch's default memory layout.
"""

from __future__ import annotations

from typing import Any

import diffusers
import torch
from transformers.utils import logging as transformers_logging

from ..device import glibc_malloc
from ..layerdiffuse import upsample_conv
from ..sampling.samplers import Sampler
from .subject import SCHEDULER, Subject
from .timing import Contestant


class Plain:
    """`pipe(...)` with the prompt's embeddings given, as far as the latents; and its VAE decode with conversion to uint8."""

    name = "diffusers"

    def __init__(self, subject: Subject) -> None:
        self._subject, model = subject, subject.model
        transformers_logging.set_verbosity_error()  # pipelines warn of image processors that are not used here
        scheduler = Sampler(SCHEDULER, model.scheduler_config).scheduler
        scheduler.register_to_config(steps_offset=1)  # it warns of another value, which its spacing does not use
        parts: dict[str, Any] = {"vae": subject.codec.vae, "unet": model.unet, "scheduler": scheduler}
        nothing: dict[str, Any] = {"text_encoder": None, "tokenizer": None}
        if len(model.text.text_encoders) == 2:
            nothing |= {"text_encoder_2": None, "tokenizer_2": None}
            self._pipe: Any = diffusers.StableDiffusionXLPipeline(**parts, **nothing, add_watermarker=False)
        else:
            nothing |= {"safety_checker": None, "feature_extractor": None}
            self._pipe = diffusers.StableDiffusionPipeline(**parts, **nothing, requires_safety_checker=False)
        self._pipe.set_progress_bar_config(disable=True)

    def contestant(self) -> Contestant:
        """The stages by name, as `timing.alternate` takes them."""
        return Contestant(self.name, {"denoise": self.denoise, "vae": self.vae}, self.prepare)

    def prepare(self) -> None:
        """UNet and VAE on the device, in the layout that loading gives, computed as diffusers does."""
        glibc_malloc.as_usual()
        for network in (self._pipe.unet, self._pipe.vae):
            network.to(memory_format=torch.contiguous_format)
            upsample_conv.sum_weights(network, False)
        for group in ("unet", "pixels"):
            self._subject.model.memory.placement.need(group)

    def denoise(self) -> None:
        """All steps of one picture, as far as its latents."""
        subject = self._subject
        negative, positive = subject.text.embeds.split(1)
        arguments = {"prompt_embeds": positive, "negative_prompt_embeds": negative}
        if subject.text.pooled is not None:
            pooled = subject.text.pooled.split(1)
            arguments |= {"negative_pooled_prompt_embeds": pooled[0], "pooled_prompt_embeds": pooled[1]}
        self._pipe(
            **arguments,
            width=subject.width,
            height=subject.height,
            num_inference_steps=subject.steps,
            guidance_scale=subject.guidance_scale,
            latents=subject.noise.to(subject.model.dtype),
            output_type="latent",
        )

    @torch.no_grad()
    def vae(self) -> None:
        """The VAE's decode, with conversion to a Pillow image."""
        subject, vae = self._subject, self._pipe.vae
        image = vae.decode((subject.latents / vae.config.scaling_factor).to(vae.dtype), return_dict=False)[0]
        self._pipe.image_processor.postprocess(image, output_type="pil")
