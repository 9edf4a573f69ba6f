"""The built-in model's family: layers are drawn as with SD 1.5, in small, and its UNet has learnt transparency by itself.

What an opened model has is read from its folder's `acetate.json`, which training writes with these sizes and defaults.
"""

from __future__ import annotations

from ..values.recipes import Recipe
from .base import Defaults, Family, FamilyName
from .sd15 import SD15

SKETCHPAD = Family(
    name=FamilyName("sketchpad"),
    title="Sketchpad",
    native=128,
    square_only=True,
    defaults=Defaults(steps=20, guidance_scale=3.0, scheduler="dpmpp-2m-karras", alpha_passes=1),
    recipes={**SD15.recipes, "foreground": (Recipe(("foreground",), None, transparent=True),)},
    unet_activations=SD15.unet_activations,
    opaque=False,
)
