import io

import numpy as np
import pytest
from acetate.document import (
    Document,
    Group,
    Layer,
    LayerNotFound,
    TooLarge,
    UnsupportedFile,
    UnwritableFile,
    find,
    insert_into_bytes,
    insert_into_file,
    losses,
    names,
    read_bytes,
    write_bytes,
)
from acetate.document.composition import compose
from acetate.document.composition.colour import srgb_profile
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import BlendMode, ColorMode, Compression, Resource, Tag


def psd_of(document):
    return PSDImage.open(io.BytesIO(write_bytes(document, "psd")))


def saved(psd):
    file = io.BytesIO()
    psd.save(file)
    return file.getvalue()


def stored(psd_bytes):
    """Every layer's record and compressed channels, to compare two files by what was not to change."""
    psd = PSDImage.open(io.BytesIO(psd_bytes))
    return {layer.name: (layer._record.tobytes(), [channel.data for channel in layer._channels]) for layer in psd.descendants()}


@pytest.mark.parametrize("name", ["apple 🍎", "яблоко", "林檎", "ümläut", "plain", ""])
def test_names_of_any_script_are_written(name, noise):
    psd = psd_of(Document(4, 4, (Layer(noise(4, 4), name=name), Group(name, (Layer(noise(2, 2), name="x"),)))))
    assert [layer.name for layer in psd] == [name, name]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a\0b", "ab"),
        ("line\nbreak\ttab", "line break tab"),
        ("lone \ud800 half", "lone  half"),
        ("x" * 300, "x" * 255),
        ("\uffff", ""),
    ],
)
def test_names_that_a_psd_cannot_hold_are_cleaned_and_it_is_said(name, kept, noise):
    document = Document(4, 4, (Layer(noise(4, 4), name=name),))
    assert psd_of(document)[0].name == kept
    assert "was shortened or cleaned" in losses(document, "psd")[0]


def test_the_layer_count_is_negative_so_the_fourth_channel_is_transparency(noise):
    psd = psd_of(Document(4, 4, (Layer(noise(4, 4)), Group("g", (Layer(noise(4, 4)),)))))
    assert psd._record.layer_and_mask_information.layer_info.layer_count == -4  # a group takes two records


def test_the_merged_picture_is_the_composition(noise, difference):
    document = Document(20, 15, (Layer(noise(15, 20, 1)), Layer(noise(9, 9, 2), 4, 3, opacity=0.5)))
    psd = psd_of(document)
    assert psd.topil().mode == "RGBA"
    assert difference(np.asarray(psd.topil()), compose(document)) <= 1


def test_the_merged_picture_is_laid_over_white_for_programs_that_ignore_alpha(noise):
    rgba = np.full((2, 2, 4), (200, 0, 0, 0), np.uint8)
    planes = psd_of(Document(2, 2, (Layer(rgba),)))._record.image_data.get_data(psd_of(Document(2, 2))._record.header)
    assert [plane[0] for plane in planes] == [255, 255, 255, 0]


def test_every_layer_and_group_has_an_id_of_its_own(noise):
    psd = psd_of(Document(4, 4, (Layer(noise(4, 4)), Group("g", (Layer(noise(4, 4)), Layer(noise(4, 4)))))))
    assert sorted(layer.layer_id for layer in psd.descendants()) == [1, 2, 3, 4]


def test_the_file_says_that_it_is_srgb(noise):
    psd = psd_of(Document(4, 4, (Layer(noise(4, 4)),)))
    assert psd.image_resources.get_data(Resource.ICC_PROFILE) == srgb_profile()


def test_groups_are_normal_unless_they_have_something_to_pass_through_to(noise):
    through = Group("low", (Layer(noise(4, 4)),), blend_mode="pass-through")
    inner = Group("inner", (Group("nested", (Layer(noise(4, 4)),), blend_mode="pass-through"),))
    psd = psd_of(Document(4, 4, (through, Group("high", (Layer(noise(4, 4)),), blend_mode="pass-through"), inner)))
    modes = {layer.name: layer.blend_mode for layer in psd.descendants() if layer.is_group()}
    assert modes == {
        "low": BlendMode.NORMAL,
        "high": BlendMode.PASS_THROUGH,
        "inner": BlendMode.NORMAL,
        "nested": BlendMode.NORMAL,
    }


def test_what_does_not_shrink_is_stored_as_it_is(noise):
    rgba = noise(64, 64)
    rgba[..., 3] = 255
    channels = psd_of(Document(64, 64, (Layer(rgba),)))[0]._channels
    assert [channel.compression for channel in channels] == [Compression.RLE, *3 * [Compression.RAW]]


def test_the_merged_picture_is_compressed():
    """psd-tools stores it as it is unless told otherwise."""
    picture = psd_of(Document(64, 64, (Layer(np.zeros((64, 64, 4), np.uint8)),)))._record.image_data
    assert picture.compression == Compression.RLE


def test_a_document_is_the_same_file_every_time(noise):
    document = Document(9, 9, (Layer(noise(9, 9), parameters={"seed": 1}),))
    assert write_bytes(document, "psd") == write_bytes(document, "psd")


def test_more_than_30000_pixels_a_side_are_refused():
    with pytest.raises(TooLarge, match="30001 x 1 pixels; at most 30000 a side"):
        write_bytes(Document(30_001, 1), "psd")
    with pytest.raises(TooLarge, match="layer 'long' is 1 x 30001"):
        write_bytes(Document(4, 4, (Layer(np.zeros((30_001, 1, 4), np.uint8), name="long"),)), "psd")


def test_a_layer_beyond_the_formats_coordinates_is_refused():
    with pytest.raises(UnwritableFile, match="layer 'far' lies at 4294967296, 0"):
        write_bytes(Document(4, 4, (Layer(np.zeros((1, 1, 4), np.uint8), 2**32, name="far"),)), "psd")


def test_the_opacity_of_a_group_is_named_as_what_krita_ignores():
    assert losses(Document(1, 1, (Group("g", opacity=0.5),)), "psd") == (
        "Krita ignores the opacity of a group in a PSD: 'g' has 50%",
    )


def foreign(mode="RGB", depth=8, size=(16, 12)):
    """A file as another program writes it: an opaque background, a clipped run and a group, with blocks that we do not know."""
    psd = PSDImage.new(mode, size, depth=depth)
    psd.create_pixel_layer(Image.new(mode.rstrip("A"), size, "white"), "Background")
    psd.create_pixel_layer(Image.new("RGB", (8, 8), (200, 0, 0)), "Body")
    shade = psd.create_pixel_layer(Image.new("RGB", (8, 8), (0, 200, 0)), "Shade", opacity=90)
    shade.clipping = True
    shade.tagged_blocks.set_data(Tag.LAYER_ID, 7)
    group = psd.create_group(name="Props")
    group.create_pixel_layer(Image.new("RGB", (4, 4), (0, 0, 200)), "Sky", left=3)
    for layer in psd.descendants():
        layer.lock()
    return saved(psd)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, ["Background", "Body", "Shade", "Props", "Sky", "new"]),
        ({"below": "Sky"}, ["Background", "Body", "Shade", "Props", "new", "Sky"]),
        ({"above": "Props/Sky"}, ["Background", "Body", "Shade", "Props", "Sky", "new"]),
        ({"above": "Body"}, ["Background", "Body", "Shade", "new", "Props", "Sky"]),
        ({"below": "Shade"}, ["Background", "new", "Body", "Shade", "Props", "Sky"]),
        ({"below": "Background"}, ["new", "Background", "Body", "Shade", "Props", "Sky"]),
    ],
)
def test_a_layer_goes_where_it_should_and_everything_else_stays_byte_for_byte(place, expected, noise):
    before = foreign()
    after = insert_into_bytes(before, Layer(noise(5, 6), 2, 1, "new"), name="a.psd", **place)
    psd = PSDImage.open(io.BytesIO(after))
    assert [layer.name for layer in psd.descendants()] == expected
    untouched = stored(after)
    new = untouched.pop("new")
    assert new
    assert untouched == stored(before)


def test_clipped_layers_stay_clipped_to_their_base(noise):
    psd = PSDImage.open(io.BytesIO(insert_into_bytes(foreign(), Layer(noise(5, 6), name="new"), name="a.psd", above="Body")))
    assert [layer.name for layer in psd[1].clip_layers] == ["Shade"]


def test_the_inserted_layer_has_its_pixels_place_look_and_parameters(noise):
    layer = Layer(noise(5, 6), -2, 1, "neu 🍎", "foreground", 0.4, "screen", True, {"seed": 3})
    back = find(read_bytes(insert_into_bytes(foreign(), layer, name="a.psd"), name_or_format="a.psd"), "neu 🍎")
    assert np.array_equal(back.rgba, layer.rgba)
    assert (back.box, back.role, back.blend_mode, dict(back.parameters)) == (layer.box, "foreground", "screen", {"seed": 3})
    assert back.opacity == pytest.approx(0.4, abs=0.002)


def test_a_second_insertion_keeps_the_parameters_of_the_first(noise):
    data = insert_into_bytes(foreign(), Layer(noise(2, 2), name="one", parameters={"seed": 1}), name="a.psd")
    data = insert_into_bytes(data, Layer(noise(2, 2), name="two", parameters={"seed": 2}), name="a.psd")
    document = read_bytes(data, name_or_format="a.psd")
    assert [dict(find(document, name).parameters) for name in ("one", "two")] == [{"seed": 1}, {"seed": 2}]


def test_the_merged_picture_shows_the_new_layer(noise, difference):
    data = insert_into_bytes(foreign(), Layer(noise(9, 9), name="new"), name="a.psd", below="Props")
    expected = compose(read_bytes(data, name_or_format="a.psd"))
    merged = np.asarray(PSDImage.open(io.BytesIO(data)).topil().convert("RGBA"))
    assert difference(merged, expected) <= 1


def under_curves(mode="RGB", depth=8):
    """A gray canvas, and over it curves, which psd-tools draws only with a library that it leaves optional."""
    psd = PSDImage.new(mode, (6, 5), depth=depth)
    psd.create_pixel_layer_from_array(np.full((5, 6, {"L": 1, "CMYK": 4}.get(mode, 3)), 128, np.uint8), "Paper")
    curves = psd.create_pixel_layer(Image.new("RGB", (0, 0)), "Contrast")
    curves.tagged_blocks.set_data(Tag.CURVES, version=4, count_map=1, data=[[(0, 0), (255, 255)]])
    return psd


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK"])
def test_a_merged_picture_that_psd_tools_cannot_draw_is_ours_and_it_is_said(
    tmp_path, monkeypatch, mode, depth, noise, difference
):
    monkeypatch.setattr("psd_tools.composite._compat.HAS_SCIPY", False)
    path = tmp_path / "scene.psd"
    path.write_bytes(saved(under_curves(mode, depth)))
    layer = Layer(noise(3, 3), 1, 1, name="new")
    notes = insert_into_file(path, layer, below="Contrast")
    expected = compose(read_bytes(path.read_bytes(), name_or_format="a.psd"))
    merged = np.asarray(PSDImage.open(path).topil().convert("RGBA"))
    assert difference(merged, expected) <= 2
    assert notes == ("the merged picture in scene.psd was drawn without 'Contrast' (curves)",)


def test_a_merged_picture_that_lacks_nothing_needs_no_note(tmp_path, noise):
    path = tmp_path / "scene.psd"
    path.write_bytes(foreign())
    assert insert_into_file(path, Layer(noise(3, 3), name="new")) == ()


def test_a_stale_thumbnail_is_dropped(noise):
    psd = PSDImage.open(io.BytesIO(foreign()))
    psd.image_resources[Resource.THUMBNAIL_RESOURCE] = type(psd.image_resources[Resource.VERSION_INFO])(
        key=Resource.THUMBNAIL_RESOURCE, data=bytes(28)
    )
    data = insert_into_bytes(saved(psd), Layer(noise(2, 2), name="new"), name="a.psd")
    assert Resource.THUMBNAIL_RESOURCE not in PSDImage.open(io.BytesIO(data)).image_resources


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK", "LAB"])
def test_a_layer_enters_files_of_other_colour_modes_and_depths(mode, depth, noise):
    psd = PSDImage.new(mode, (6, 5), depth=depth)
    planes = {"L": 1, "CMYK": 4}.get(mode, 3)
    psd.create_pixel_layer_from_array(np.full((5, 6, planes), 128, np.uint8))
    layer = Layer(np.full((3, 4, 4), (90, 90, 90, 128), np.uint8), 1, 1, "gray")
    data = insert_into_bytes(saved(psd), layer, name="a.psd")
    after = PSDImage.open(io.BytesIO(data))
    back = find(read_bytes(data, name_or_format="a.psd"), "gray")
    assert (after.depth, after.color_mode, len(after)) == (depth, psd.color_mode, 2)
    assert back.box == layer.box
    assert np.abs(back.rgba.astype(int) - layer.rgba).max() <= 2


def test_a_flat_psd_keeps_its_picture_as_a_layer_below(noise, difference):
    rgb = noise(5, 6)[..., :3]
    data = insert_into_bytes(saved(PSDImage.frompil(Image.fromarray(rgb))), Layer(noise(2, 2), name="new"), name="flat.psd")
    document = read_bytes(data, name_or_format="flat.psd")
    assert names(document) == ("new", "Background")
    assert np.array_equal(find(document, "Background").rgba[..., :3], rgb)


@pytest.mark.parametrize("mode", ["1", "L32"])
def test_a_psd_that_cannot_take_a_layer_says_so(mode):
    psd = PSDImage.new("1", (4, 4)) if mode == "1" else PSDImage.new("L", (4, 4), depth=32)
    with pytest.raises(UnsupportedFile, match=r"a.psd (is 1-bit bitmap; a layer can be added to|has 32 bits per channel)"):
        insert_into_bytes(saved(psd), Layer(np.zeros((1, 1, 4), np.uint8)), name="a.psd")


def test_a_missing_neighbour_is_answered_with_the_names_in_the_file(noise):
    with pytest.raises(
        LayerNotFound, match="no layer 'Cloud'; the layers are: 'Props', 'Props/Sky', 'Shade', 'Body', 'Background'"
    ):
        insert_into_bytes(foreign(), Layer(noise(1, 1)), name="a.psd", below="Cloud")


def test_saved_selections_survive_an_insertion(noise):
    psd = PSDImage.open(io.BytesIO(foreign("RGBA")))
    assert psd._record.layer_and_mask_information.layer_info.layer_count > 0  # so the fourth channel is a spare one
    data = insert_into_bytes(saved(psd), Layer(noise(2, 2), name="new"), name="a.psd")
    after = PSDImage.open(io.BytesIO(data))
    assert after.channels == 4
    assert after._record.layer_and_mask_information.layer_info.layer_count > 0
    assert after.color_mode == ColorMode.RGB
