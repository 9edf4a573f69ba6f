"""Straight and premultiplied alpha: source-over, and the part of a picture that is not transparent.

Straight alpha unless a name says premultiplied.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from acetate.vocabulary.box import Box
from numpy.typing import NDArray

from .arrays import Float, Mask, Picture


def premultiply(straight: Float) -> Float:
    """`(H, W, 4)` straight in [0, 1] -> premultiplied."""
    result = straight.copy()
    result[..., :3] *= straight[..., 3:]
    return result


def unpremultiply(premultiplied: Float) -> Float:
    """`(H, W, 4)` premultiplied in [0, 1] -> straight; colour where alpha is 0 is black."""
    alpha = premultiplied[..., 3:]
    colour = np.divide(premultiplied[..., :3], alpha, out=np.zeros_like(premultiplied[..., :3]), where=alpha > 0)
    return np.concatenate([np.clip(colour, 0, 1), alpha], axis=2)


def source_over(source: Float, remaining: Float, target: Float) -> None:
    """Lay premultiplied values in [0, 1] over those of `target`, in place (Porter and Duff 1984: source + target (1 - alpha)).

    Of any shape, colour and alpha alike; `remaining` is 1 - the source's alpha, of a shape that broadcasts to theirs.
    """
    target *= remaining
    target += source


def over(top: Float, bottom: Float) -> Float:
    """Source-over of two straight `(H, W, 4)` pictures in [0, 1], straight; where nothing covers, the bottom's colour stays."""
    result = premultiply(bottom)
    source_over(premultiply(top), 1 - top[..., 3:], result)
    alpha = result[..., 3:]
    colour = np.divide(result[..., :3], alpha, out=bottom[..., :3].copy(), where=alpha > 0)
    return np.concatenate([colour, alpha], axis=2)


def bounds(alpha: Mask | NDArray[np.uint16] | NDArray[np.float32]) -> Box | None:
    """The smallest box around everything above 0 in `(H, W)`; `None` where there is nothing."""
    covered = alpha > 0
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    if rows.size == 0:
        return None
    return Box.between(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)


def crop(picture: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The part of `(H, W, C)` uint8 in `box`, a copy; what lies outside the picture is 0: transparent black."""
    result = np.zeros((box.height, box.width, picture.shape[2]), np.uint8)
    inside = box.intersection(Box(0, 0, picture.shape[1], picture.shape[0]))
    if not inside.empty:
        result[inside.relative_to(box).slices] = picture[inside.slices]
    return result


def trim(rgba: Picture) -> tuple[Picture, Box] | None:
    """`(H, W, 4)` straight cut to where alpha is above 0, and the box that this was; `None` for an empty picture.

    Contiguous, and the picture itself where there is nothing to cut.
    """
    box = bounds(rgba[..., 3])
    return None if box is None else (cast(Picture, np.ascontiguousarray(rgba[box.slices])), box)
