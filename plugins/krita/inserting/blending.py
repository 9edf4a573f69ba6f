"""Blending modes as files and the protocol name them, and as Krita does."""

from __future__ import annotations

PASS_THROUGH = "pass-through"
"""The mode of a group that is not composed by itself; in Krita this is a property of its own."""
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


def krita_mode(name: str) -> str | None:
    """Krita's identifier; `None` for the normal mode and for those that Krita lacks, which become normal."""
    return KRITA_MODES.get(name.lower().replace("_", "-").replace(" ", "-"))
