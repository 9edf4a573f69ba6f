"""What the editors report after each change; the numbers of crop, scaling and turning are Krita 5.2's own."""

import pytest
from acetate.plugins.bridge.surroundings import STAYED, Move, Spot, Surroundings, move_between
from acetate.protocol import Box

BEFORE = Surroundings(
    Box(0, 0, 640, 480), {"paper": Spot(Box(0, 0, 640, 480), (0, 0)), "mine": Spot(Box(50, 60, 100, 100), (0, 0))}
)
RESULT = Box(100, 200, 64, 32)


def after(width, height, paper, mine):
    """The canvas, and for each layer its box and its origin."""
    spots = {name: Spot(Box(*box), origin) for name, (box, origin) in {"paper": paper, "mine": mine}.items() if box is not None}
    return Surroundings(Box(0, 0, width, height), spots)


@pytest.mark.parametrize(
    ("change", "now", "there"),
    [
        ("nothing", after(640, 480, ((0, 0, 640, 480), (0, 0)), ((50, 60, 100, 100), (0, 0))), RESULT),
        ("crop", after(300, 200, ((0, 0, 300, 200), (-30, -20)), ((20, 40, 100, 100), (-30, -20))), Box(70, 180, 64, 32)),
        ("enlarge", after(700, 520, ((0, 0, 700, 520), (10, 20)), ((60, 80, 100, 100), (10, 20))), Box(110, 220, 64, 32)),
        ("scale", after(1280, 960, ((0, 0, 1280, 960), (0, 0)), ((100, 120, 200, 200), (0, 0))), Box(200, 400, 128, 64)),
        ("squeeze", after(1280, 480, ((0, 0, 1280, 480), (0, 0)), ((100, 60, 200, 100), (0, 0))), Box(200, 200, 128, 32)),
        ("quarter turn", after(480, 640, ((0, 0, 480, 640), (479, 0)), ((320, 50, 100, 100), (479, 0))), Box(248, 100, 32, 64)),
        ("mirror", after(640, 480, ((0, 0, 640, 480), (0, 0)), ((490, 60, 100, 100), (0, 0))), Box(476, 200, 64, 32)),
        ("half turn", after(640, 480, ((0, 0, 640, 480), (639, 479)), ((490, 320, 100, 100), (639, 479))), Box(476, 248, 64, 32)),
        ("all moved", after(640, 480, ((5, 7, 635, 473), (5, 7)), ((55, 67, 100, 100), (5, 7))), Box(105, 207, 64, 32)),
    ],
)
def test_a_result_goes_the_way_of_the_canvas(change, now, there):
    move = move_between(BEFORE, now)
    assert move is not None, change
    assert move.box(RESULT) == there, change


def test_with_one_layer_that_fills_the_canvas_its_origin_tells():
    before = Surroundings(Box(0, 0, 640, 480), {"paper": BEFORE.layers["paper"]})
    ways = {
        (300, 200, (-30, -20)): Move(x0=-30, y0=-20),
        (480, 640, (479, 0)): Move(xx=0, xy=-1, x0=480, yx=1, yy=0),
        (480, 640, (0, 639)): Move(xx=0, xy=1, yx=-1, yy=0, y0=640),
        (1280, 960, (0, 0)): Move(xx=2, yy=2),
        (300, 200, (0, 0)): STAYED,
    }
    for (width, height, origin), move in ways.items():
        now = Surroundings(Box(0, 0, width, height), {"paper": Spot(Box(0, 0, width, height), origin)})
        assert move_between(before, now) == move, (width, height, origin)


def test_a_layer_that_the_artist_moved_moves_nothing_else():
    now = after(640, 480, ((0, 0, 640, 480), (0, 0)), ((90, 60, 100, 100), (40, 0)))
    assert move_between(BEFORE, now) == STAYED
    alone = Surroundings(BEFORE.canvas, {"mine": BEFORE.layers["mine"]})
    assert move_between(alone, Surroundings(BEFORE.canvas, {"mine": Spot(Box(90, 60, 100, 100), (40, 0))})) == STAYED


def test_layers_that_went_different_ways_on_another_canvas_tell_nothing():
    assert move_between(BEFORE, after(300, 200, ((0, 0, 300, 200), (-30, -20)), ((9, 9, 100, 100), (-41, -51)))) is None


def test_layers_that_are_gone_or_empty_are_left_out():
    assert move_between(BEFORE, Surroundings(Box(0, 0, 300, 200))) is None
    now = after(300, 200, ((0, 0, 300, 200), (-30, -20)), ((0, 0, 0, 0), (-30, -20)))
    assert move_between(BEFORE, now) == Move(x0=-30, y0=-20)


def test_only_a_shift_leaves_pixels_as_they_are():
    assert Move(x0=3).only_shifts
    assert not Move(xx=2, yy=2).only_shifts
