from acetate.plugins.bridge.placement import centred, intersection, scaled, target_box, too_large, union
from acetate.protocol import Box

CANVAS = Box(0, 0, 400, 300)
SELECTION = Box(-20, 10, 100, 50)


def test_the_selection_decides_the_target_and_may_reach_beyond_the_canvas():
    assert target_box("selection", canvas=CANVAS, selection=SELECTION, layer=None) == SELECTION


def test_without_a_selection_the_canvas_is_the_target():
    assert target_box("selection", canvas=CANVAS, selection=None, layer=None) == CANVAS


def test_the_canvas_can_be_asked_for_in_spite_of_a_selection():
    assert target_box("canvas", canvas=CANVAS, selection=SELECTION, layer=None) == CANVAS


def test_an_own_size_is_centred_on_the_selection():
    assert target_box("custom", canvas=CANVAS, selection=Box(100, 100, 50, 50), layer=None, width=30, height=10) == Box(
        110, 120, 30, 10
    )


def test_the_layers_place_can_be_the_target():
    assert target_box("layer", canvas=CANVAS, selection=SELECTION, layer=Box(1, 2, 3, 4)) == Box(1, 2, 3, 4)


def test_intersection_of_boxes_that_only_touch_is_nothing():
    assert intersection(Box(0, 0, 10, 10), Box(10, 0, 10, 10)) is None


def test_intersection_and_union():
    assert intersection(Box(0, 0, 10, 10), Box(5, -5, 10, 10)) == Box(5, 0, 5, 5)
    assert union(Box(0, 0, 10, 10), Box(5, -5, 10, 10)) == Box(0, -5, 15, 15)


def test_centring_an_odd_size_is_exact_to_the_pixel():
    assert centred(3, 3, Box(0, 0, 10, 10)) == Box(3, 3, 3, 3)


def test_scaling_keeps_the_top_left_corner():
    assert scaled(Box(7, -3, 10, 5), 1.5) == Box(7, -3, 15, 8)


def test_sizes_the_server_refuses_are_named_beforehand():
    assert too_large(Box(0, 0, 8192, 8192)) is None
    assert "8193 × 5" in too_large(Box(0, 0, 8193, 5))
