import numpy as np
import pytest
from acetate.document import Box
from acetate.document.effects.paints import Gradient, Pattern, Solid

BLACK_TO_WHITE = ((0.0, 0.5, (0, 0, 0)), (1.0, 0.5, (255, 255, 255)))
AREA = Box(0, 0, 10, 10)


def drawn(paint, box=AREA, area=AREA):
    """Red and alpha, in 0..255."""
    colour, alpha = paint.draw(box, area)
    assert colour.shape == (3, box.height, box.width)
    assert alpha.shape == (box.height, box.width)
    return np.rint(colour[0] * 255).astype(int), np.rint(alpha * 255).astype(int)


def test_one_colour_is_everywhere():
    red, alpha = drawn(Solid((100, 0, 0)))
    assert (red == 100).all()
    assert (alpha == 255).all()


def test_a_linear_gradient_runs_across_its_area_and_stands_still_beyond_it():
    red, _ = drawn(Gradient("linear", BLACK_TO_WHITE), Box(-2, 4, 14, 1))
    assert red[0].tolist() == [0, 0, 13, 38, 64, 89, 115, 140, 166, 191, 217, 242, 255, 255]


def test_an_angle_turns_it_counter_clockwise():
    red, _ = drawn(Gradient("linear", BLACK_TO_WHITE, angle=90))
    assert red[:, 3].tolist() == [242, 217, 191, 166, 140, 115, 89, 64, 38, 13]


def test_a_slanted_gradient_reaches_from_corner_to_corner():
    red, _ = drawn(Gradient("linear", BLACK_TO_WHITE, angle=45), Box(0, 0, 20, 10), Box(0, 0, 20, 10))
    assert red[-1, 0] <= 9
    assert red[0, -1] >= 246


def test_scale_offset_and_reversal():
    red, _ = drawn(Gradient("linear", BLACK_TO_WHITE, scale=0.5), Box(0, 0, 10, 1))
    assert red[0].tolist() == [0, 0, 0, 51, 102, 153, 204, 255, 255, 255]
    red, _ = drawn(Gradient("linear", BLACK_TO_WHITE, offset=(0.2, 0)), Box(0, 0, 10, 1))
    assert red[0, 7] == 140
    red, _ = drawn(Gradient("linear", BLACK_TO_WHITE, reverse=True), Box(0, 0, 10, 1))
    assert red[0, 0] == 242


@pytest.mark.parametrize(("kind", "right", "top"), [("radial", 232, 232), ("reflected", 232, 0), ("diamond", 232, 232)])
def test_some_kinds_begin_in_the_middle(kind, right, top):
    area = Box(0, 0, 11, 11)
    red, _ = drawn(Gradient(kind, BLACK_TO_WHITE), area, area)
    assert (red[5, 5], red[5, 10], red[0, 5]) == (0, right, top)


def test_a_gradient_of_angles_goes_around_the_middle_counter_clockwise():
    area = Box(0, 0, 11, 11)
    red, _ = drawn(Gradient("angle", BLACK_TO_WHITE), area, area)
    assert (red[5, 10], red[0, 5], red[5, 0], red[10, 5]) == (0, 64, 128, 191)


def test_a_midpoint_moves_the_middle_between_two_stops():
    stops = ((0.0, 0.5, (0, 0, 0)), (1.0, 0.25, (200, 0, 0)))
    red, _ = drawn(Gradient("linear", stops), Box(2, 0, 1, 1))
    assert red[0, 0] == 100


def test_stops_of_opacity_are_stops_of_their_own():
    gradient = Gradient("linear", BLACK_TO_WHITE, alphas=((0.0, 0.5, (1.0,)), (0.5, 0.5, (0.0,)), (1.0, 0.5, (0.0,))))
    _, alpha = drawn(gradient, Box(0, 0, 10, 1))
    assert alpha[0].tolist() == [230, 178, 128, 76, 26, 0, 0, 0, 0, 0]


def test_a_pattern_repeats_from_its_origin():
    tile = np.zeros((1, 3, 4), np.uint8)
    tile[0, :, 0] = (10, 20, 30)
    tile[0, :, 3] = (255, 128, 0)
    red, alpha = drawn(Pattern(tile, origin=(1, 0)), Box(-1, 0, 6, 2))
    assert red[1].tolist() == [20, 30, 10, 20, 30, 10]
    assert alpha[0].tolist() == [128, 0, 255, 128, 0, 255]


def test_a_larger_pattern_has_mixtures_between_its_pixels():
    """As in psd-tools' `patterns.psd`: a tile pixel's own colour stands where the tile begins, and half of it beside."""
    tile = np.full((1, 4, 4), 255, np.uint8)
    tile[0, 0, :3] = 0
    red, alpha = drawn(Pattern(tile, origin=(2, 0), scale=2.0), Box(0, 0, 9, 2))
    assert red[0].tolist() == pytest.approx([255, 128, 0, 128, 255, 255, 255, 255, 255], abs=1)
    assert (alpha == 255).all()
