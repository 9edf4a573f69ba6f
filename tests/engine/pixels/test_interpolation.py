"""Interpolation against the same sums in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from acetate.engine.pixels.interpolation import lanczos
from numpy.typing import NDArray


def exact(picture: NDArray[np.uint8], new: int, axis: int) -> NDArray[np.float64]:
    """One axis by the textbook: a window of three lobes, as wide as the larger of both grids asks."""
    old = picture.shape[axis]
    scale = old / new
    width = max(scale, 1.0)
    centre = (np.arange(new)[:, None] + 0.5) * scale - 0.5
    distance = (np.arange(old)[None] - centre) / width
    weight = np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)
    weight /= weight.sum(axis=1, keepdims=True)
    return np.moveaxis(np.tensordot(weight, picture, axes=(1, axis)), 0, axis)


@pytest.mark.parametrize("size", [(40, 60), (160, 90), (23, 200), (41, 61)])
@pytest.mark.parametrize("shape", [(60, 40), (60, 40, 3)])
def test_it_is_the_separable_sum_rounded_once(size: tuple[int, int], shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    expected = exact(exact(picture, size[0], 1), size[1], 0)

    assert np.abs(lanczos(picture, size) - np.clip(expected, 0, 255)).max() <= 0.51


def test_the_same_size_is_the_picture_itself() -> None:
    picture = np.zeros((3, 5), np.uint8)
    assert lanczos(picture, (5, 3)) is picture
