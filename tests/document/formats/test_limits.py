"""How much a file may ask for: to the last pixel, and not one more."""

from __future__ import annotations

import pytest
from acetate.document.errors import TooLarge
from acetate.document.formats.limits import (
    MAX_DEPTH,
    MAX_LAYER_PIXELS,
    MAX_LAYERS,
    MAX_ONE_LAYER,
    MAX_SIDE,
    PixelBudget,
    check_canvas,
)


def test_a_canvas_may_be_as_large_as_the_format_and_no_larger() -> None:
    check_canvas("a.psd", MAX_SIDE, MAX_LAYER_PIXELS // MAX_SIDE)
    with pytest.raises(TooLarge, match="300001 x 1 pixels"):
        check_canvas("a.psd", MAX_SIDE + 1, 1)
    with pytest.raises(TooLarge, match="in all"):
        check_canvas("a.psd", MAX_SIDE, MAX_LAYER_PIXELS // MAX_SIDE + 1)


def test_the_layers_of_a_file_are_counted_together() -> None:
    budget = PixelBudget("a.psd")
    for _ in range(MAX_LAYER_PIXELS // MAX_ONE_LAYER):
        budget.spend(2**14, MAX_ONE_LAYER // 2**14, depth=MAX_DEPTH)
    with pytest.raises(TooLarge, match="together"):
        budget.spend(1, 1)


def test_one_layer_has_a_limit_of_its_own() -> None:
    with pytest.raises(TooLarge, match="a layer of a.psd has 22000 x 22000 pixels, 484,000,000 in all; one may have 268,435,456"):
        PixelBudget("a.psd").spend(22_000, 22_000)


def test_many_empty_layers_and_deep_groups_are_too_much_as_well() -> None:
    budget = PixelBudget("a.psd")
    for _ in range(MAX_LAYERS):
        budget.spend(0, 0)
    with pytest.raises(TooLarge, match="more than 10,000 layers"):
        budget.spend(0, 0)
    with pytest.raises(TooLarge, match="nested deeper than 64"):
        PixelBudget("a.psd").spend(0, 0, depth=MAX_DEPTH + 1)
