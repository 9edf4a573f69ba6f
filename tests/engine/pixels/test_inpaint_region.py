"""Where a repaint works and how it goes back."""

import numpy as np
from acetate.engine.pixels.inpaint_region import paste, region_around
from acetate.vocabulary.box import Box
from hypothesis import given
from hypothesis import strategies as st


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_the_region_holds_the_selection_and_stays_on_the_canvas(width: int, height: int, data: st.DataObject) -> None:
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left + 1, width)), data.draw(st.integers(top + 1, height))
    mask = np.zeros((height, width), np.uint8)
    mask[top:bottom, left:right] = 1
    box = region_around(mask, 128)
    assert 0 <= box.x <= left < right <= box.right <= width
    assert 0 <= box.y <= top < bottom <= box.bottom <= height


def test_outside_the_mask_every_byte_stays_hidden_colour_included() -> None:
    rng = np.random.default_rng(0)
    source, painted = rng.integers(0, 256, (2, 40, 40, 4)).astype(np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 10:20], mask[20:22, 10:20] = 255, 128
    result = paste(source, painted, mask, Box(0, 0, 40, 40))
    assert (result[mask == 0] == source[mask == 0]).all()
    assert (result[mask == 255] == painted[mask == 255]).all()


def test_a_soft_edge_takes_no_colour_from_transparent_pixels() -> None:
    source = np.zeros((1, 1, 4), np.uint8)
    source[..., :3] = (0, 255, 0)
    painted = np.full((1, 1, 4), (255, 0, 0, 255), np.uint8)
    result = paste(source, painted, np.full((1, 1), 128, np.uint8), Box(0, 0, 1, 1))
    assert result[0, 0].tolist() == [255, 0, 0, 128]
