import numpy as np
import pytest
from acetate.document.composition.baking import LayerMask, Source, bake
from acetate.document.layer import Group, Layer
from acetate.vocabulary.box import Box

CANVAS = Box(0, 0, 8, 8)


def layer(name="kite", x=0, y=0, side=4, alpha=255):
    return Layer(np.full((side, side, 4), (10, 20, 30, alpha), np.uint8), x, y, name)


def baked(*sources):
    notes = []
    return bake(sources, CANVAS, notes), notes


def test_a_plain_layer_goes_through_untouched():
    kite = layer()
    nodes, notes = baked(Source(kite))
    assert nodes == (kite,)
    assert notes == []


@pytest.mark.parametrize(("density", "expected"), [(255, [0, 100, 255]), (128, [127, 177, 255]), (0, [255, 255, 255])])
def test_a_mask_scales_alpha_by_its_density(density, expected):
    mask = LayerMask(np.array([[0, 100, 255]], np.uint8), 0, 0, 0, density)
    nodes, _ = baked(Source(layer(), mask=mask))
    assert nodes[0].rgba[0, :3, 3].tolist() == pytest.approx(expected, abs=1)


@pytest.mark.parametrize(("x", "y"), [(-3, 0), (6, 6), (100, -100), (1, 2)])
def test_a_mask_anywhere_around_the_layer_is_cut_to_it(x, y):
    mask = LayerMask(np.full((4, 4), 7, np.uint8), x, y, outside=99)
    nodes, _ = baked(Source(layer(), mask=mask))
    alpha = nodes[0].rgba[..., 3]
    inside = Box(x, y, 4, 4).intersection(Box(0, 0, 4, 4))
    assert (alpha == 7).sum() == inside.width * inside.height
    assert (alpha == 99).sum() == 16 - (alpha == 7).sum()


def test_an_empty_mask_is_its_outside_everywhere():
    nodes, _ = baked(Source(layer(), mask=LayerMask(np.zeros((0, 0), np.uint8), 0, 0, outside=0)))
    assert not nodes[0].rgba[..., 3].any()


def test_hidden_colour_survives_a_mask():
    nodes, _ = baked(Source(layer(), mask=LayerMask(np.zeros((0, 0), np.uint8), 0, 0, outside=0)))
    assert nodes[0].rgba[0, 0].tolist() == [10, 20, 30, 0]


def test_a_clipped_run_belongs_to_the_nearest_unclipped_layer_below():
    nodes, notes = baked(
        Source(layer("a")), Source(layer("b"), clipped=True), Source(layer("c")), Source(layer("d"), clipped=True)
    )
    assert [node.name for node in nodes] == ["a", "c"]
    assert notes == ["'b' was merged into 'a', to which it was clipped", "'d' was merged into 'c', to which it was clipped"]


def test_a_clipped_layer_at_the_very_bottom_is_an_ordinary_one():
    nodes, notes = baked(Source(layer("a"), clipped=True), Source(layer("b")))
    assert [node.name for node in nodes] == ["a", "b"]
    assert notes == []


def test_a_masked_group_that_spans_half_the_world_is_cut_to_the_canvas():
    far = Group("far")
    children = (Source(layer("left", -(2**31))), Source(layer("right", 2**31 - 5)), Source(layer("here", 2, 2)))
    nodes, _ = baked(Source(far, children, mask=LayerMask(np.zeros((0, 0), np.uint8), 0, 0, 255)))
    assert nodes[0].box == Box(0, 0, 8, 6)
