"""Padding and resizing as the networks need it."""

from pathlib import Path

import numpy as np
import pytest
from acetate.engine.pixels import alpha
from acetate.raster import to_float
from numpy.typing import NDArray


def random_rgba(height: int = 37, width: int = 53, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4)).astype(np.uint8)


def test_pad_rgb_equals_the_reference(golden: Path) -> None:
    with np.load(golden / "pad_rgb.npz") as stored:
        padded = alpha.pad_rgb(stored["rgba"])
        assert np.abs(padded - stored["padded"]).max() < 1e-6
    assert np.allclose(padded[20, 14], (0.309178, 0.507842, 0.288224), atol=1e-6)


def test_pad_rgb_keeps_opaque_pixels_and_ignores_hidden_colour() -> None:
    picture = random_rgba()
    picture[..., 3] = np.where(picture[..., 3] > 127, 255, 0)
    padded = alpha.pad_rgb(picture)
    opaque = picture[..., 3] == 255
    assert np.abs(padded[opaque] - picture[opaque][:, :3] / 255).max() < 1e-7
    other = picture.copy()
    other[~opaque, :3] = 77
    assert (alpha.pad_rgb(other) == padded).all()
    assert padded.min() >= 0
    assert padded.max() <= 1 + 1e-6


def test_pad_rgb_of_nothing_is_black_and_of_everything_is_the_picture() -> None:
    picture = random_rgba()
    picture[..., 3] = 0
    assert (alpha.pad_rgb(picture) == 0).all()
    picture[..., 3] = 255
    assert np.abs(alpha.pad_rgb(picture) - picture[..., :3] / 255).max() < 1e-7


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 1), (2, 2)])
def test_pad_rgb_takes_the_smallest_pictures(size: tuple[int, int]) -> None:
    assert alpha.pad_rgb(random_rgba(*size)).shape == (*size, 3)


def test_transparent_over_grey_is_exactly_half_and_opaque_is_itself() -> None:
    straight = to_float(random_rgba())
    straight[..., 3] = 0
    assert (alpha.over_grey(straight) == 0.5).all()
    straight[..., 3] = 1
    assert np.abs(alpha.over_grey(straight) - straight[..., :3]).max() < 1e-6


def test_resizing_leaves_no_fringe_of_hidden_colour() -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[..., :3] = (0, 255, 0)  # hidden green
    picture[16:48, 16:48] = (255, 0, 0, 255)
    for width, height in ((150, 131), (23, 29)):
        seen = alpha.resize_padded(picture, width, height)
        visible = seen[seen[..., 3] > 0]
        assert visible[:, 1].max() <= 2, "green leaked into the red square's edge"


def test_resizing_to_the_same_size_returns_every_byte() -> None:
    picture = random_rgba()
    assert alpha.resize_padded(picture, 53, 37) is picture


@pytest.mark.parametrize("mode", ["crop", "stretch", "fill"])
def test_every_resize_mode_gives_the_size(mode: str) -> None:
    assert alpha.fit(random_rgba(40, 30), 64, 64, mode).shape == (64, 64, 4)  # type: ignore[arg-type]
    assert alpha.fit(random_rgba(30, 40), 17, 90, mode).shape == (90, 17, 4)  # type: ignore[arg-type]


def test_crop_mode_keeps_the_middle_and_fill_mode_surrounds() -> None:
    picture = np.full((10, 30, 4), 255, np.uint8)
    picture[:, :10, :3], picture[:, 20:, :3] = 0, 9
    assert (alpha.fit(picture, 10, 10, "crop") == 255).all()
    filled = alpha.fit(picture, 30, 30, "fill")
    assert (filled[10:20] == picture).all()
    assert (filled[0] == filled[-1]).all()
