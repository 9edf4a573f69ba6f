from dataclasses import replace

import numpy as np
import pytest
from acetate.document import Box, Mask

VALUES = np.array([[0, 51, 255]], np.uint8)


def shown(mask):
    return mask.coverage(Box(0, 0, 4, 1))[0].tolist()


@pytest.mark.parametrize(("density", "expected"), [(1, [0, 0.2, 1, 0]), (0.5, [0.5, 0.6, 1, 0.5]), (0, [1, 1, 1, 1])])
def test_density_weakens_what_a_mask_hides_outside_its_box_too(density, expected):
    assert shown(Mask(VALUES, outside=0, density=density)) == pytest.approx(expected)


def test_an_inverted_mask_hides_what_it_would_show():
    assert shown(Mask(VALUES, outside=0, inverted=True)) == pytest.approx([1, 0.8, 0, 1])
    assert shown(Mask(VALUES, outside=0, inverted=True, density=0.5)) == pytest.approx([1, 0.9, 0.5, 1])


@pytest.mark.parametrize(("x", "y"), [(-3, 0), (6, 6), (100, -100), (1, 2)])
def test_a_mask_anywhere_around_a_box_is_cut_to_it(x, y):
    coverage = Mask(np.full((4, 4), 51, np.uint8), x, y, outside=102).coverage(Box(0, 0, 4, 4))
    inside = Box(x, y, 4, 4).intersection(Box(0, 0, 4, 4))
    assert np.isclose(coverage, 0.2).sum() == inside.width * inside.height
    assert np.isclose(coverage, 0.4).sum() == 16 - inside.width * inside.height


def test_an_empty_mask_is_its_outside_everywhere():
    assert shown(Mask(np.zeros((0, 0), np.uint8), 5, 5, outside=0)) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"values": np.zeros((2, 2, 4), np.uint8)}, r"uint8 \(2, 2, 4\); they must be uint8 \(height, width\)"),
        ({"outside": 300}, "outside the mask is 300"),
        ({"density": 1.5}, "density of the mask is 1.5; it must be between 0 and 1"),
        ({"feather": -1.0}, "feather of the mask is -1.0 pixels"),
    ],
)
def test_what_no_mask_can_be_is_refused_with_the_value(wrong, said):
    with pytest.raises(ValueError, match=said):
        replace(Mask(VALUES), **wrong)
