"""How transparent a layer really is: measures without a reference (layerdiffuse.md 8.1), and what to tell the artist."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from acetate.raster import RGBA, Mask
from numpy.typing import NDArray

RING = 0.04
"""Width of the border ring as a share of the shorter side."""

TRANSPARENT = 2
HAZE = 16
OPAQUE = 250
"""Limits of alpha in 0..255: at most 2 is transparent, 3 to 15 is haze, above 250 is opaque."""


UNCHANGED = "nothing was changed: say it in other words, or take another seed"
MOVED = "what was cut out is not where it was in the picture, so its colours are the model's own"
STILL_THERE = "what was cut out still shows in the background: name it in the prompt, or take another seed"


def measure(rgba: RGBA) -> dict[str, float]:
    """Measures in [0, 1] of a straight `(H, W, 4)` uint8 picture.

    `border`: share of the outer ring that is transparent. `haze`: share of all pixels that are faintly covered and lie away from
    the subject. `core`: share of the subject's inside that is opaque (1 when there is none). `coverage`: mean alpha.
    `subject_alpha`: mean alpha where there is any. `constant`: 1 when alpha is the same everywhere.
    """
    alpha = np.ascontiguousarray(rgba[..., 3])
    subject = alpha > 127
    inside = _shrink(subject, 2)
    near = ~_shrink(~subject, 3)
    faint = (alpha > TRANSPARENT) & (alpha < HAZE) & ~near
    seen = alpha > HAZE
    return {
        "border": float((alpha[_ring(alpha.shape)] <= TRANSPARENT).mean()),
        "haze": float(faint.mean()),
        "core": float((alpha[inside] > OPAQUE).mean()) if inside.any() else 1.0,
        "coverage": float(alpha.mean() / 255),
        "subject_alpha": float(alpha[seen].mean() / 255) if seen.any() else 0.0,
        "constant": float(alpha.min() == alpha.max()),
    }


def soft_overlap(one: Mask, other: Mask) -> float:
    """Soft intersection over union of two alphas of one size, `(H, W)` uint8, in [0, 1]; 1 when both are empty."""
    union = np.maximum(one, other).sum(dtype=np.int64)
    return float(np.minimum(one, other).sum(dtype=np.int64) / union) if union else 1.0


def warnings(quality: Mapping[str, float], remedy: str = "") -> tuple[str, ...]:
    """Sentences for a person, when a layer that should be transparent is not; `remedy` is what else helps with its model."""
    last = f"; {remedy}" if remedy else ""
    found = []
    if quality["constant"] and quality["coverage"] == 0:
        found.append("the layer is empty: nothing was drawn; try another seed or prompt")
    elif quality["constant"] and quality["coverage"] <= 0.98:
        share = f"{100 * quality['coverage']:.0f} %"
        found.append(f"the layer is {share} opaque everywhere: nothing stands out; try another seed, prompt or size")
    elif quality["coverage"] > 0.98:
        reason = "this model does not take the transparency weights"
        found.append(f"the layer is opaque everywhere: {reason}; try another checkpoint{last}")
    elif quality["border"] < 0.5:
        found.append("the background is not transparent; try another seed, or describe only the object in the prompt" + last)
    if quality["haze"] > 0.15:
        found.append("a faint haze lies around the subject; try another seed")
    return tuple(found)


def _ring(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    width = max(1, round(min(shape) * RING))
    ring = np.ones(shape, bool)
    ring[width:-width, width:-width] = False
    return ring


def _shrink(area: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    """Take `pixels` off the edge of a region (a square neighbourhood); outside the picture counts as inside."""
    padded = np.pad(area, pixels, constant_values=True)
    height, width = area.shape
    rows = np.logical_and.reduce([padded[i : i + height] for i in range(2 * pixels + 1)])
    result: NDArray[np.bool_] = np.logical_and.reduce([rows[:, i : i + width] for i in range(2 * pixels + 1)])
    return result
