from acetate.plugins.bridge.placement import target_box, too_large
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


def test_sizes_the_server_refuses_are_named_beforehand():
    assert too_large(Box(0, 0, 8192, 8192)) is None
    assert "8193 × 5" in too_large(Box(0, 0, 8193, 5))
