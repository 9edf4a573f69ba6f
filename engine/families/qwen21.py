"""Qwen-Image-2.1: a transformer that draws RGBA by itself where the prompt asks for transparency (qwen-image.md 1)."""

from __future__ import annotations

import re
from dataclasses import replace

from ..values.recipes import Recipe
from .base import Defaults, FamilyName, NativeFamily

_LAYER = Recipe(("foreground",), None, transparent=True)
_CUT_OUT = replace(
    _LAYER,
    sees=True,
    cuts_out=True,
    words="Remove the background of the image, keeping only {}",
    unsaid="the main subject",
)
_BEHIND = Recipe(
    ("background",),
    None,
    sees=True,
    words="Remove {} from the image and fill in what was hidden behind it",
    unsaid=_CUT_OUT.unsaid,
)

QWEN21 = NativeFamily(
    name=FamilyName("qwen21"),
    title="Qwen-Image-2.1",
    article="a",
    licence="Qwen Research Licence: not for commercial use",
    native=1024,
    smallest=0.25,
    largest=4.0,
    defaults=Defaults(steps=40, guidance_scale=1.0, scheduler="flow-euler", alpha_passes=1),
    recipes={
        "foreground": (_LAYER,),
        "edit": (replace(_LAYER, sees=True),),
        "extract": (_CUT_OUT,),
        "decompose": (_CUT_OUT, _BEHIND),
    },
    unet_activations=532 * 2**20,
    kept=2 * 2**30,
    pipelines=re.compile(r"QwenImage21(?:Turbo)?(?:Modular)?Pipeline"),
    asking="This is an RGBA image with transparency. {}. The image has alpha channel and the background is transparent.",
)
