"""Adjustments: what an adjustment layer does to the colours below it, as functions of colour. Knows no layer and no file.

A change takes and gives float32 `(3, H, W)` in [0, 1], straight colour in sRGB; it never sees alpha. What Photoshop's help leaves
open was measured on files whose merged picture Photoshop drew (tests/document/test_corpus.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .mixtures import black_and_white, channel_mixer, gradient_map, photo_filter, threshold
from .saturation import hue_saturation
from .tables import Change, brightness_contrast, curves, exposure, invert, levels, posterize

__all__ = ["ADJUSTMENTS", "Change", "adjustment"]

ADJUSTMENTS: Mapping[str, Callable[..., Change]] = {
    "black & white": black_and_white,
    "brightness/contrast": brightness_contrast,
    "channel mixer": channel_mixer,
    "curves": curves,
    "exposure": exposure,
    "gradient map": gradient_map,
    "hue/saturation": hue_saturation,
    "invert": invert,
    "levels": levels,
    "photo filter": photo_filter,
    "posterize": posterize,
    "threshold": threshold,
}
"""By Photoshop's name in its menu; the functions' arguments are the parameters of `Adjustment`."""


def adjustment(kind: str, parameters: Mapping[str, Any]) -> Change:
    """The change of that kind. Raises `ValueError` for an unknown kind and for parameters that it does not take."""
    if kind not in ADJUSTMENTS:
        raise ValueError(f"the adjustment is {kind!r}; it must be one of {', '.join(ADJUSTMENTS)}")
    try:
        return ADJUSTMENTS[kind](**parameters)
    except TypeError as error:
        raise ValueError(f"the parameters of {kind!r} are {dict(parameters)!r}: {error}") from error
