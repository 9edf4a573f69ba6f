from __future__ import annotations

import numpy as np
import pytest
from acetate.engine.sketch.memory import Memory


def test_a_drawing_comes_back_with_its_alpha_as_it_was_and_its_colour_nearly(kept: Memory) -> None:
    drawing = kept.picture(3).astype(int)
    assert (drawing[20:88, 24:100, 3] == 255).all()
    assert (drawing[:19, :, 3] == 0).all()
    assert np.abs(drawing[22:86, 26:98, :3] - (200, 30, 40)).max() < 12


def test_colour_is_premultiplied(kept: Memory) -> None:
    assert not kept.picture(0)[:19].any()


def test_every_drawing_has_a_name_and_there_are_no_more(kept: Memory) -> None:
    assert kept.names[3] == "dragon"
    with pytest.raises(IndexError):
        kept.picture(len(kept.names))
