"""An edit is taken over where it was meant, and a cut-out has the colours that it had."""

from __future__ import annotations

import numpy as np
import pytest
from acetate.engine.pixels.inpaint_region import paste
from acetate.engine.pixels.kept_pixels import SEPARATE, changed, cut_out, separation, taken_apart
from acetate.raster import over, premultiply, to_float
from acetate.vocabulary.box import Box
from numpy.typing import NDArray


def layer(seed: int = 0, side: int = 96) -> NDArray[np.uint8]:
    rgba = np.random.default_rng(seed).integers(60, 200, (side, side, 4), dtype=np.uint8)
    rgba[..., 3] = 255
    return rgba


@pytest.mark.parametrize("drift", [0, 3, -12])
def test_what_was_not_meant_stays_to_the_byte(drift: int) -> None:
    before = layer()
    after = before.copy()
    after[..., :3] = (after[..., :3].astype(int) + drift).clip(0, 255)
    after[30:50, 40:60] = (255, 0, 0, 255)
    mask = changed(before, after)
    assert (mask[32:48, 42:58] == 255).all(), "the whole of the change"
    assert (mask[:4] == 0).all() and (mask[80:] == 0).all()
    made = paste(before, after, mask, Box(0, 0, 96, 96))
    assert (made[mask == 0] == before[mask == 0]).all()
    assert (made[32:48, 42:58] == after[32:48, 42:58]).all()


def test_a_layer_that_only_became_darker_was_not_changed() -> None:
    before = layer()
    after = before.copy()
    after[..., :3] -= 9
    assert not changed(before, after).any()


def test_a_change_of_everything_is_taken_whole() -> None:
    assert (changed(layer(0), 255 - layer(0) // 2) == 255).all()


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (9, 17)])
def test_pictures_of_any_size_are_compared(size: tuple[int, int]) -> None:
    before, after = np.zeros((*size, 4), np.uint8), np.full((*size, 4), 255, np.uint8)
    assert changed(before, after).shape == size
    assert (changed(before, after) == 255).all()


def test_a_cut_out_has_the_sources_colours_and_is_no_more_opaque_than_it() -> None:
    source = layer()
    source[:, :20, 3] = 90
    drawn = source.copy()
    drawn[..., :3] += 2
    drawn[..., 3] = 255
    drawn[60:, :, 3] = 0
    drawn[50:60, :, 3] = 128
    found, same = cut_out(source, drawn)
    assert same
    assert (found[:50, :, :3] == source[:50, :, :3]).all()
    assert (found[50:60, :, :3] == drawn[50:60, :, :3]).all()
    assert (found[..., 3] == np.minimum(source[..., 3], drawn[..., 3])).all()


def test_a_subject_that_moved_keeps_the_colours_that_were_drawn() -> None:
    source, drawn = layer(0), layer(1)
    found, same = cut_out(source, drawn)
    assert not same
    assert (found == drawn).all()


@pytest.mark.parametrize("opaque", [True, False])
def test_layers_that_were_taken_apart_show_the_picture_to_a_level(opaque: bool) -> None:
    source, front, back = (np.random.default_rng(seed).integers(0, 256, (64, 64, 4), dtype=np.uint8) for seed in range(3))
    if opaque:
        source[..., 3] = 255
    front[:20, :, 3], front[20:30, :, 3] = 0, 255
    front[..., 3] = np.minimum(front[..., 3], source[..., 3])
    first, second = taken_apart(source, front, back)
    seen = premultiply(over(to_float(first), to_float(second)))
    assert np.abs(seen - premultiply(to_float(source))).max() * 255 <= 1.01
    assert (first[..., 3] == front[..., 3]).all()
    if opaque:
        assert (second[..., 3] == 255).all()
        assert (second[20:30, :, :3] == back[20:30, :, :3]).all(), "what is wholly hidden is the model's"
        assert (second[:20] == source[:20]).all()


def test_a_background_that_is_the_picture_itself_is_no_separation() -> None:
    source = layer()
    assert separation(source, source, source) < SEPARATE < separation(source, source, 255 - source)
    assert separation(source, np.zeros_like(source), source) == 1
