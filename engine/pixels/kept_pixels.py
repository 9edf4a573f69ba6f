"""What of a result is the source's own: the parts that an edit did not mean, and the colours of what was cut out.

Models that are shown a picture draw all of it anew, a little darker or softer everywhere (qwen-image.md 3). Knows pictures; knows
no network.
"""

from __future__ import annotations

import numpy as np
from acetate.raster import RGBA, Float, Mask, premultiply, resample, to_float, to_u8
from numpy.typing import NDArray

CELL = 8
"""Pixels a side of the squares that are compared."""
DRIFT = 16 / 255
"""How far a picture as a whole may have become lighter or darker by being drawn anew."""
MEANT = 0.06
"""The mean difference of a square, beyond that, from which its change was meant: fine texture that is drawn anew stays below."""
GROWTH = 2
"""Squares around such a one that are taken over with it, the outermost of them fading out."""
WHOLE = 0.6
"""The share of changed squares above which the whole picture was meant."""

SAME_SUBJECT = 24.0
"""The PSNR in dB, within what was cut out, below which it is not the source's subject any more, or not in its place."""


def changed(before: RGBA, after: RGBA) -> Mask:
    """Where an edit meant to change a picture: `(H, W)` uint8, 255 inside, fading out at its edge.

    Both pictures are `(H, W, 4)` uint8 straight, of one size. 255 everywhere where most of it was meant, 0 where nothing was.
    """
    height, width = before.shape[:2]
    difference = premultiply(to_float(after)) - premultiply(to_float(before))
    drift = np.clip(np.median(difference.reshape(-1, 4), axis=0), -DRIFT, DRIFT)
    far = np.abs(difference - drift).max(axis=2, keepdims=True)
    columns, rows = max(1, -(-width // CELL)), max(1, -(-height // CELL))
    meant = _grown(resample(far, columns, rows, "area")[..., 0] > MEANT, GROWTH - 1)
    if not meant.any():
        return np.zeros((height, width), np.uint8)
    if meant.mean() > WHOLE:
        return np.full((height, width), 255, np.uint8)
    faded: Float = _grown(meant, 1).astype(np.float32)[..., None] * 0.5 + meant.astype(np.float32)[..., None] * 0.5
    return to_u8(resample(faded, width, height, "linear"))[..., 0]


def cut_out(source: RGBA, drawn: RGBA) -> tuple[RGBA, bool]:
    """A part of `source` by the transparency of `drawn`, both `(H, W, 4)` uint8 straight: its own colours where it is opaque.

    Nothing becomes more opaque than it was. The second value is false, and the colours those that were drawn, where the subject
    has moved or changed.
    """
    alpha = np.minimum(drawn[..., 3], source[..., 3])
    solid = drawn[..., 3] == 255
    same = _psnr(source[solid][..., :3], drawn[solid][..., :3]) >= SAME_SUBJECT
    colour = np.where(solid[..., None], source[..., :3], drawn[..., :3]) if same else drawn[..., :3]
    return np.concatenate([colour, alpha[..., None]], axis=2), same


SEPARATE = 2 / 255
"""How far a background must be from the picture, where something was before it, to be called another."""


def taken_apart(source: RGBA, front: RGBA, back: RGBA) -> tuple[RGBA, RGBA]:
    """The layers `front` and `back` with colours, and a transparency of `back`, that compose to `source`: to a level of 255.

    All are `(H, W, 4)` uint8 straight, of one size; `front` is nowhere more opaque than `source`. Of each pixel, the layer that
    shows more of it takes what is missing, and the other one what the first cannot hold.
    """
    whole, a = to_float(source[..., 3:]), to_float(front[..., 3:])
    behind = np.where(a < 1, (whole - a) / np.where(a < 1, 1 - a, 1), 1)
    share = np.where(whole > 0, a / np.where(whole > 0, whole, 1), 0)  # of what is seen, the front's
    seen, first, second = (to_float(one[..., :3]) for one in (source, front, back))
    leads = share >= 0.5
    first = np.where(leads, _rounded(_missing(seen, share, second)), first)
    short = np.abs(share * first + (1 - share) * second - seen) > 0.5 / 255
    second = np.where(short & (share < 1), _rounded(_missing(seen, 1 - share, first)), second)
    first = np.where(~leads & (share > 0), _rounded(_missing(seen, share, second)), first)
    return to_u8(np.concatenate([first, a], axis=2)), to_u8(np.concatenate([second, behind], axis=2))


def separation(source: RGBA, front: RGBA, back: RGBA) -> float:
    """The mean difference in [0, 1] of `back` from `source`, straight `(H, W, 4)` uint8, where `front` is; 1 for no front."""
    where = front[..., 3] > 32
    if not where.any():
        return 1.0
    return float(np.abs(source[where][:, :3].astype(np.float32) - back[where][:, :3]).mean() / 255)


def _missing(seen: Float, share: Float, other: Float) -> Float:
    """The colour in [0, 1] of which `share`, with the rest of `other`, makes what is seen; the nearest one where none does."""
    missing = (seen - (1 - share) * other) / np.maximum(share, 1e-6)
    return missing.clip(0, 1).astype(np.float32, copy=False)


def _rounded(colour: Float) -> Float:
    levels: Float = np.round(colour * 255)
    return levels / np.float32(255)


def _grown(cells: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    padded = np.pad(cells, by)
    height, width = cells.shape
    rows = np.logical_or.reduce([padded[i : i + height] for i in range(2 * by + 1)])
    result: NDArray[np.bool_] = np.logical_or.reduce([rows[:, i : i + width] for i in range(2 * by + 1)])
    return result


def _psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal to noise ratio in dB of colours of one shape; infinite for the same ones, and for none."""
    if not one.size:
        return float("inf")
    error = float(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
