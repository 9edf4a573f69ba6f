"""Pixels cut to a selection's shape: the alpha of each is the product, and nothing stays outside."""

import random

import pytest
from acetate.plugins.bridge.shape import mapped, shaped, with_pixels
from acetate.plugins.bridge.stack import Folder, Sheet, sheets
from acetate.protocol import Box, Image

from .fakes import arrived


def finished(work):
    while True:
        try:
            next(work)
        except StopIteration as stop:
            return stop.value


@pytest.mark.parametrize("box", [Box(0, 0, 9, 7), Box(2, 1, 4, 3), Box(-3, -2, 20, 15), Box(30, 30, 2, 2)])
def test_alpha_is_multiplied_by_the_mask_and_colour_stays(box):
    random.seed(box.x)
    mask = Image(9, 7, "gray8", bytes(random.randrange(256) for _ in range(63)))
    data = bytes(random.randrange(256) for _ in range(4 * box.width * box.height))
    cut = finished(shaped(data, mask, box))
    for row in range(box.height):
        for column in range(box.width):
            x, y, i = box.x + column, box.y + row, 4 * (row * box.width + column)
            share = mask.data[y * 9 + x] if 0 <= x < 9 and 0 <= y < 7 else 0
            assert cut[i + 3] == round(data[i + 3] * share / 255), (column, row)
            assert cut[i : i + 3] == data[i : i + 3]


def test_what_is_wholly_selected_stays_to_the_bit():
    data = bytes(range(64))
    assert finished(shaped(data, Image(4, 4, "gray8", b"\xff" * 16), Box(0, 0, 4, 4))) == data


def test_every_sheet_of_an_item_can_be_changed():
    item = Folder("figs", (Sheet("one", arrived("job")), Folder("inner", (Sheet("two", arrived("job")),), visible=False)))
    moved = mapped(item, lambda sheet: with_pixels(sheet, sheet.ready.data, Box(5, 0, 2, 2)))
    assert [(sheet.name, sheet.ready.layer.x) for sheet in sheets(moved)] == [("one", 5), ("two", 5)]
    assert moved.items[1].visible is False
