import dataclasses
import tracemalloc

import numpy as np
import pytest
from acetate.document import PASS_THROUGH, Box, Document, Group, Layer, Mask, compose
from acetate.document.composition.compose import BAND, render_over_white
from acetate.document.composition.rgb_space import space_of, srgb
from PIL import Image


def reference(layers, width, height):
    """Source-over in float64, one pixel at a time in spirit: the definition, without bands or shortcuts."""
    colour, alpha = np.zeros((height, width, 3)), np.zeros((height, width, 1))
    for layer in layers:
        placed = np.zeros((height, width, 4))
        for y in range(layer.rgba.shape[0]):
            for x in range(layer.rgba.shape[1]):
                if 0 <= y + layer.y < height and 0 <= x + layer.x < width:
                    placed[y + layer.y, x + layer.x] = layer.rgba[y, x]
        share = placed[..., 3:] / 255 * layer.opacity
        colour = placed[..., :3] * share + colour * (1 - share)
        alpha = share + alpha * (1 - share)
    straight = colour / np.maximum(alpha, 1e-9)
    return np.rint(np.concatenate([straight, alpha * 255], axis=-1)).astype(np.uint8)


def test_one_layer_comes_out_bit_for_bit(noise):
    rgba = noise(70, 9)
    seen = rgba[..., 3] > 0
    assert np.array_equal(compose(Document(9, 70, (Layer(rgba),)))[seen], rgba[seen])


def test_a_stack_of_soft_layers_is_within_one_level_of_the_definition(noise, difference):
    layers = [Layer(noise(40, 30, i), 3 * i - 8, 5 * i - 12, opacity=1 - 0.08 * i) for i in range(9)]
    assert difference(compose(Document(32, 36, layers)), reference(layers, 32, 36)) <= 1


def test_normal_layers_agree_with_pillow(noise, difference):
    one, other = noise(33, 21, 1), noise(33, 21, 2)
    expected = np.asarray(Image.alpha_composite(Image.fromarray(one), Image.fromarray(other)))
    assert difference(compose(Document(21, 33, (Layer(one), Layer(other)))), expected) <= 1


def test_layers_beside_the_canvas_hidden_or_faded_out_do_not_show(noise):
    rgba = noise(4, 4)
    empty = Layer(np.zeros((0, 0, 4), np.uint8))
    layers = (Layer(rgba, 9, 0), Layer(rgba, 0, -4), Layer(rgba, visible=False), Layer(rgba, opacity=0), empty)
    assert not compose(Document(4, 4, layers)).any()
    assert not compose(Document(4, 4, (Group("g", (Layer(rgba),), visible=False),))).any()


def test_a_group_is_blended_as_one(noise, difference):
    """Half a group of two opaque layers is half of the upper one: layers faded one by one would let the lower one through."""
    low, high = (np.full((3, 3, 4), (value, 0, 0, 255), np.uint8) for value in (200, 100))
    group = Group("g", (Layer(low), Layer(high)), opacity=0.5)
    assert compose(Document(3, 3, (group,)))[0, 0].tolist() == [100, 0, 0, 128]


def test_a_blend_mode_in_a_normal_group_does_not_see_what_lies_below_the_group():
    gray = np.full((2, 2, 4), (128, 128, 128, 255), np.uint8)
    multiplied = Layer(gray, blend_mode="multiply")
    isolated = compose(Document(2, 2, (Layer(gray), Group("g", (multiplied,)))))
    through = compose(Document(2, 2, (Layer(gray), Group("g", (multiplied,), blend_mode="pass-through"))))
    assert isolated[0, 0].tolist() == [128, 128, 128, 255]
    assert through[0, 0].tolist() == [64, 64, 64, 255]


def test_a_pass_through_groups_opacity_fades_its_whole_effect():
    gray = np.full((2, 2, 4), (128, 128, 128, 255), np.uint8)
    group = Group("g", (Layer(gray, blend_mode="multiply"),), opacity=0.5, blend_mode="pass-through")
    assert compose(Document(2, 2, (Layer(gray), group)))[0, 0].tolist() == [96, 96, 96, 255]


def test_a_blend_mode_over_nothing_shows_the_layer_itself():
    rgba = np.full((2, 2, 4), (10, 200, 30, 90), np.uint8)
    assert compose(Document(2, 2, (Layer(rgba, blend_mode="multiply"),)))[0, 0].tolist() == [10, 200, 30, 90]


def flat(colour, alpha=255, **look):
    return Layer(np.full((2, 4, 4), (*colour, alpha), np.uint8), **look)


def row(*nodes):
    return compose(Document(4, 2, nodes))[0].tolist()


RED, GREEN, BLUE = flat((200, 50, 50)), (0, 255, 0), (0, 0, 255)
RIGHT = Mask(np.array([[0, 128, 255]] * 2, np.uint8), 1)
"""Shows the right half, and the column before it half; and all that lies beside it."""


def test_a_mask_cuts_a_layer_and_a_group_alike():
    expected = [[0, 0, 255, 255], [0, 0, 0, 0], [0, 0, 255, 128], [0, 0, 255, 255]]
    assert row(flat(BLUE, mask=RIGHT)) == row(Group("g", (flat(BLUE),), mask=RIGHT)) == expected


def test_a_disabled_mask_has_no_effect():
    off = dataclasses.replace(RIGHT, enabled=False)
    assert (
        row(flat(BLUE, mask=off)) == row(Group("g", (flat(BLUE),), blend_mode=PASS_THROUGH, mask=off)) == [[0, 0, 255, 255]] * 4
    )


def test_the_layers_of_a_masked_pass_through_group_keep_their_modes():
    """Photoshop's most usual group with a mask: multiplied where the mask shows it, halfway where it shows half."""
    group = Group("g", (flat(BLUE, blend_mode="multiply"),), blend_mode=PASS_THROUGH, mask=RIGHT)
    assert row(RED, group) == [[0, 0, 50, 255], [200, 50, 50, 255], [100, 25, 50, 255], [0, 0, 50, 255]]


def test_clipped_layers_take_the_shape_of_their_base_and_its_opacity_and_mode():
    base = flat(BLUE, 128, mask=RIGHT, opacity=0.5)
    assert row(base, flat(GREEN, clipped=True)) == [[0, 255, 0, 64], [0, 0, 0, 0], [0, 255, 0, 32], [0, 255, 0, 64]]
    screened = row(flat((100, 0, 0)), flat(BLUE, blend_mode="screen"), flat(GREEN, clipped=True))
    assert screened == [[100, 255, 0, 255]] * 4


def test_clipped_layers_mix_with_a_soft_base_as_if_it_were_opaque():
    shade = flat((128, 128, 128), clipped=True, blend_mode="multiply")
    assert row(flat((200, 100, 50), 90), shade) == [[100, 50, 25, 90]] * 4


def test_several_runs_each_belong_to_the_nearest_unclipped_node_below():
    left, right = flat(BLUE, mask=Mask(np.full((2, 2), 255, np.uint8), outside=0)), Layer(flat(BLUE).rgba[:, 2:], 2)
    half = flat(GREEN, clipped=True, opacity=0.5)
    assert row(left, half, right, flat((255, 0, 0), clipped=True)) == [[0, 128, 128, 255]] * 2 + [[255, 0, 0, 255]] * 2


def test_a_hidden_base_hides_what_is_clipped_to_it_and_a_hidden_clipped_layer_changes_nothing():
    assert row(flat(BLUE, visible=False), flat(GREEN, clipped=True)) == [[0, 0, 0, 0]] * 4
    assert row(flat(BLUE), flat(GREEN, clipped=True, visible=False)) == [[0, 0, 255, 255]] * 4


def test_a_clipped_layer_with_nothing_below_it_is_an_ordinary_one():
    assert row(flat(GREEN, clipped=True)) == [[0, 255, 0, 255]] * 4


@pytest.mark.parametrize("mode", ["normal", PASS_THROUGH])
def test_a_group_is_clipped_as_a_layer_is(mode):
    clipped = Group("g", (flat(GREEN),), blend_mode=mode, clipped=True)
    assert row(flat(BLUE, mask=RIGHT), clipped) == [[0, 255, 0, 255], [0, 0, 0, 0], [0, 255, 0, 128], [0, 255, 0, 255]]


def test_what_is_clipped_to_a_pass_through_group_shows_where_its_layers_do_and_leaves_them_their_modes():
    """Photoshop mixes it as if the group were opaque, and then cuts the result out by the group's shape."""
    group = Group("g", (flat(BLUE, blend_mode="multiply", mask=RIGHT),), blend_mode=PASS_THROUGH)
    over = flat(GREEN, clipped=True, opacity=0.5)
    mixed = [0, 128, 25, 255]
    assert row(RED, group, over) == [mixed, [200, 50, 50, 255], [100, 89, 37, 255], mixed]
    assert row(group, over)[1:] == [[0, 0, 0, 0], [0, 128, 128, 128], [0, 128, 128, 255]]


def test_a_base_may_leave_its_clipped_layers_to_mix_with_all_that_lies_below():
    """Photoshop's *Blend Clipped Layers as Group* off: the base's mode and opacity are its own alone."""
    base = flat(BLUE, blend_mode="multiply", blends_clipped=False, mask=RIGHT)
    over = flat((0, 100, 0), blend_mode="screen", clipped=True)
    mixed = [0, 100, 50, 255]
    assert row(RED, base, over) == [mixed, [200, 50, 50, 255], [100, 75, 50, 255], mixed]
    faint = flat(BLUE, opacity=0.2, blends_clipped=False)
    assert row(RED, faint, flat(GREEN, clipped=True)) == [[0, 255, 0, 255]] * 4


@pytest.mark.parametrize("height", [1, BAND - 1, BAND, BAND + 1, 2 * BAND])
def test_bands_meet_without_a_seam(height, noise):
    rgba = noise(height, 5)
    rgba[..., 3] = 255
    assert np.array_equal(compose(Document(5, height, (Layer(rgba),))), rgba)


def test_over_white_keeps_alpha_and_whitens_what_is_uncovered():
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 0, 0, 51]]], np.uint8)
    document = Document(3, 1, (Layer(rgba),))
    expected = [[[10, 20, 30, 255], [255, 255, 255, 0], [204, 204, 204, 51]]]
    assert render_over_white(document.layers, document.box).tolist() == expected


def test_readers_that_take_the_white_out_in_whole_numbers_find_the_colour_again(difference):
    """All colours and alphas; psd-tools and ImageMagick compute (x + a - 255) * 255 / a and cut off the fraction."""
    colour, alpha = np.meshgrid(np.arange(256), np.arange(1, 256))
    rgba = np.stack([colour, colour, colour, alpha], axis=-1).astype(np.uint8)
    document = Document(256, 255, (Layer(rgba),))
    stored = render_over_white(document.layers, document.box).astype(int)
    found = np.clip((stored[..., :3] + stored[..., 3:] - 255) * 255 // stored[..., 3:], 0, 255)
    assert difference(np.concatenate([found, stored[..., 3:]], axis=-1).astype(np.uint8), rgba) <= 1


def test_composing_needs_little_memory_beside_the_result(noise):
    rgba = noise(1024, 1024)
    document = Document(1024, 1024, [Group("g", [Layer(rgba, opacity=0.5)]) for _ in range(4)])
    tracemalloc.start()
    result = compose(document)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < result.nbytes * 2.5


def test_a_document_with_a_deep_layer_is_composed_in_its_depth(noise):
    ramp = np.full((1, 1024, 4), 65535, np.uint16)
    ramp[..., :3] = np.linspace(0, 65535, 1024).round()[None, :, None]
    shade = np.full((1, 1024, 4), (0, 0, 0, 128), np.uint8)
    alone, shaded = Document(1024, 1, (Layer(ramp),)), Document(1024, 1, (Layer(ramp), Layer(shade)))
    assert (alone.depth, Document(4, 4, (Layer(noise(4, 4)),)).depth) == (16, 8)
    assert np.array_equal(compose(alone), ramp)
    expected = np.rint(ramp[..., :3] * (127 / 255.0))
    assert np.abs(compose(shaded)[..., :3] - expected).max() <= 1
    assert len(np.unique(compose(shaded)[..., 0])) == 1024


def test_over_white_keeps_all_levels_of_a_deep_picture():
    ramp = np.full((1, 1024, 4), 40000, np.uint16)
    ramp[..., 0] = np.linspace(0, 65535, 1024).round()
    found = render_over_white((Layer(ramp),), Box(0, 0, 1024, 1), 16)
    assert np.abs(found[..., 0] - (ramp[..., 0] * (40000 / 65535) + 25535)).max() <= 1
    assert (found[..., 3] == 40000).all()


def test_soft_edges_are_blended_in_the_documents_space(profile):
    adobe, half = space_of(profile()), np.full((1, 1, 4), (255, 0, 0, 128), np.uint8)
    green = Layer(np.full((1, 1, 4), (0, 255, 0, 255), np.uint8))
    numbers = [srgb().converted(np.float32([[[r]], [[g]], [[0]]]), adobe)[:, 0, 0] for r, g in ((1, 0), (0, 1))]
    mixed = numbers[0] * (128 / 255) + numbers[1] * (127 / 255)
    expected = adobe.converted(mixed.astype(np.float32)[:, None, None], srgb())[:, 0, 0] * 255
    found = compose(Document(1, 1, (green, Layer(half)), space=adobe))[0, 0, :3]
    assert np.abs(found - expected).max() <= 0.6
    assert np.abs(found.astype(int) - compose(Document(1, 1, (green, Layer(half))))[0, 0, :3]).max() > 3


def test_a_space_moves_no_number_where_nothing_is_blended(profile, noise):
    layer = Layer(noise(40, 30), 3, -2)
    plain, spaced = (compose(Document(36, 70, (layer,), space=space)) for space in (None, space_of(profile())))
    assert np.array_equal(plain[..., 3], spaced[..., 3])
    assert np.abs(plain.astype(int) - spaced)[plain[..., 3] > 0].max() <= 1
