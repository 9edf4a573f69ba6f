"""SD 1.5: LayerDiffuse comes as attention-sharing units, and the layers of a picture are drawn in one run."""

from __future__ import annotations

import re

from ..values.recipes import Recipe
from .base import BaseFamily, Defaults, FamilyName, Header, TextEncoder
from .ldm_checkpoints import FIRST, PIPELINES, UNET, other_folder_inputs, other_inputs


def _unsuitable(header: Header) -> str:
    if other := other_inputs(header):
        return other
    if _has(header, "cond_stage_model.model.") and not _has(header, _TEXT):  # SD 2's text encoder instead of ours
        return "an SD 2 checkpoint"
    context = f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
    if context not in header.tensors:
        return "a checkpoint of unknown structure"
    return "an SD 2 checkpoint" if header.shape(context)[1] == 1024 else ""


_TEXT = "cond_stage_model.transformer."


def _has(header: Header, beginning: str) -> bool:
    return any(key.startswith(beginning) for key in header.tensors)


SD15 = BaseFamily(
    name=FamilyName("sd15"),
    title="SD 1.5",
    article="an",
    native=512,
    defaults=Defaults(steps=20, guidance_scale=7.0, scheduler="dpmpp-2m-karras", alpha_passes=8),
    recipes={
        "foreground": (Recipe(("foreground",), "transparent-attention", transparent=True, sharing=True),),
        "scene": (Recipe(("foreground", "background", "blended"), "joint", transparent=True, sharing=True),),
        "background": (Recipe(("background", "blended"), "foreground-to-background", ("foreground",), sharing=True),),
        "object": (
            Recipe(("foreground", "blended"), "background-to-foreground", ("background",), transparent=True, sharing=True),
        ),
    },
    unet_activations=260 * 2**20,
    latent_colours=(
        (0.351, 0.230, 0.323),
        (0.325, 0.497, 0.235),
        (-0.283, 0.176, 0.272),
        (-0.212, -0.262, -0.718),
        (0.0, 0.0, 0.0),
    ),  # a widely used fit
    is_checkpoint=lambda header: FIRST in header.tensors,
    unsuitable=_unsuitable,
    text_encoders=(TextEncoder(_TEXT),),
    pipelines=PIPELINES,
    is_folder=lambda unet: True,
    unsuitable_folder=lambda folder, unet: (
        other_folder_inputs(unet) or ("an SD 2 model" if unet.get("cross_attention_dim") == 1024 else "")
    ),
    layerdiffuse_key=re.compile(r"^hookers\.layers\."),
    layerdiffuse_weights="LayerDiffuse attention-sharing weights",
    lora_key=re.compile(r"lora_te_"),
    lora_noted=re.compile(r"stable-diffusion-v1|sd_?v?1", re.IGNORECASE),
)
