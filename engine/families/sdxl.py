"""SDXL: LayerDiffuse comes as patches of the UNet, and the layers of a picture are drawn one after another."""

from __future__ import annotations

import re

from ..values.recipes import Recipe
from .base import BaseFamily, Defaults, FamilyName, Header, TextEncoder
from .ldm_checkpoints import FIRST, PIPELINES, UNET, other_folder_inputs, other_inputs

_FOREGROUND = Recipe(("foreground",), "transparent-attention", transparent=True, convolution="transparent-convolution")
_BLEND_FOREGROUND = Recipe(("blended",), "foreground-to-blended", ("foreground",))
_BLEND_BACKGROUND = Recipe(("blended",), "background-to-blended", ("background",))
_BACKGROUND = Recipe(("background",), "foreground-blended-to-background", ("foreground", "blended"))
_OBJECT = Recipe(("foreground",), "background-blended-to-foreground", ("background", "blended"), transparent=True)

_MIDDLE = re.compile(re.escape(f"{UNET}middle_block.1.transformer_blocks.") + r"(\d+)\.")


def _unsuitable(header: Header) -> str:
    if other := other_inputs(header):
        return other
    depths = {int(match[1]) for key in header.tensors if (match := _MIDDLE.match(key))}
    if f"{UNET}input_blocks.10.1.proj_in.weight" in header.tensors or depths == set(range(4)):
        return "the SDXL refiner"
    return "" if depths == set(range(10)) else "a reduced SDXL model such as SSD-1B"


SDXL = BaseFamily(
    name=FamilyName("sdxl"),
    title="SDXL",
    article="an",
    native=1024,
    defaults=Defaults(steps=20, guidance_scale=6.0, scheduler="dpmpp-2m-sde-karras", alpha_passes=8),
    recipes={
        "foreground": (_FOREGROUND,),
        "scene": (_FOREGROUND, _BLEND_FOREGROUND, _BACKGROUND),
        "background": (_BLEND_FOREGROUND, _BACKGROUND),
        "object": (_BLEND_BACKGROUND, _OBJECT),
        "blend": (_BLEND_FOREGROUND, _BLEND_BACKGROUND),
        "extract-background": (_BACKGROUND,),
        "extract-foreground": (_OBJECT,),
    },
    unet_activations=158 * 2**20,
    steps_table="StableDiffusionXL",
    text_layer=-2,
    text_normalised=False,
    latent_colours=(
        (0.365, 0.423, 0.434),
        (-0.253, -0.004, 0.107),
        (0.108, 0.111, -0.036),
        (-0.317, -0.249, -0.219),
        (0.108, -0.018, -0.001),
    ),  # a widely used fit
    is_checkpoint=lambda header: FIRST in header.tensors and f"{UNET}label_emb.0.0.weight" in header.tensors,
    unsuitable=_unsuitable,
    text_encoders=(
        TextEncoder("conditioner.embedders.0.transformer."),
        TextEncoder("conditioner.embedders.1.model.", suffix="_2", open_clip=True),
    ),
    pipelines=PIPELINES,
    is_folder=lambda unet: unet.get("addition_embed_type") == "text_time",
    unsuitable_folder=lambda folder, unet: (
        other_folder_inputs(unet) or ("" if (folder / "text_encoder").is_dir() else "the SDXL refiner")
    ),
    layerdiffuse_key=re.compile("::(?:lora|diff)::"),
    lora_key=re.compile(r"lora_te[12]_|text_encoder_2\."),
    lora_noted=re.compile(r"stable-diffusion-xl|sdxl|pony|illustrious|noobai", re.IGNORECASE),
    vae_name="xl",
)
