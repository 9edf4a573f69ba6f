"""Blend modes by our names, which are those of Photoshop's menu and of CSS, and by Krita's."""

from __future__ import annotations

KRITA_MODES = {
    "dissolve": "dissolve",
    "darken": "darken",
    "multiply": "multiply",
    "color-burn": "burn",
    "linear-burn": "linear_burn",
    "darker-color": "darker color",
    "lighten": "lighten",
    "screen": "screen",
    "color-dodge": "dodge",
    "linear-dodge": "add",
    "plus-lighter": "add",
    "lighter-color": "lighter color",
    "overlay": "overlay",
    "soft-light": "soft_light_svg",
    "hard-light": "hard_light",
    "vivid-light": "vivid_light",
    "linear-light": "linear light",
    "pin-light": "pin_light",
    "hard-mix": "hard_mix_photoshop",
    "difference": "diff",
    "exclusion": "exclusion",
    "subtract": "subtract",
    "divide": "divide",
    "hue": "hue",
    "saturation": "saturation",
    "color": "color",
    "luminosity": "luminize",
}
"""Our name -> the identifier that Krita's scripts and files use. The normal mode is not in it."""
