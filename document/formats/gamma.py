"""The gamma that a PNG may name instead of a colour profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from acetate.raster import Pixels

SRGB_GAMMA = 0.45455
"""What nearly all files name; sRGB is meant by it."""
NEARLY = 0.01
SRGB_PRIMARIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
"""White, red, green, blue: x and y of each, as `cHRM` lists them."""


def corrected(rgba: Pixels, info: Mapping[Any, Any]) -> tuple[Pixels, list[str]]:
    """The `(H, W, 4)` pixels with their colours brought from the gamma that the file's `info` names to sRGB, and what the person
    has to know; primaries are only named.

    A profile, or the word that it is sRGB, goes before both, as the PNG specification has it.
    """
    if info.get("icc_profile") or "srgb" in info:
        return rgba, []
    notes: list[str] = []
    primaries = info.get("chromaticity")
    if primaries and np.abs(np.subtract(primaries, SRGB_PRIMARIES)).max() > NEARLY:
        notes.append("its primary colours were taken as those of sRGB")
    gamma = info.get("gamma", SRGB_GAMMA)
    if gamma > 0 and abs(gamma - SRGB_GAMMA) > NEARLY:
        largest = np.iinfo(rgba.dtype).max
        light = np.linspace(0, 1, largest + 1) ** (1 / gamma)
        encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        table = np.rint(encoded * largest).astype(rgba.dtype)
        rgba = np.dstack([table[rgba[..., :3]], rgba[..., 3]])
        notes.append(f"colours were converted from a gamma of {gamma:g} to sRGB")
    return rgba, notes
