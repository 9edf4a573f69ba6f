import numpy as np
import pytest
from acetate.document import Document, Group, Layer, compose
from acetate.document.effects.drawing import drawn
from acetate.document.effects.paints import Solid
from acetate.document.effects.style import Effect, Style

BLUE, GREEN = Solid((0, 0, 200)), Solid((0, 200, 0))


def red(width=4, height=4, alpha=255):
    return np.full((height, width, 4), (200, 0, 0, alpha), np.uint8)


def picture(*effects, fill=1.0, rgba=None, **look):
    """12 x 12 pixels with a red square of four at 4, 4."""
    layer = Layer(red() if rgba is None else rgba, 4, 4, "Kite", style=Style(effects, fill), **look)
    return compose(Document(12, 12, (layer,)))


def test_an_overlay_covers_the_layer_and_keeps_its_alpha():
    assert picture(Effect("color overlay", BLUE), rgba=red(alpha=128))[5, 5].tolist() == [0, 0, 200, 128]


def test_an_overlay_mixes_by_its_mode_and_opacity():
    white = Solid((255, 255, 255))
    assert picture(Effect("color overlay", white, blend_mode="multiply"))[5, 5].tolist() == [200, 0, 0, 255]
    assert picture(Effect("color overlay", BLUE, opacity=0.25))[5, 5].tolist() == [150, 0, 50, 255]


def test_color_lies_over_gradient_over_pattern_whatever_their_order():
    assert picture(Effect("color overlay", BLUE), Effect("gradient overlay", GREEN))[5, 5].tolist() == [0, 0, 200, 255]


def test_fill_fades_the_pixels_and_not_the_effects():
    assert picture(Effect("color overlay", BLUE, opacity=0.5), fill=0.0)[5, 5].tolist() == [0, 0, 200, 128]


def test_fill_fades_overlays_too_where_they_are_blended_with_the_pixels():
    layer = Layer(red(), style=Style((Effect("color overlay", BLUE),), 0.2, fades_interior=True))
    assert compose(Document(4, 4, (layer,)))[1, 1].tolist() == [0, 0, 200, 51]


def test_a_stroke_does_not_shine_through_a_layer_that_its_fill_fades():
    row = picture(Effect("stroke", BLUE, size=2), fill=0.2)[6]
    assert row[3:5].tolist() == [[0, 0, 200, 255], [200, 0, 0, 51]]


def test_fill_leaves_the_shape_to_which_others_are_clipped():
    base = Layer(red(), style=Style((Effect("stroke", GREEN),), 0.2), blends_clipped=False)
    clipped = Layer(np.full((4, 4, 4), (0, 0, 200, 255), np.uint8), clipped=True)
    assert compose(Document(4, 4, (base, clipped)))[1, 1].tolist() == [0, 0, 200, 255]


@pytest.mark.parametrize(
    ("position", "columns"),
    [("outside", [2, 3]), ("inside", [4, 5]), ("center", [3, 4])],
)
def test_a_stroke_lies_where_it_should(position, columns):
    row = picture(Effect("stroke", BLUE, size=2, position=position))[6]
    assert [x for x in range(6) if row[x].tolist() == [0, 0, 200, 255]] == columns


def test_a_stroke_and_a_soft_edge_leave_no_seam():
    rgba = red()
    rgba[:, 0, 3] = 100
    row = picture(Effect("stroke", BLUE, size=2), rgba=rgba)[6]
    assert row[3:8, 3].tolist() == [255] * 5


def test_a_shadow_is_the_silhouette_moved_away_from_the_light_and_under_the_layer():
    result = picture(Effect("drop shadow", BLUE, distance=2, angle=90))
    assert result[8:10, 5].tolist() == [[0, 0, 200, 255]] * 2
    assert result[5, 5].tolist() == [200, 0, 0, 255]
    assert result[3, 5, 3] == result[10, 5, 3] == 0


def test_spread_makes_a_shadow_solid_to_its_size():
    result = picture(Effect("drop shadow", BLUE, size=2, spread=1.0))
    assert result[6, 1:4, 3].tolist() == [0, 255, 255]


def test_a_shadow_does_not_shine_through_a_layer_without_fill():
    assert not picture(Effect("drop shadow", BLUE), fill=0.0)[4:8, 4:8].any()
    assert picture(Effect("drop shadow", BLUE, concealed=False), fill=0.0)[5, 5].tolist() == [0, 0, 200, 255]


def test_an_inner_shadow_falls_from_the_edge_that_the_light_comes_over():
    row = picture(Effect("inner shadow", BLUE, distance=1, angle=180))[6]
    assert row[3:6].tolist() == [[0, 0, 0, 0], [0, 0, 200, 255], [200, 0, 0, 255]]


def test_a_glow_is_whole_at_its_range_and_fades():
    row = picture(Effect("outer glow", BLUE, size=3, range=0.5))[6]
    assert row[0, 3] < row[1, 3] < row[2, 3] < row[3, 3]
    faint = picture(Effect("outer glow", BLUE, size=3))[6]
    assert row[3, 3] == pytest.approx(2 * faint[3, 3], abs=2)


def test_opacity_and_visibility_are_those_of_the_layer():
    shadow = Effect("drop shadow", BLUE, distance=2, angle=90)
    assert picture(shadow, opacity=0.5)[9, 5].tolist() == [0, 0, 200, 128]
    assert not picture(shadow, visible=False).any()


def test_a_shadow_of_a_group_is_that_of_all_in_it():
    style = Style((Effect("drop shadow", BLUE, distance=2, angle=90),))
    group = Group("g", (Layer(red(), 4, 2), Layer(red(), 5, 4)), style=style)
    result = compose(Document(12, 12, (group,)))
    assert result[9, 5:9, 2].tolist() == [200] * 4
    assert result[7, 4].tolist() == [0, 0, 200, 255]


def test_an_overlay_covers_what_is_clipped_to_the_layer_too():
    """As Photoshop draws it; what is clipped to a layer with a shadow alone lies over its pixels."""
    over = Layer(np.full((12, 12, 4), (0, 200, 0, 255), np.uint8), clipped=True)
    for effect, expected in ((Effect("color overlay", BLUE), [0, 0, 200, 255]), (Effect("drop shadow", BLUE), [0, 200, 0, 255])):
        base = Layer(red(), 4, 4, style=Style((effect,)))
        result = compose(Document(12, 12, (base, over)))
        assert result[5, 5].tolist() == expected
        assert not result[0, 0].any()


def test_effects_are_worked_into_layers_of_which_the_last_has_the_name():
    layer = Layer(
        red(), 4, 4, "Kite", blend_mode="screen", style=Style((Effect("drop shadow", BLUE), Effect("outer glow", GREEN)))
    )
    names = [one.name for one in drawn(layer, layer.style)]
    assert names == ["Kite: drop shadow", "Kite: outer glow", "Kite"]
    last = drawn(layer, layer.style)[-1]
    assert (last.name, last.blend_mode, last.style) == ("Kite", "screen", None)
    assert np.array_equal(last.rgba, layer.rgba)


def test_what_is_no_effect_is_refused():
    with pytest.raises(ValueError, match="the effect is 'halo'; it must be one of drop shadow"):
        Effect("halo", BLUE)
    with pytest.raises(ValueError, match="the stroke lies 'beside'; it must be one of outside, inside, center"):
        Effect("stroke", BLUE, position="beside")
