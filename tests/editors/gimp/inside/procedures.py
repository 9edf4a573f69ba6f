"""Claims about the procedures: how they are described, and what each does in the three run modes."""

from __future__ import annotations

import json
from pathlib import Path

from editor import OUT, call, done, history, in_box, names, new_image, offsets, pattern, pixels, put, record, sent
from gi.repository import Gegl, Gimp, Gio

PROCEDURES = {
    "acetate-generate-layer": "_Generate Layer...",
    "acetate-generate-scene": "Generate _Scene...",
    "acetate-object-on-background": "_Object on This Background...",
    "acetate-background-for-layer": "_Background for This Layer...",
    "acetate-refine-layer": "_Refine Layer...",
    "acetate-repaint-selection": "Re_paint Selection...",
    "acetate-upscale-layer": "_Upscale Layer...",
    "acetate-insert-layers-from-file": "_Insert Layers from File...",
    "acetate-repeat-with-new-seed": "Repeat with _New Seed",
    "acetate-history": "_History...",
}


def _procedure(name: str) -> Gimp.Procedure:
    return Gimp.get_pdb().lookup_procedure(name)


def all_ten_are_in_filters_acetate():
    found = {name: _procedure(name).get_menu_label() for name in PROCEDURES}
    assert found == PROCEDURES
    for name in PROCEDURES:
        paths = [path.partition("/[")[0] for path in _procedure(name).get_menu_paths()]
        assert paths == ["<Image>/Filters/Acetate", "<Layers>/Layers Menu/Acetate"], paths
        assert _procedure(name).get_help_id() == f"acetate?{name}"


def every_procedure_and_argument_is_documented():
    for name in PROCEDURES:
        procedure = _procedure(name)
        assert procedure.get_blurb() and len(procedure.get_help()) > 100 and procedure.get_authors(), name
        for argument in (*procedure.get_arguments(), *procedure.get_return_values()):
            assert argument.get_nick() and len(argument.get_blurb()) > 5, (name, argument.name)


def every_procedure_returns_layers():
    assert all([value.name for value in _procedure(name).get_return_values()] == ["layers", "layer-ids"] for name in PROCEDURES)


def no_argument_holds_the_token():
    names_of_all = {argument.name for name in PROCEDURES for argument in _procedure(name).get_arguments()}
    assert not names_of_all & {"token", "url", "key", "address"}


def an_empty_prompt_is_refused_with_what_to_do():
    with new_image() as (image, paper):
        result = call("acetate-generate-layer", image, [paper], prompt="  ")
        assert "prompt is empty" in result.error, result.error
        assert image.get_layers() == [paper]


def the_same_call_gives_the_same_layer():
    with new_image() as (image, paper):
        one, other = (call("acetate-generate-layer", image, [paper], prompt="leaf", seed=9).required().layer for _ in range(2))
        assert pixels(one) == pixels(other)


def with_the_last_values_nothing_is_asked():
    with new_image(64, 64) as (image, paper):
        made = call("acetate-generate-layer", image, [paper], prompt="a kite", seed=1).required().layer
        for name in ("acetate-refine-layer", "acetate-upscale-layer", "acetate-repeat-with-new-seed", "acetate-history"):
            answer = call(name, image, [made], run_mode=Gimp.RunMode.WITH_LAST_VALS).required()
            assert answer.layer.get_image() == image, name


def refining_makes_another_version_and_changes_no_pixel_of_the_original():
    with new_image(64, 64) as (image, paper):
        before = pixels(paper)
        layer = call("acetate-refine-layer", image, [paper], prompt="rougher", seed=4, strength=0.5).required().layer
        assert (offsets(layer), layer.get_width(), layer.get_height()) == ((0, 0), 64, 64)
        assert layer.get_visible() and not paper.get_visible() and pixels(paper) == before


def refining_without_a_prompt_uses_the_one_that_the_layer_was_made_with():
    with new_image(64, 64) as (image, paper):
        made = call("acetate-generate-layer", image, [paper], prompt="a kite", seed=1).required().layer
        first = record(made)["parameters"]
        refined = record(call("acetate-refine-layer", image, [made]).required().layer)["parameters"]
        assert first["model"] and (refined["prompt"], refined["model"]) == ("a kite", first["model"])
        other = record(call("acetate-refine-layer", image, [made], prompt="a bird").required().layer)["parameters"]
        assert other["prompt"] == "a bird"
        plain = record(call("acetate-refine-layer", image, [paper]).required().layer)["parameters"]
        assert not plain["prompt"], "nothing is known of a layer that Acetate did not make"


def refining_with_the_alpha_locked_keeps_the_alpha():
    with new_image(64, 64) as (image, paper):
        put(paper, pattern(64, 64, lambda x, y: 255 if (x - 32) ** 2 + (y - 32) ** 2 < 500 else 0))
        layer = call("acetate-refine-layer", image, [paper], prompt="rougher", lock_alpha=True).required().layer
        assert pixels(layer)[3::4] == pixels(paper)[3::4]


def every_task_leaves_the_selection_and_all_other_layers_as_they_are():
    from acetate.plugins.gimp.commands import COMMANDS

    with new_image(64, 64) as (image, paper):
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 8, 8, 40, 40)
        Gimp.Selection.feather(image, 6)

        def state():
            return pixels(image.get_selection(), "Y u8"), pixels(paper), paper.get_visible(), offsets(paper), paper.get_name()

        before = state()
        for command in (command for command in COMMANDS if command.task is not None):
            stays = {"hide_original": False} if command.task.replaces else {}
            made = call(command.name, image, [paper], prompt="moss", **stays).required().layers
            assert made and paper not in made and state() == before, command.name


def _repainted(image, paper, **arguments):
    return call("acetate-repaint-selection", image, [paper], prompt="moss", seed=2, **arguments).required().layer


def _outside_is_identical(precision, feather, profile=None):
    with new_image(64, 64, precision=precision) as (image, paper):
        if profile is not None:
            image.convert_color_profile(profile, Gimp.ColorRenderingIntent.RELATIVE_COLORIMETRIC, False)
        put(paper, pattern(64, 64, lambda x, y: 2 * (x + y)))
        image.select_ellipse(Gimp.ChannelOps.REPLACE, 16, 12, 30, 34)
        if feather:
            Gimp.Selection.feather(image, 6)
        mask = pixels(image.get_selection(), "Y u8")
        layer = _repainted(image, paper)
        old, new = pixels(paper, None), pixels(layer, None)
        assert len(old) == len(new), "of the same precision"
        size = len(old) // len(mask)
        inside = [i for i, value in enumerate(mask) if value]
        assert all(old[i * size : (i + 1) * size] == new[i * size : (i + 1) * size] for i, v in enumerate(mask) if not v)
        assert any(old[i * size : (i + 1) * size] != new[i * size : (i + 1) * size] for i in inside)


def repainting_leaves_everything_outside_the_selection_bit_identical():
    _outside_is_identical(Gimp.Precision.U8_NON_LINEAR, feather=False)


def repainting_through_a_feathered_selection_leaves_the_rest_bit_identical():
    _outside_is_identical(Gimp.Precision.U8_NON_LINEAR, feather=True)


def repainting_leaves_sixteen_bits_outside_the_selection_bit_identical():
    _outside_is_identical(Gimp.Precision.U16_LINEAR, feather=True)


def repainting_leaves_floats_outside_the_selection_bit_identical():
    _outside_is_identical(Gimp.Precision.FLOAT_LINEAR, feather=True)


def repainting_in_a_wider_colour_space_leaves_the_rest_bit_identical():
    profile = Gimp.ColorProfile.new_rgb_adobe()
    _outside_is_identical(Gimp.Precision.U16_NON_LINEAR, feather=True, profile=profile)


def refining_in_an_indexed_image_works_when_its_conversion_is_wanted():
    with new_image(64, 64) as (image, paper):
        image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.WEB, 0, False, False, "")
        result = call("acetate-refine-layer", image, [paper], prompt="rougher", convert_indexed=True).required()
        assert image.get_base_type() == Gimp.ImageBaseType.RGB and result.layer.has_alpha()


def the_mask_that_is_sent_holds_the_selections_own_values():
    """GIMP fills white through the selection: the alpha that results is what the selection means."""
    from acetate.plugins.gimp import canvas

    for precision in (Gimp.Precision.U8_NON_LINEAR, Gimp.Precision.U16_LINEAR, Gimp.Precision.FLOAT_NON_LINEAR):
        with new_image(64, 64, precision=precision) as (image, paper):
            image.select_ellipse(Gimp.ChannelOps.REPLACE, 8, 8, 40, 40)
            Gimp.Selection.feather(image, 12)
            layer = Gimp.Layer.new(image, "filled", 64, 64, Gimp.ImageType.RGBA_IMAGE, 100, Gimp.LayerMode.NORMAL)
            image.insert_layer(layer, None, 0)
            layer.edit_fill(Gimp.FillType.WHITE)
            mask = done(canvas.selection_mask(image, canvas.box_of(layer))).data
            assert mask == pixels(layer)[3::4]
            assert len(set(mask)) > 50, "the selection is soft"


def repainting_beside_the_selection_is_refused_with_what_to_do():
    with new_image(64, 64) as (image, paper):
        paper.set_offsets(500, 500)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 10, 10)
        result = call("acetate-repaint-selection", image, [paper], prompt="moss")
        assert "Select the part that may change" in result.error, result.error


def repainting_reaches_only_where_selection_and_layer_overlap():
    with new_image(64, 64) as (image, paper):
        paper.set_offsets(-20, 30)
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 20, 64, 44)
        layer = _repainted(image, paper)
        assert offsets(layer) == (-20, 30)
        old, new = pixels(paper), pixels(layer)
        for y in range(64):
            for x in range(0, 64, 7):
                inside = x - 20 >= 0 and 20 <= y + 30 < 64
                i = 4 * (64 * y + x)
                assert inside or old[i : i + 4] == new[i : i + 4], (x, y)


def upscaling_keeps_the_top_left_corner():
    with new_image(40, 30) as (image, paper):
        paper.set_offsets(100, 50)
        layer = call("acetate-upscale-layer", image, [paper], scale=2.0).required().layer
        assert (offsets(layer), layer.get_width(), layer.get_height()) == ((100, 50), 80, 60)
        assert not paper.get_visible()


def a_layer_is_sent_as_it_looks_with_its_mask():
    from acetate.plugins.gimp import canvas

    with new_image(16, 16) as (_image, paper):
        mask = paper.create_mask(Gimp.AddMaskType.WHITE)
        paper.add_mask(mask)
        mask.get_buffer().set(_whole(mask), "Y u8", bytes([128]) * 256)
        mask.get_buffer().flush()
        mask.update(0, 0, 16, 16)
        seen = done(canvas.look(canvas.View(paper), canvas.box_of(paper))).data
        assert set(seen[3::4]) == {128}
        assert pixels(paper)[3::4] == bytes([255]) * 256 and paper.get_mask() is not None, "the layer itself is untouched"


def a_group_is_sent_as_it_looks():
    from acetate.plugins.gimp import canvas

    with new_image(16, 16) as (image, paper):
        group = Gimp.GroupLayer.new(image, "group")
        image.insert_layer(group, None, 0)
        image.reorder_item(paper, group, 0)
        assert done(canvas.look(canvas.View(group), canvas.box_of(group))).data == pixels(paper)


def _whole(drawable):
    return Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())


def repeating_uses_what_is_kept_on_the_layer():
    with new_image() as (image, paper):
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 12, 40, 36)
        first = call("acetate-generate-layer", image, [paper], prompt="a kite", seed=1).required().layer
        Gimp.Selection.none(image)
        again = call("acetate-repeat-with-new-seed", image, [first], seed=2).required().layer
        assert again.get_name() == "a kite (2)"
        assert (offsets(again), again.get_width(), again.get_height()) == ((10, 12), 40, 36)
        assert pixels(again) != pixels(first)


def repeating_a_refinement_starts_from_the_same_original():
    with new_image(64, 64) as (image, paper):
        refined = call("acetate-refine-layer", image, [paper], prompt="rougher", seed=1).required().layer
        again = call("acetate-repeat-with-new-seed", image, [refined], seed=2).required().layer
        assert record(again)["made_from"] == paper.get_tattoo()
        assert record(again)["task"] == "refine" and record(again)["seed"] == 2


def repeating_a_result_of_the_history_goes_to_the_same_place():
    with new_image() as (image, paper):
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 12, 40, 36)
        call("acetate-generate-layer", image, [paper], prompt="a kite", seed=1).required()
        Gimp.Selection.none(image)
        kept = call("acetate-history", image, [paper]).required().layer
        again = call("acetate-repeat-with-new-seed", image, [kept], seed=2).required().layer
        assert (offsets(again), again.get_width(), again.get_height()) == ((10, 12), 40, 36)


def repeating_another_version_from_the_history_is_refused_with_what_to_do():
    with new_image(64, 64) as (image, paper):
        call("acetate-refine-layer", image, [paper], prompt="rougher", seed=1).required()
        kept = call("acetate-history", image, [paper]).required().layer
        result = call("acetate-repeat-with-new-seed", image, [kept], seed=2)
        assert "Select that one and choose Refine" in result.error, result.error


def repeating_what_acetate_did_not_make_is_refused_with_what_to_do():
    with new_image() as (image, paper):
        result = call("acetate-repeat-with-new-seed", image, [paper], seed=2)
        assert "Generate Layer" in result.error, result.error


def repeating_after_the_original_was_deleted_says_so():
    with new_image(64, 64) as (image, paper):
        refined = call("acetate-refine-layer", image, [paper], prompt="rougher", seed=1).required().layer
        image.remove_layer(paper)
        result = call("acetate-repeat-with-new-seed", image, [refined], seed=2)
        assert "is gone" in result.error, result.error


def the_layers_of_a_file_come_with_names_places_and_pixels():
    """The file is written outside, by our own document package; what it holds stands beside it."""
    path = Path(OUT / "given.psd")
    expected = json.loads((OUT / "given.json").read_text())
    with new_image() as (image, paper):
        file = Gio.File.new_for_path(str(path))
        result = call("acetate-insert-layers-from-file", image, [paper], file=file).required()
        assert names(result.layers) == [layer["name"] for layer in expected]
        for layer, wanted in zip(result.layers, expected, strict=True):
            assert offsets(layer) == tuple(wanted["place"])
            data = pixels(layer)
            assert [layer.get_width(), layer.get_height(), data.hex()] == [*wanted["size"], wanted["rgba"]]
            assert round(layer.get_opacity()) == wanted["opacity"]
        assert image.get_layers()[-1] == paper and image.get_layers()[0].get_name() == "given.psd"


def without_an_image_the_layers_of_a_file_make_one():
    file = Gio.File.new_for_path(str(OUT / "given.psd"))
    result = call("acetate-insert-layers-from-file", file=file).required()
    image = result.layers[0].get_image()
    assert [layer.get_name() for layer in image.get_layers()] == ["given.psd"]
    lefts = [offsets(layer)[0] for layer in result.layers]
    assert min(lefts) == 0 and image.get_width() == max(x + w.get_width() for x, w in zip(lefts, result.layers, strict=True))
    image.delete()


def a_file_that_is_no_layered_file_is_refused_with_what_to_do():
    path = OUT / "letter.txt"
    path.write_text("no picture")
    with new_image() as (image, paper):
        result = call("acetate-insert-layers-from-file", image, [paper], file=Gio.File.new_for_path(str(path)))
        assert "letter.txt" in result.error and "Open as Layers" in result.error, result.error


def an_empty_file_is_called_empty():
    path = OUT / "empty.psd"
    path.write_bytes(b"")
    with new_image() as (image, paper):
        result = call("acetate-insert-layers-from-file", image, [paper], file=Gio.File.new_for_path(str(path)))
        assert "empty.psd is empty" in result.error and image.get_layers() == [paper], result.error


def a_broken_file_is_refused_by_the_server_in_words():
    path = OUT / "broken.psd"
    path.write_bytes(b"8BPS but not really")
    with new_image() as (image, paper):
        result = call("acetate-insert-layers-from-file", image, [paper], file=Gio.File.new_for_path(str(path)))
        assert result.error and image.get_layers() == [paper], result.error


def a_result_of_the_history_is_inserted_again_by_its_id():
    with new_image() as (image, paper):
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 10, 12, 40, 36)
        first = call("acetate-generate-layer", image, [paper], prompt="a kite", seed=1).required().layer
        job = record(first)["job"]
        again = call("acetate-history", image, [paper], job=job).required().layer
        assert pixels(again) == pixels(first) and offsets(again) == (10, 12)
        assert record(again)["task"] == "foreground"


def without_an_id_the_newest_result_is_inserted():
    with new_image() as (image, paper):
        layer = call("acetate-history", image, [paper]).required().layer
        assert record(layer)["job"] == history()[0].job
        (ready,) = sent(record(layer)["job"])
        assert pixels(layer) == in_box(ready)


def an_unknown_id_is_named():
    with new_image() as (image, paper):
        result = call("acetate-history", image, [paper], job="feedfeedfeedfeed")
        assert "feedfeedfeedfeed" in result.error, result.error


def script_fu_can_call_it():
    """Script-Fu of GIMP 3 names the arguments; leaves the image's layers for Python to look at."""
    with new_image() as (image, paper):
        script = (
            f"(acetate-generate-layer #:run-mode RUN-NONINTERACTIVE #:image {image.get_id()} "
            f'#:drawables (vector {paper.get_id()}) #:prompt "a bell" #:seed 6)'
        )
        procedure = Gimp.get_pdb().lookup_procedure("plug-in-script-fu-eval")
        config = procedure.create_config()
        config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
        config.set_property("script", script)
        answer = procedure.run(config)
        assert int(answer.index(0)) == int(Gimp.PDBStatusType.SUCCESS), Gimp.get_pdb().get_last_error()
        assert names(image.get_layers()) == ["a bell (6)", "paper"]
