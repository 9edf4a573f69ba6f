import numpy as np
import pytest
from acetate.document import Box, Document, Group, Layer, trim, walk


def layer(x=0, y=0, height=4, width=6, **look):
    return Layer(np.full((height, width, 4), 200, np.uint8), x, y, **look)


@pytest.mark.parametrize("pixels", [np.zeros((2, 2, 4)), np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8)])
def test_a_layer_says_what_its_pixels_should_be(pixels):
    with pytest.raises(ValueError, match=r"layer 'kite' are .*must be uint8 or uint16 \(height, width, 4\)"):
        Layer(pixels, name="kite")


@pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
def test_opacity_outside_zero_to_one_is_refused(opacity):
    with pytest.raises(ValueError, match="between 0 and 1"):
        layer(opacity=opacity)


def test_an_unknown_blend_mode_is_refused_and_the_known_ones_are_listed():
    with pytest.raises(ValueError, match="'glow'.*multiply"):
        layer(blend_mode="glow")


def test_only_groups_can_be_pass_through():
    assert Group("g", blend_mode="pass-through").blend_mode == "pass-through"
    with pytest.raises(ValueError, match="pass-through"):
        layer(blend_mode="pass-through")


def test_a_canvas_has_at_least_one_pixel():
    with pytest.raises(ValueError, match="0 x 5"):
        Document(0, 5)


def test_a_groups_box_surrounds_its_layers_and_ignores_empty_ones():
    empty = Layer(np.zeros((0, 0, 4), np.uint8), 500, 500)
    group = Group("g", [layer(-2, 1), Group("inner", [layer(10, 3)]), empty])
    assert group.box == Box(-2, 1, 18, 6)
    assert Group("nothing", [empty]).box == Box(0, 0, 0, 0)


def test_boxes_that_do_not_touch_have_an_empty_intersection():
    box = Box(0, 0, 4, 4).intersection(Box(9, 1, 3, 3))
    assert (box.width, box.height) == (0, 3)


def test_walk_goes_bottom_to_top_and_names_a_group_before_its_children():
    tree = (layer(name="a"), Group("g", (layer(name="b"), layer(name="c"))), layer(name="d"))
    assert [node.name for node in walk(tree)] == ["a", "g", "b", "c", "d"]


def test_trim_crops_to_what_is_covered_and_keeps_its_place_on_the_canvas():
    rgba = np.full((10, 12, 4), 7, np.uint8)
    rgba[..., 3] = 0
    rgba[2:5, 3:9, 3] = 255
    trimmed = trim(Layer(rgba, 100, 50, name="kite", opacity=0.5))
    assert trimmed.box == Box(103, 52, 6, 3)
    assert (trimmed.name, trimmed.opacity) == ("kite", 0.5)


def test_trim_makes_a_transparent_layer_empty():
    assert trim(Layer(np.zeros((3, 3, 4), np.uint8))).rgba.shape == (0, 0, 4)
