"""What SD 1.5 and SDXL share: names and shapes of CompVis's latent-diffusion checkpoints, and diffusers' pipelines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .base import Header

UNET = "model.diffusion_model."
VAE = "first_stage_model."
"""Prefixes of tensors' names in a checkpoint."""

FIRST = f"{UNET}input_blocks.0.0.weight"
"""The UNet's first convolution."""

PIPELINES = re.compile("(?!.*StableDiffusion3)StableDiffusion")
"""Matches diffusers' pipelines that have a UNet."""


def other_inputs(header: Header) -> str:
    """What kind of checkpoint takes more than the latents of one picture; empty where `header`'s UNet takes just these."""
    channels = header.shape(FIRST)[1]
    if channels == 9:
        return "an inpainting checkpoint"
    if channels == 8:
        return "an InstructPix2Pix checkpoint"
    if channels == 5:
        return "a depth-conditioned SD 2 checkpoint"
    if f"{UNET}label_emb.weight" in header.tensors or channels == 7:
        return "the SD 2 upscaler"
    return "" if channels == 4 else f"a checkpoint with {channels} input channels"


def other_folder_inputs(unet: Mapping[str, Any]) -> str:
    """As `other_inputs`, for the configuration of a diffusers folder's UNet."""
    channels = unet.get("in_channels", 4)
    if channels == 4:
        return ""
    return "an inpainting model" if channels == 9 else f"a model with {channels} input channels"
