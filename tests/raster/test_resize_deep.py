"""Pictures of more than 8 bits keep their levels, their range and their edges when they are enlarged."""

from __future__ import annotations

import numpy as np
import pytest
from acetate.raster import resize, resize_deep


def ramp(dtype, top):
    """`(8, 512, 4)`: a ramp over the whole range, opaque."""
    picture = np.empty((8, 512, 4), dtype)
    picture[..., :3] = np.linspace(0, top, 512).astype(dtype)[None, :, None]
    picture[..., 3] = 65535 if dtype == np.uint16 else 1
    return picture


@pytest.mark.parametrize(("dtype", "top"), [(np.uint16, 65535), (np.float32, 6.5)])
def test_a_ramp_keeps_more_levels_than_8_bits_have_and_its_ends(dtype, top):
    large = resize_deep(ramp(dtype, top), 1024, 16)
    assert large.dtype == dtype and large.shape == (16, 1024, 4)
    assert len(np.unique(large[..., 0])) >= 1000
    assert large[..., 0].min() == 0 and large[..., 0].max() == pytest.approx(top)


def test_highlights_beyond_1_do_not_ring():
    picture = ramp(np.float32, 0)
    picture[3:5, 200:210, :3] = 9.0
    large = resize_deep(picture, 1024, 16)
    assert large[..., :3].min() == 0 and large[..., :3].max() == 9


def test_what_is_empty_or_opaque_stays_so_and_hidden_colour_does_not_bleed():
    picture = np.zeros((32, 32, 4), np.uint16)
    picture[..., :3] = (65535, 0, 0)  # red, but nobody sees it
    picture[8:24, 8:24] = (0, 40000, 1000, 65535)
    large = resize_deep(picture, 64, 64)
    assert not large[:13, :, 3].any() and (large[20:44, 20:44, 3] == 65535).all()
    seen = large[..., 3] > 655
    assert large[seen][:, 0].max() <= 655, "no red fringe"


def test_it_agrees_with_8_bits_within_their_steps():
    random = np.random.default_rng(3)
    small = random.integers(100, 156, (20, 24, 4), np.uint8)
    small[..., 3] = 255
    deep = resize_deep(small.astype(np.uint16) * 257, 48, 40)
    assert np.abs(deep / 257 - resize(small, 48, 40).astype(float))[..., 3].max() == 0
    inner = np.clip(resize(small, 48, 40).astype(float), 100, 155)
    assert np.abs(deep / 257 - inner)[..., :3].max() <= 1.5, "Pillow rounds 8-bit pictures between its passes"


def test_the_same_size_is_the_same_picture():
    picture = ramp(np.uint16, 65535)
    assert resize_deep(picture, 512, 8) is picture
