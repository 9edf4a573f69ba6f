"""Straight alpha, padding and resizing."""

from pathlib import Path

import numpy as np
import pytest
from acetate.engine.pixels import alpha
from acetate.engine.pixels.alpha import Box
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


def test_premultiplying_and_back_is_lossless_where_there_is_alpha() -> None:
    straight = alpha.to_float(random_rgba())
    back = alpha.unpremultiply(alpha.premultiply(straight))
    seen = straight[..., 3] > 0
    assert np.abs(back[seen] - straight[seen]).max() < 1e-5


def test_transparent_over_grey_is_exactly_half_and_opaque_is_itself() -> None:
    straight = alpha.to_float(random_rgba())
    straight[..., 3] = 0
    assert (alpha.over_grey(straight) == 0.5).all()
    straight[..., 3] = 1
    assert np.abs(alpha.over_grey(straight) - straight[..., :3]).max() < 1e-6


def test_resizing_leaves_no_fringe_of_hidden_colour() -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[..., :3] = (0, 255, 0)  # hidden green
    picture[16:48, 16:48] = (255, 0, 0, 255)
    for width, height in ((150, 131), (23, 29)):
        seen = alpha.resize(picture, width, height)
        visible = seen[seen[..., 3] > 0]
        assert visible[:, 1].max() <= 2, "green leaked into the red square's edge"


def test_resizing_to_the_same_size_returns_every_byte() -> None:
    picture = random_rgba()
    assert alpha.resize(picture, 53, 37) is picture


def test_area_averaging_keeps_the_mean() -> None:
    values = np.random.default_rng(1).random((60, 90, 3)).astype(np.float32)
    small = alpha.resample(values, 30, 20, "area")
    assert np.allclose(small, values.reshape(20, 3, 30, 3, 3).mean(axis=(1, 3)), atol=1e-6)


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


def test_trim_finds_the_box_of_alpha() -> None:
    picture = np.zeros((20, 30, 4), np.uint8)
    picture[5:9, 7:12] = 200
    trimmed, box = alpha.trim(picture)
    assert box == Box(7, 5, 12, 9)
    assert trimmed.shape == (4, 5, 4)
    assert alpha.alpha_box(np.zeros((3, 3, 4), np.uint8)) is None
    assert alpha.trim(np.zeros((3, 3, 4), np.uint8))[0].shape == (1, 1, 4)


def test_cropping_outside_is_transparent() -> None:
    picture = np.full((4, 4, 4), 9, np.uint8)
    part = alpha.crop(picture, Box(-2, -1, 3, 2))
    assert part.shape == (3, 5, 4)
    assert (part[:1] == 0).all()
    assert (part[1:, 2:] == 9).all()


def test_rounding_to_bytes_is_to_nearest() -> None:
    assert alpha.to_u8(np.array([0.0, 0.4999 / 255, 0.5001 / 255, 1.0], np.float32)).tolist() == [0, 0, 1, 255]


def test_over_composes_straight_alpha() -> None:
    top = np.array([[[1.0, 0.0, 0.0, 0.5]]], np.float32)
    bottom = np.array([[[0.0, 0.0, 1.0, 1.0]]], np.float32)
    assert np.allclose(alpha.over(top, bottom), [[[0.5, 0.0, 0.5, 1.0]]])
