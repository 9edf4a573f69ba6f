"""Claims about new versions of a layer: what they take over, and that of a large layer only a part travels."""

from __future__ import annotations

import contextlib
import time

from acetate.vocabulary.tasks import TASKS
from editor import call, new_image, offsets, pattern, pixels, put
from gi.repository import Gegl, Gimp

LARGE = 10000, 8000
SECONDS = 60.0
"""What a part of a large layer may take on a machine that does much else."""
TOP = (100.0, Gimp.LayerMode.NORMAL)


@contextlib.contextmanager
def _photograph():
    """A large layer without transparency, of which 900 x 900 are selected."""
    image = Gimp.Image.new(*LARGE, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(image, "photograph", *LARGE, Gimp.ImageType.RGB_IMAGE, *TOP)
    image.insert_layer(layer, None, 0)
    layer.fill(Gimp.FillType.WHITE)
    _put_at(layer, 5200, 4300, 64, 64, pattern(64, 64))
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 5000, 4000, 900, 900)
    try:
        yield image, layer
    finally:
        image.delete()


def _put_at(layer, x, y, width, height, data):
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(x, y, width, height), "R'G'B'A u8", data)
    buffer.flush()


def _part(layer, x, y, width, height) -> bytes:
    return bytes(layer.get_buffer().get(Gegl.Rectangle.new(x, y, width, height), 1.0, "R'G'B'A u8", Gegl.AbyssPolicy.NONE))


def _box(layer):
    return (*offsets(layer), layer.get_width(), layer.get_height())


def a_part_of_a_large_layer_is_repainted_in_its_own_box():
    with _photograph() as (image, layer):
        began = time.monotonic()
        made = call("acetate-repaint-selection", image, [layer], prompt="moss").required().layer
        assert time.monotonic() - began < SECONDS
        assert _box(made) == (4550, 3550, 1800, 1800), "the selection with as much again around it"
        assert layer.get_visible(), "the photograph shows everything else"
        assert _part(made, 0, 0, 1800, 450) == _part(layer, 4550, 3550, 1800, 450), "unselected pixels are the layer's own"
        assert _part(made, 450, 450, 900, 900) != _part(layer, 5000, 4000, 900, 900)


def a_part_of_a_large_layer_is_refined_and_gets_an_object_and_a_background():
    with _photograph() as (image, layer):
        refined = call("acetate-refine-layer", image, [layer], prompt="moss").required().layer
        assert _box(refined) == (4550, 3550, 1800, 1800)
        assert not any(_part(refined, 0, 0, 1800, 450)[3::4]), "cut to what is selected"
        item = call("acetate-object-on-background", image, [layer], prompt="a fox").required().layers[0]
        assert _box(item) == (4550, 3550, 1800, 1800)
        values = {"area": "custom", "width": 512, "height": 512, "prompt": "a wood"}
        behind = call("acetate-background-for-layer", image, [layer], **values).required().layers[0]
        assert _box(behind) == (5194, 4194, 512, 512)


def what_is_too_large_is_said_with_what_would_do():
    with _photograph() as (image, layer):
        Gimp.Selection.none(image)
        error = call("acetate-refine-layer", image, [layer], prompt="moss").error
        assert "10000 × 8000 is too large" in error and "Select a smaller part" in error, error


def a_new_version_hides_the_original_and_takes_over_what_was_done_to_it():
    with new_image() as (image, paper):
        mask = paper.create_mask(Gimp.AddMaskType.WHITE)
        paper.add_mask(mask)
        mask.get_buffer().set(Gegl.Rectangle.new(0, 0, 96, 40), "Y u8", bytes(range(96)) * 40)
        mask.get_buffer().flush()
        paper.set_mode(Gimp.LayerMode.MULTIPLY)
        paper.set_opacity(40.0)
        paper.set_color_tag(Gimp.ColorTag.RED)
        paper.set_lock_alpha(True)
        paper.set_lock_position(True)
        made = call("acetate-refine-layer", image, [paper], prompt="moss").required().layer
        assert made.get_visible() and not paper.get_visible()
        assert (made.get_mode(), round(made.get_opacity())) == (Gimp.LayerMode.MULTIPLY, 40)
        assert (made.get_color_tag(), made.get_lock_alpha(), made.get_lock_position()) == (Gimp.ColorTag.RED, True, True)
        assert made.get_mask() is not None and pixels(made.get_mask(), "Y u8") == pixels(mask, "Y u8")
        assert paper.get_mask() is not None, "the original keeps its own"


def what_a_mask_hides_is_not_in_the_pixels_as_well():
    with new_image() as (image, paper):
        paper.add_mask(paper.create_mask(Gimp.AddMaskType.BLACK))
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 10, 20, 20)
        made = call("acetate-repaint-selection", image, [paper], prompt="moss").required().layer
        assert not any(pixels(made.get_mask(), "Y u8"))
        before, after = pixels(paper), pixels(made)
        assert after[: 4 * 96 * 10] == before[: 4 * 96 * 10], "unselected pixels are the layer's own, below its mask"


def a_layer_that_lets_something_through_gets_a_whole_new_version():
    with new_image(1200, 1100) as (image, paper):
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 100, 100, 50, 50)
        part = call("acetate-repaint-selection", image, [paper], prompt="moss").required().layer
        assert _box(part) == (0, 0, 1024, 1024) and paper.get_visible()
        paper.set_opacity(50.0)
        whole = call("acetate-repaint-selection", image, [paper], prompt="moss").required().layer
        assert _box(whole) == (0, 0, 1200, 1100) and not paper.get_visible()
        assert round(whole.get_opacity()) == 50


def each_task_goes_as_far_as_the_engine_would_by_itself():
    found = {}
    for name in ("acetate-refine-layer", "acetate-repaint-selection"):
        (strength,) = [one for one in Gimp.get_pdb().lookup_procedure(name).get_arguments() if one.name == "strength"]
        found[name] = strength.get_default_value()
    assert found == {"acetate-refine-layer": TASKS["refine"].strength, "acetate-repaint-selection": TASKS["repaint"].strength}


def the_canvas_grows_with_a_larger_layer_when_that_is_asked():
    with new_image() as (image, paper):
        made = call("acetate-upscale-layer", image, [paper], scale=2, method="enlarge").required().layer
        assert _box(made) == (0, 0, 192, 160) and not paper.get_visible()
        assert (image.get_width(), image.get_height()) == (96, 80)
        paper.set_visible(True)
        call("acetate-upscale-layer", image, [paper], scale=2, method="enlarge", enlarge_canvas=True).required()
        assert (image.get_width(), image.get_height()) == (192, 160)
        assert offsets(paper) == (0, 0)


def the_original_stays_visible_when_that_is_asked():
    with new_image() as (image, paper):
        put(paper, pattern(96, 80))
        call("acetate-refine-layer", image, [paper], prompt="moss", hide_original=False).required()
        assert paper.get_visible()


PRECISE = (Gimp.Precision.U16_NON_LINEAR, Gimp.Precision.FLOAT_LINEAR, Gimp.Precision.HALF_NON_LINEAR)


def _ramp(image, layer, babl, brightest):
    """1024 levels from black to the brightest, as the layer's own numbers."""
    import array

    width = layer.get_width()
    shades = [brightest * x / (width - 1) for x in range(width)]
    whole = brightest == 65535
    values = array.array("H" if whole else "f")
    for shade in shades:
        values.extend([int(shade)] * 3 + [65535] if whole else [shade, shade, shade, 1.0])
    data = values.tobytes() * layer.get_height()
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, layer.get_height()), babl, data)
    buffer.flush()


def _levels(layer):
    import array

    found = array.array("f")
    whole = Gegl.Rectangle.new(0, 4, layer.get_width(), 1)
    found.frombytes(bytes(layer.get_buffer().get(whole, 1.0, "RGBA float", Gegl.AbyssPolicy.NONE)))
    return found[::4]


def enlarging_keeps_every_level_and_what_is_brighter_than_white():
    for precision in PRECISE:
        with new_image(1024, 8, precision=precision) as (image, paper):
            deep = precision == PRECISE[0]
            _ramp(image, paper, "R'G'B'A u16" if deep else "RGBA float", 65535 if deep else 2.0)
            before = _levels(paper)
            made = call("acetate-upscale-layer", image, [paper], scale=2, method="enlarge").required().layer
            after = _levels(made)
            assert len(set(after)) >= len(set(before)) > 500, (precision, len(set(before)), len(set(after)))
            assert abs(max(after) - max(before)) < 0.02, (precision, max(after))


def enlarging_keeps_colours_beyond_srgb_in_the_images_own_profile():
    for precision in (Gimp.Precision.U8_NON_LINEAR, *PRECISE):
        with new_image(16, 16, precision=precision) as (image, paper):
            assert image.convert_color_profile(Gimp.ColorProfile.new_rgb_adobe(), Gimp.ColorRenderingIntent.PERCEPTUAL, False)
            whole = Gegl.Rectangle.new(0, 0, 16, 16)
            green = [-0.4, 1.0, -0.05, 1.0]  # Adobe's green in linear sRGB, about: no sRGB colour
            import array

            paper.get_buffer().set(whole, "RGBA float", array.array("f", green * 256).tobytes())
            paper.get_buffer().flush()
            before = paper.get_buffer().get(Gegl.Rectangle.new(3, 3, 1, 1), 1.0, None, Gegl.AbyssPolicy.NONE)
            made = call("acetate-upscale-layer", image, [paper], scale=2, method="enlarge").required().layer
            after = made.get_buffer().get(Gegl.Rectangle.new(9, 9, 1, 1), 1.0, None, Gegl.AbyssPolicy.NONE)
            a, b = _floats(made, 9), _floats(paper, 3)
            assert max(abs(x - y) for x, y in zip(a, b, strict=True)) < 0.01, (precision, a, b, bytes(before), bytes(after))


def _floats(layer, place):
    import array

    found = array.array("f")
    spot = Gegl.Rectangle.new(place, place, 1, 1)
    found.frombytes(bytes(layer.get_buffer().get(spot, 1.0, "RGBA float", Gegl.AbyssPolicy.NONE)))
    return list(found)
