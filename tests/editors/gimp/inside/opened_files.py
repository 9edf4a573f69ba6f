"""Claims about layers that come out of files: nothing is lost that GIMP's own *Open as Layers* keeps, and names are right."""

from __future__ import annotations

from editor import OUT, call, names, new_image, pattern, pixels, put
from gi.repository import Gegl, Gimp, Gio


def _inserted(image, paper, name, **more):
    file = Gio.File.new_for_path(str(OUT / name))
    return call("acetate-insert-layers-from-file", image, [paper], file=file, **more).required().layers


def _saved(name, build, precision=Gimp.Precision.U8_NON_LINEAR):
    """A file that GIMP itself writes from an image that `build` has filled."""
    with new_image(64, 48, precision=precision) as (image, paper):
        build(image, paper)
        assert Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(str(OUT / name)), None)


def _masked(_image, paper):
    mask = paper.create_mask(Gimp.AddMaskType.WHITE)
    paper.add_mask(mask)
    mask.get_buffer().set(Gegl.Rectangle.new(0, 0, 64, 20), "Y u8", bytes(range(64)) * 20)
    mask.get_buffer().flush()


def a_mask_stays_a_mask_unless_that_is_not_wanted():
    _saved("masked.psd", _masked)
    with new_image() as (image, paper):
        (layer,) = _inserted(image, paper, "masked.psd")
        assert layer.get_mask() is not None and pixels(layer.get_mask(), "Y u8")[:64] == bytes(range(64))
        assert set(pixels(layer)[3::4]) == {255}
        (layer,) = _inserted(image, paper, "masked.psd", keep_masks=False)
        assert layer.get_mask() is None and pixels(layer)[3 : 4 * 64 : 4] == bytes(range(64))


def sixteen_bits_stay_sixteen_in_an_image_that_has_them():
    def ramp(_image, paper):
        import array

        values = array.array("H")
        for x in range(64 * 48):
            values.extend([x * 20, 65535 - x, 300, 65535])
        paper.get_buffer().set(Gegl.Rectangle.new(0, 0, 64, 48), "R'G'B'A u16", values.tobytes())
        paper.get_buffer().flush()

    for name in ("deep.psd", "deep.png"):
        _saved(name, ramp, Gimp.Precision.U16_NON_LINEAR)
        with new_image(precision=Gimp.Precision.U16_NON_LINEAR) as (image, paper):
            (layer,) = _inserted(image, paper, name)
            data = pixels(layer, "R'G'B'A u16")
            assert len({data[i : i + 2] for i in range(0, len(data), 8)}) > 3000, name


def groups_stay_also_those_that_are_empty():
    def grouped(image, paper):
        outer, empty = Gimp.GroupLayer.new(image, "outer"), Gimp.GroupLayer.new(image, "empty")
        image.insert_layer(outer, None, 0)
        image.insert_layer(empty, None, 0)
        image.reorder_item(paper, outer, 0)

    _saved("grouped.psd", grouped)
    with new_image() as (image, paper):
        paper.set_name("ground")  # GIMP gives no name twice
        (layer,) = _inserted(image, paper, "grouped.psd")
        file = image.get_layers()[0]
        assert file.get_name() == "grouped.psd" and names(file.get_children()) == ["empty", "outer"]
        assert layer.get_parent().get_name() == "outer" and layer.get_name() == "paper"


def a_picture_is_called_like_its_file():
    _saved("Bäume am See.png", lambda _image, paper: put(paper, pattern(64, 48)))
    with new_image() as (image, paper):
        (layer,) = _inserted(image, paper, "Bäume am See.png")
        assert layer.get_name() == "Bäume am See" and pixels(layer) == pattern(64, 48)
    (layer,) = (
        call("acetate-insert-layers-from-file", file=Gio.File.new_for_path(str(OUT / "Bäume am See.png"))).required().layers
    )
    assert layer.get_name() == "Bäume am See"
    layer.get_image().delete()
