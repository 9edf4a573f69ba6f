"""OpenRaster's names of blend modes, and those that other programs use in its files."""

from __future__ import annotations

from acetate.vocabulary.blend_modes import KRITA_MODES

from ..layer import BLEND_MODES

OPERATORS = {
    "svg:src-over": "normal",
    "svg:multiply": "multiply",
    "svg:screen": "screen",
    "svg:overlay": "overlay",
    "svg:darken": "darken",
    "svg:lighten": "lighten",
    "svg:color-dodge": "color-dodge",
    "svg:color-burn": "color-burn",
    "svg:hard-light": "hard-light",
    "svg:soft-light": "soft-light",
    "svg:difference": "difference",
    "svg:color": "color",
    "svg:luminosity": "luminosity",
    "svg:hue": "hue",
    "svg:saturation": "saturation",
    "svg:plus": "linear-dodge",
}
"""`composite-op` -> blend mode; the remaining operators (dst-in, dst-out, src-atop, dst-atop) are not blend modes."""
ATOP = "svg:src-atop"
"""Shows only where anything below it in its stack does: clipping to all of that. Krita's *inherit alpha*."""
KRITA = "krita:"
"""What Krita puts before its own name of a mode that the specification lacks."""
ALIASES = {
    "": "normal",
    "krita:normal": "normal",
    "krita:soft_light": "soft-light",
    "krita:linear_dodge": "linear-dodge",
    "krita:hard mix": "hard-mix",
    **{KRITA + name: mode for mode, name in KRITA_MODES.items() if mode in BLEND_MODES},
    **{operator.removeprefix("svg:"): mode for operator, mode in OPERATORS.items()},
}
"""Further names that are read: Krita's, and those of programs that leave the prefix out."""

BLEND_OPERATORS = {mode: KRITA + KRITA_MODES[mode] for mode in BLEND_MODES if mode in KRITA_MODES} | {
    mode: operator for operator, mode in OPERATORS.items()
}
"""What is written; modes that only Krita has a name for are normal to every other program."""
