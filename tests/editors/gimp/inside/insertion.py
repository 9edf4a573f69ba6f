"""Claims about a generated layer in the open image: its bytes, its place, its name, and what stays as it was."""

from __future__ import annotations

import json
from dataclasses import replace

from acetate.protocol import Image, LayerReady
from editor import OUT, call, history, in_box, largest_difference, names, new_image, offsets, pixels, record, sent
from gi.repository import Gimp, Gio

SEED = 4294967295
APPLE = {"prompt": "a red apple", "seed": SEED}


def _generated(image, drawables=(), **arguments):
    return call("acetate-generate-layer", image, drawables, **{**APPLE, **arguments}).required().layer


def _expected(layer) -> bytes:
    (ready,) = sent(record(layer)["job"])
    return in_box(ready)


def a_new_layer_holds_byte_for_byte_what_the_server_sent():
    with new_image() as (image, paper):
        layer = _generated(image, [paper])
        assert pixels(layer) == _expected(layer)
        assert any(pixels(layer)[3::4]), "the layer is empty"


def it_fills_the_selections_box_and_the_selection_stays():
    with new_image() as (image, paper):
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 10, 20, 48, 32)
        before = pixels(image.get_selection(), "Y u8")
        layer = _generated(image, [paper])
        assert (offsets(layer), layer.get_width(), layer.get_height()) == ((10, 20), 48, 32)
        assert pixels(image.get_selection(), "Y u8") == before


def a_selection_partly_outside_the_canvas_counts_as_far_as_gimp_keeps_it():
    with new_image() as (image, paper):
        image.select_rectangle(Gimp.ChannelOps.REPLACE, -20, 50, 60, 70)
        layer = _generated(image, [paper])
        assert (offsets(layer), layer.get_width(), layer.get_height()) == ((0, 50), 40, 30)
        assert pixels(layer) == _expected(layer)


def without_a_selection_it_covers_the_canvas():
    with new_image() as (image, paper):
        layer = _generated(image, [paper])
        assert (offsets(layer), layer.get_width(), layer.get_height()) == ((0, 0), 96, 80)


def a_layers_box_beyond_the_canvas_is_used_whole():
    with new_image() as (image, paper):
        paper.set_offsets(-30, 50)
        layer = _generated(image, [paper], area="layer")
        assert (offsets(layer), layer.get_width(), layer.get_height()) == ((-30, 50), 96, 80)
        assert pixels(layer) == _expected(layer)


def an_own_size_is_centred_on_the_canvas():
    with new_image() as (image, paper):
        layer = _generated(image, [paper], area="custom", width=64, height=128)
        assert (offsets(layer), layer.get_width(), layer.get_height()) == ((16, -24), 64, 128)


def it_lies_above_the_given_layer_in_its_group_and_is_selected():
    with new_image() as (image, paper):
        group = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(group, None, 0)
        low, high = (
            Gimp.Layer.new(image, n, 8, 8, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL) for n in ("low", "high")
        )
        image.insert_layer(low, group, 0)
        image.insert_layer(high, group, 0)
        layer = _generated(image, [low])
        assert names(group.get_children()) == ["high", layer.get_name(), "low"]
        assert names(image.get_layers()) == ["group", "paper"]
        assert image.get_selected_layers() == [layer]


def above_a_group_it_does_not_slip_into_the_group():
    with new_image() as (image, _paper):
        group = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(group, None, 0)
        layer = _generated(image, [group])
        assert names(image.get_layers()) == [layer.get_name(), "group", "paper"]


def it_is_named_after_prompt_and_seed():
    with new_image() as (image, paper):
        assert _generated(image, [paper]).get_name() == f"a red apple ({SEED})"


def the_other_layers_stay_to_the_byte():
    with new_image() as (image, paper):
        before = pixels(paper), paper.get_visible(), paper.get_opacity(), offsets(paper)
        _generated(image, [paper])
        assert (pixels(paper), paper.get_visible(), paper.get_opacity(), offsets(paper)) == before


def a_failed_insertion_leaves_nothing_behind():
    from acetate.plugins.bridge.stack import Folder, Sheet
    from acetate.plugins.gimp import canvas

    with new_image() as (image, paper):
        (good,) = sent(record(_generated(image, [paper]))["job"])
        image.remove_layer(image.get_layers()[0])
        cut = LayerReady(good.layer, good.data[:-1])
        group = Folder("group", (Sheet("good", good), Sheet("cut", cut)))
        try:
            canvas.insert(image, canvas.spot_above(image, paper), group, lambda sheet: {})
        except ValueError as error:
            assert str(len(cut.data)) in str(error)
        else:
            raise AssertionError("pixels that are one byte short were taken")
        assert image.get_layers() == [paper]


def candidates_arrive_as_one_group_with_the_first_one_shown():
    with new_image() as (image, paper):
        result = call("acetate-generate-layer", image, [paper], prompt="a red apple", seed=5, count=3).required()
        (group, _below) = image.get_layers()
        assert group.is_group()
        children = group.get_children()
        assert names(children) == ["a red apple (5)", "a red apple (6)", "a red apple (7)"]
        assert [child.get_visible() for child in children] == [True, False, False]
        assert names(result.layers) == names(children), "returned in the order of their seeds"
        for child in children:
            ready = [one for one in sent(record(child)["job"]) if one.layer.seed == record(child)["seed"]]
            assert pixels(child) == in_box(ready[0])


def what_the_engine_warns_of_is_kept_on_the_layer():
    from acetate.plugins.bridge.stack import Sheet
    from acetate.plugins.gimp.host import recorded

    with new_image(64, 64) as (image, paper):
        (ready,) = sent(record(_generated(image, [paper]))["job"])
    for warnings in ((), ("a faint haze lies around the subject",)):
        warned = LayerReady(replace(ready.layer, warnings=warnings), ready.data)
        kept = recorded({}, Sheet("leaf", warned))
        assert kept.get("warnings", []) == list(warnings)


def parameters_survive_in_an_xcf_file():
    with new_image() as (image, paper):
        layer = _generated(image, [paper])
        before, data = record(layer), pixels(layer)
        path = Gio.File.new_for_path(str(OUT / "saved.xcf"))
        assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, path, None)
    again = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, path)
    layer = again.get_layers()[0]
    assert record(layer) == before
    assert before["seed"] == SEED and before["task"] == "foreground" and before["parameters"]["prompt"] == "a red apple"
    assert pixels(layer) == data
    again.delete()


def _within_rounding(precision):
    with new_image(precision=precision) as (image, paper):
        layer = _generated(image, [paper])
        assert largest_difference(pixels(layer), _expected(layer)) <= 1


def sixteen_bit_images_take_it_within_rounding():
    _within_rounding(Gimp.Precision.U16_NON_LINEAR)


def sixteen_bit_linear_images_take_it_within_rounding():
    _within_rounding(Gimp.Precision.U16_LINEAR)


def thirty_two_bit_images_take_it_within_rounding():
    _within_rounding(Gimp.Precision.U32_LINEAR)


def half_float_images_take_it_within_rounding():
    _within_rounding(Gimp.Precision.HALF_NON_LINEAR)


def float_linear_images_take_it_within_rounding():
    _within_rounding(Gimp.Precision.FLOAT_LINEAR)


def float_images_take_it_within_rounding():
    _within_rounding(Gimp.Precision.FLOAT_NON_LINEAR)


def double_images_take_it_within_rounding():
    _within_rounding(Gimp.Precision.DOUBLE_LINEAR)


def all_other_precisions_take_it_within_rounding():
    others = "u8-perceptual u16-perceptual u32-non-linear u32-perceptual half-linear half-perceptual float-perceptual"
    for name in (*others.split(), "double-non-linear", "double-perceptual"):
        _within_rounding(getattr(Gimp.Precision, name.upper().replace("-", "_")))


def the_preview_shows_a_result_of_any_format_in_the_same_eight_bits():
    from acetate.plugins.gimp.pixels import BABL, in_eight_bits, wire_format

    with new_image(precision=Gimp.Precision.FLOAT_LINEAR) as (image, paper):
        assert wire_format(image) == "rgbaf32"
        job = record(_generated(image, [paper]))["job"]
    (wanted,) = sent(job)
    for format in BABL:
        (ready,) = sent(job, format)
        assert ready.layer.format == format
        picture = Image(ready.layer.width, ready.layer.height, format, ready.data)
        assert in_eight_bits(picture) == wanted.data, format


def eight_bit_linear_images_take_it_within_rounding_in_linear_light():
    with new_image(precision=Gimp.Precision.U8_LINEAR) as (image, paper):
        layer = _generated(image, [paper])
        expected = bytes(v if i % 4 == 3 else round(255 * _linear(v)) for i, v in enumerate(_expected(layer)))
        assert largest_difference(pixels(layer, "RGBA u8"), expected) <= 1


def grayscale_images_take_its_luminance():
    _luminance_within_rounding(Gimp.Precision.U8_NON_LINEAR)


def grayscale_float_images_take_its_luminance():
    _luminance_within_rounding(Gimp.Precision.FLOAT_LINEAR)


def _luminance_within_rounding(precision):
    with new_image(base=Gimp.ImageBaseType.GRAY, precision=precision) as (image, paper):
        layer = _generated(image, [paper])
        assert layer.type() == Gimp.ImageType.GRAYA_IMAGE
        expected, found = _expected(layer), pixels(layer)
        assert found[3::4] == expected[3::4]
        for i in range(0, len(found), 4 * 97):
            assert abs(found[i] - _luminance(expected[i : i + 3])) <= 1, (i, found[i], expected[i : i + 3])


def _luminance(rgb: bytes) -> int:
    """In linear light, encoded again (IEC 61966-2-1); the weights are those of sRGB's ICC profile, adapted to D50: GIMP's own."""
    linear = [_linear(v) for v in rgb]
    y = 0.2225 * linear[0] + 0.7169 * linear[1] + 0.0606 * linear[2]
    return round(255 * (12.92 * y if y <= 0.0031308 else 1.055 * y ** (1 / 2.4) - 0.055))


def _linear(encoded: int) -> float:
    return encoded / 255 / 12.92 if encoded <= 10 else ((encoded / 255 + 0.055) / 1.055) ** 2.4


def an_image_in_a_wider_colour_space_shows_the_same_colours():
    with new_image() as (image, paper):
        profile = Gimp.ColorProfile.new_rgb_adobe()
        image.convert_color_profile(profile, Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, False)
        layer = _generated(image, [paper])
        expected, found = _expected(layer), pixels(layer)
        visible = [i for i in range(0, len(found), 4) if expected[i + 3]]
        assert visible
        for i in visible[:: max(1, len(visible) // 500)]:
            assert max(abs(a - b) for a, b in zip(found[i : i + 4], expected[i : i + 4], strict=True)) <= 3


def indexed_images_are_refused_with_what_to_do():
    image, layer = _indexed_image()
    result = call("acetate-generate-layer", image, [layer], **APPLE)
    assert "Image > Mode > RGB" in result.error and "convert-indexed" in result.error, result.error
    assert image.get_base_type() == Gimp.ImageBaseType.INDEXED and len(image.get_layers()) == 1
    image.delete()


def indexed_images_are_converted_when_that_is_wanted():
    image, layer = _indexed_image()
    new = _generated(image, [layer], convert_indexed=True)
    assert image.get_base_type() == Gimp.ImageBaseType.RGB
    assert pixels(new) == _expected(new)
    image.delete()


def _indexed_image():
    image = Gimp.Image.new(64, 64, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(image, "paper", 64, 64, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.WEB, 0, False, False, "")
    return image, layer


def without_an_image_one_of_the_wanted_size_is_made():
    layer = call("acetate-generate-layer", prompt="a red apple", seed=3, width=72, height=48).required().layer
    image = layer.get_image()
    assert (image.get_width(), image.get_height(), len(image.get_layers())) == (72, 48, 1)
    assert pixels(layer) == _expected(layer)
    image.delete()


def without_an_image_and_a_size_the_model_chooses():
    layer = call("acetate-generate-layer", prompt="a red apple", seed=3).required().layer
    image = layer.get_image()
    assert (image.get_width(), image.get_height()) == (layer.get_width(), layer.get_height()) != (1, 1)
    image.delete()


def a_floating_selection_is_named_before_anything_is_generated():
    with new_image() as (image, paper):
        Gimp.edit_copy([paper])
        Gimp.edit_paste(paper, False)
        jobs = len(history())
        result = call("acetate-generate-layer", image, [paper], **APPLE)
        assert "Anchor" in result.error, result.error
        assert len(history()) == jobs


def a_layer_of_4096_pixels_a_side_arrives_whole():
    """Enlarged, as no model draws as much at once."""
    with new_image(1024, 1024) as (image, paper):
        layer = call("acetate-upscale-layer", image, [paper], scale=4.0).required().layer
        assert (layer.get_width(), layer.get_height()) == (4096, 4096)
        assert pixels(layer) == _expected(layer)


def twenty_insertions_stack_up_in_one_image():
    with new_image(64, 64) as (image, paper):
        below = paper
        for seed in range(20):
            below = call("acetate-generate-layer", image, [below], prompt="leaf", seed=seed, steps=1).required().layer
        assert names(image.get_layers()) == [f"leaf ({seed})" for seed in reversed(range(20))] + ["paper"]


def soft_edges_blend_in_encoded_values():
    """Leaves the picture that GIMP shows and the layers it is made of; they are composed and compared outside."""
    with new_image(128, 96) as (image, paper):
        below = paper
        for seed in (11, 12, 13):
            below = call("acetate-generate-layer", image, [below], prompt="soft disc", seed=seed, area="canvas").required().layer
            below.set_offsets(3 * seed - 30, seed - 10)
        below.set_opacity(60)
        assert below.get_composite_space() == Gimp.LayerColorSpace.RGB_PERCEPTUAL
        for number, layer in enumerate(reversed(image.get_layers())):
            x, y = offsets(layer)
            shape = f"{number}-{x}-{y}-{layer.get_width()}-{layer.get_height()}-{layer.get_opacity():.0f}"
            (OUT / f"soft-{shape}.rgba").write_bytes(pixels(layer))
        flat = Gimp.Layer.new_from_visible(image, image, "flat")
        (OUT / "soft-shown.rgba").write_bytes(pixels(flat))


def a_group_blends_as_its_layers_do():
    with new_image(96, 80) as (image, paper):
        call("acetate-generate-layer", image, [paper], prompt="soft disc", seed=3, count=2).required()
        group = image.get_layers()[0]
        first = group.get_children()[0]
        assert group.get_composite_space() == Gimp.LayerColorSpace.RGB_PERCEPTUAL
        x, y = offsets(first)
        (OUT / f"group-0-0-0-{paper.get_width()}-{paper.get_height()}-100.rgba").write_bytes(pixels(paper))
        (OUT / f"group-1-{x}-{y}-{first.get_width()}-{first.get_height()}-100.rgba").write_bytes(pixels(first))
        flat = Gimp.Layer.new_from_visible(image, image, "flat")
        (OUT / "group-shown.rgba").write_bytes(pixels(flat))


def a_psd_exported_by_gimp_keeps_layers_and_places():
    """Leaves the file and what it must hold; our own reader opens it outside."""
    with new_image(96, 80) as (image, paper):
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 40, 44)
        layer = _generated(image, [paper])
        assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(OUT / "exported.psd")), None)
        (OUT / "exported.rgba").write_bytes(pixels(layer))
        (OUT / "exported.json").write_text(json.dumps({"name": layer.get_name(), "box": [20, 10, 40, 44]}))
