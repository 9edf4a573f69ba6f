from acetate.plugins.bridge.placement import gone, out_of_sight, target_box, too_large
from acetate.plugins.bridge.surroundings import STAYED, Move
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


def test_a_layer_that_cannot_be_seen_is_said_to_lie_where_it_does():
    assert "outside the canvas, at 500, 20" in out_of_sight(Box(500, 20, 30, 30), CANVAS)
    assert out_of_sight(Box(390, 20, 30, 30), CANVAS) is None


def test_a_layer_that_was_enlarged_beyond_the_canvas_is_said_to_with_both_sizes():
    assert "800 × 600 and reaches beyond the canvas of 400 × 300" in out_of_sight(Box(0, 0, 800, 600), CANVAS, enlarged=True)
    assert out_of_sight(Box(0, 0, 400, 300), CANVAS, enlarged=True) is None


def test_what_became_of_the_place_is_said_only_where_something_did():
    assert gone(STAYED, SELECTION) is None
    assert "went with it" in gone(Move(x0=5), SELECTION)
    assert "at -20, 10" in gone(None, SELECTION)
