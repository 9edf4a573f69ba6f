from dataclasses import replace

import numpy as np
import pytest
from acetate.document.composition.baking import bake, said
from acetate.document.composition.compose import render
from acetate.document.layer import PASS_THROUGH, Group, Layer, walk
from acetate.document.mask import Mask
from acetate.vocabulary.box import Box

CANVAS = Box(0, 0, 8, 8)
LEFT = Mask(np.full((8, 4), 255, np.uint8), outside=0)
"""Shows the left half."""


def layer(name="kite", x=0, y=0, side=4, alpha=255, **look):
    return Layer(np.full((side, side, 4), (10, 20, 30, alpha), np.uint8), x, y, name, **look)


def baked(*nodes, clipping=False):
    made = bake(nodes, CANVAS, clipping=clipping)
    assert not any(node.mask for node in walk(made))
    return made, list(said(nodes, clipping=clipping))


def shows_the_same(difference, made, nodes):
    return difference(render(made, CANVAS), render(nodes, CANVAS)) <= 1


def test_a_plain_layer_goes_through_untouched():
    kite = layer()
    assert baked(kite) == ((kite,), [])


def test_a_mask_goes_into_the_alpha_and_hidden_colour_survives_it():
    (made,), notes = baked(layer(mask=Mask(np.array([[0, 100, 255]], np.uint8), outside=7)))
    assert made.rgba[0].tolist() == [[10, 20, 30, 0], [10, 20, 30, 100], [10, 20, 30, 255], [10, 20, 30, 7]]
    assert notes == ["the mask of 'kite' was applied to its transparency"]


def test_a_disabled_mask_goes_away_and_leaves_the_pixels():
    (made,), notes = baked(layer(mask=replace(LEFT, enabled=False)))
    assert made.rgba.min(axis=(0, 1)).tolist() == [10, 20, 30, 255]
    assert notes == ["the mask of 'kite', which was disabled, was left out"]


def test_a_clipped_run_is_merged_into_the_nearest_unclipped_layer_below():
    made, notes = baked(layer("a"), layer("b", clipped=True), layer("c"), layer("d", clipped=True, visible=False))
    assert [node.name for node in made] == ["a", "c"]
    assert notes == ["'b' was merged into 'a', to which it was clipped", "'d' was hidden and clipped, and left out"]


def test_a_clipped_layer_at_the_very_bottom_is_an_ordinary_one():
    made, notes = baked(layer("a", clipped=True), layer("b"))
    assert [(node.name, node.clipped) for node in made] == [("a", False), ("b", False)]
    assert notes == []


def test_a_run_in_normal_mode_stays_clipped_where_that_is_wanted(difference):
    nodes = (layer("a", alpha=90), layer("b", 2, clipped=True, mask=LEFT))
    made, notes = baked(*nodes, clipping=True)
    assert [(node.name, node.clipped) for node in made] == [("a", False), ("b", True)]
    assert notes == ["the mask of 'b' was applied to its transparency"]
    assert shows_the_same(difference, made, nodes)


@pytest.mark.parametrize(
    "run",
    [
        (layer("a"), layer("b", clipped=True, blend_mode="multiply")),
        (Group("a", (layer(),), blend_mode=PASS_THROUGH), layer("b", clipped=True)),
        (layer("a", blends_clipped=False), layer("b", clipped=True)),
    ],
)
def test_a_run_that_source_atop_does_not_show_is_merged_all_the_same(difference, run):
    made, _ = baked(*run, clipping=True)
    assert [node.name for node in made] == ["a"]
    assert shows_the_same(difference, made, run)


def test_a_group_with_a_mask_or_with_clipped_layers_becomes_one_layer_and_is_said(difference):
    nodes = (
        Group("masked", (layer(alpha=99), layer("b", 2, alpha=120)), opacity=0.5, mask=replace(LEFT, x=-1)),
        Group("base", (layer(y=4, alpha=99),)),
        layer("b", 2, 4, clipped=True),
    )
    made, notes = baked(*nodes)
    assert [(type(node), node.name) for node in made] == [(Layer, "masked"), (Layer, "base")]
    assert notes == [
        "the group 'masked' has a mask, so it was merged into one layer",
        "the group 'base' has layers clipped to it, so it was merged into one layer",
        "'b' was merged into 'base', to which it was clipped",
    ]
    assert shows_the_same(difference, made, nodes)


def test_the_mask_of_a_pass_through_group_goes_to_its_layers_which_keep_their_modes(difference):
    paper = Layer(np.full((8, 8, 4), (200, 50, 50, 255), np.uint8))
    inner = Group("inner", (layer("b", 2, 4, blend_mode="screen"),), blend_mode=PASS_THROUGH)
    shade = layer("a", 1, 0, 6, blend_mode="multiply", mask=Mask(np.full((8, 8), 128, np.uint8)))
    nodes = (paper, Group("g", (shade, inner), blend_mode=PASS_THROUGH, mask=LEFT))
    made, notes = baked(*nodes)
    assert [node.name for node in walk(made)] == ["", "g", "a", "inner", "b"]
    assert notes[-1] == "the mask of the group 'g' was applied to the layers in it"
    assert shows_the_same(difference, made, nodes)


def test_a_masked_group_that_spans_half_the_world_is_cut_to_the_canvas():
    children = (layer("left", -(2**31)), layer("right", 2**31 - 5), layer("here", 2, 2))
    made, _ = baked(Group("far", children, mask=Mask(np.zeros((0, 0), np.uint8))))
    assert made[0].box == Box(0, 0, 8, 6)
