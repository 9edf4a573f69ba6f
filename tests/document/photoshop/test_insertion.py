"""A layer enters somebody else's PSD: everything that was there stays, and so does every pixel of its picture outside the box."""

import io
import struct
from dataclasses import replace

import numpy as np
import pytest
from acetate.document import (
    Layer,
    LayerNotFound,
    Mask,
    UnsupportedFile,
    compose,
    find,
    insert_into_bytes,
    insert_into_file,
    names,
    read_bytes,
)
from acetate.raster import to_8_bits
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import ColorMode, Compression, Resource, Tag
from psd_tools.psd.image_resources import ImageResource, ThumbnailResource


def saved(psd):
    file = io.BytesIO()
    psd.save(file)
    return file.getvalue()


def saved_as_it_is(psd):
    """The file without a new merged picture."""
    file = io.BytesIO()
    psd._record.write(file)
    return file.getvalue()


def stored(psd_bytes):
    """Every layer's record and compressed channels, to compare two files by what was not to change."""
    psd = PSDImage.open(io.BytesIO(psd_bytes))
    return {layer.name: (layer._record.tobytes(), [channel.data for channel in layer._channels]) for layer in psd.descendants()}


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


@pytest.mark.parametrize("depth", [8, 16])
def test_a_layer_is_inserted_with_its_mask_which_the_merged_picture_heeds(depth):
    mask = Mask(np.array([[0, 255]], np.uint8), 2, 0, outside=0, density=0.8)
    layer = Layer(np.full((2, 4, 4), (0, 0, 0, 255), np.uint8), name="new", mask=mask)
    data = insert_into_bytes(foreign(depth=depth), layer, name="a.psd")
    back = find(read_bytes(data, name_or_format="a.psd"), "new").mask
    assert (back.values.tolist(), back.x, back.outside, round(back.density, 9)) == ([[0, 255]], 2, 0, 0.8)
    before, after = (np.asarray(PSDImage.open(io.BytesIO(one)).topil().convert("RGB"))[0] for one in (foreign(depth=depth), data))
    assert after[3].tolist() == [0, 0, 0]
    assert after[2].tolist() == pytest.approx((before[2] * 0.8).tolist(), abs=1)


def test_a_clipped_layer_is_inserted_into_the_run_and_shows_only_on_its_base():
    layer = Layer(np.full((12, 16, 4), (0, 0, 0, 255), np.uint8), name="new", clipped=True)
    data = insert_into_bytes(foreign(), layer, name="a.psd", above="Body")
    psd = PSDImage.open(io.BytesIO(data))
    assert [one.name for one in psd[1].clip_layers] == ["new", "Shade"]
    shown = np.asarray(psd.topil().convert("RGB"))
    assert shown[10, 12].tolist() == [255, 255, 255]
    assert shown[7, 7].tolist() == pytest.approx([0, 200 * 90 / 255, 0], abs=1)


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
    """A gray canvas, and over it curves, which we do not draw."""
    psd = PSDImage.new(mode, (6, 5), depth=depth)
    psd.create_pixel_layer_from_array(np.full((5, 6, {"L": 1, "CMYK": 4}.get(mode, 3)), 128, np.uint8), "Paper")
    curves = psd.create_pixel_layer(Image.new("RGB", (0, 0)), "Contrast")
    curves.tagged_blocks.set_data(Tag.CURVES, version=4, count_map=1, data=[[(0, 0), (255, 255)]])
    return psd


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK"])
def test_what_we_cannot_draw_below_others_is_said(tmp_path, mode, depth, noise, difference):
    path = tmp_path / "scene.psd"
    path.write_bytes(saved(under_curves(mode, depth)))
    layer = Layer(noise(3, 3), 1, 1, name="new")
    notes = insert_into_file(path, layer, below="Contrast")
    expected = compose(read_bytes(path.read_bytes(), name_or_format="a.psd"))
    merged = np.asarray(PSDImage.open(path).topil().convert("RGBA"))
    assert difference(merged, to_8_bits(expected)) <= 2
    lacking = "where the new layer lies, the merged picture in scene.psd was drawn without 'Contrast' (curves)"
    assert notes == ((lacking,) if mode == "CMYK" else ())  # curves of inks


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
    assert np.abs(to_8_bits(back.rgba).astype(int) - layer.rgba).max() <= 2


@pytest.mark.parametrize("compression", list(Compression)[:3])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_flat_psd_keeps_its_picture_bit_for_bit_as_a_layer_below(mode, depth, compression, noise):
    psd = PSDImage.open(io.BytesIO(painted(mode, depth, compression)))
    del psd[0]
    before = samples_of(flat := saved_as_it_is(psd))
    data = insert_into_bytes(flat, Layer(noise(2, 2), name="new"), name="flat.psd")
    assert names(read_bytes(data, name_or_format="flat.psd")) == ("new", "Background")
    kept = PSDImage.open(io.BytesIO(data))[0]
    planes = [channel.get_data(40, 30, depth) for channel in kept._channels]
    assert np.array_equal(np.frombuffer(b"".join(planes), f">u{depth // 8}").reshape(before.shape), before)


@pytest.mark.parametrize("mode", ["1", "L32"])
def test_a_psd_that_cannot_take_a_layer_says_so(mode):
    psd = PSDImage.new("1", (4, 4)) if mode == "1" else PSDImage.new("L", (4, 4), depth=32)
    with pytest.raises(UnsupportedFile, match=r"a.psd is (1-bit bitmap|32-bit grayscale); a layer can be added to 8- and 16-bit"):
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


# --- the merged picture is the truth ---------------------------------------------------------------------------------------


def painted(mode, depth, compression, *, clear=False):
    """A file whose merged picture was drawn by means that nobody here knows: noise, over a layer that is plain gray."""
    psd = PSDImage.new(mode, (40, 30), depth=depth)
    planes = {"L": 1, "CMYK": 4}.get(mode, 3)
    psd.create_pixel_layer_from_array(np.full((30, 40, planes), 128, np.uint8), "Paper")
    if clear:
        psd._record.layer_and_mask_information.layer_info.layer_count *= -1
    header, picture = psd._record.header, psd._record.image_data
    samples = np.random.default_rng(3).integers(0, 2**depth, (header.channels, 30, 40)).astype(f">u{depth // 8}")
    picture.compression = compression
    picture.set_data([plane.tobytes() for plane in samples], header)
    return saved_as_it_is(psd)


def samples_of(data):
    psd = PSDImage.open(io.BytesIO(data))
    header = psd._record.header
    sample, shape = f">u{header.depth // 8}", (header.channels, header.height, header.width)
    return np.frombuffer(psd._record.image_data.get_data(header, split=False), sample).reshape(shape).astype(int)


@pytest.mark.parametrize("place", [{}, {"below": "Paper"}], ids=["on top", "below"])
@pytest.mark.parametrize("compression", list(Compression)[:3])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK", "LAB"])
def test_no_sample_outside_the_new_layers_box_changes(mode, depth, compression, place, noise):
    before = painted(mode, depth, compression)
    after = samples_of(insert_into_bytes(before, Layer(noise(9, 7), 30, 5, "new"), name="a.psd", **place))
    kept = np.ones((30, 40), bool)
    kept[5:14, 30:37] = False
    assert np.array_equal(after[:, kept], samples_of(before)[:, kept])
    assert (after != samples_of(before)).any() == (not place)  # below an opaque layer nothing shows


@pytest.mark.parametrize("blend", ["normal", "multiply", "screen", "overlay", "luminosity"])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_layer_on_top_is_blended_onto_what_the_file_showed(depth, blend, noise):
    before = painted("RGB", depth, Compression.RLE)
    layer = Layer(noise(30, 40), name="new", opacity=0.6, blend_mode=blend)
    after = samples_of(insert_into_bytes(before, layer, name="a.psd"))
    shown = np.moveaxis(samples_of(before), 0, -1) * 255 / (2**depth - 1)
    below = Layer(np.dstack([shown.round(), np.full((30, 40), 255)]).astype(np.uint8))
    expected = compose(replace(read_bytes(before, name_or_format="a.psd"), layers=(below, layer)))[..., :3]
    assert np.abs(np.moveaxis(after, 0, -1) * 255 / (2**depth - 1) - expected).max() <= (1 if depth == 8 else 1.6)


def test_transparency_grows_and_the_colour_stays_laid_over_white(noise):
    before = painted("RGBA", 8, Compression.RLE, clear=True)
    layer = Layer(noise(30, 40), name="new")
    after = samples_of(insert_into_bytes(before, layer, name="a.psd"))
    was, cover = samples_of(before), layer.rgba[..., 3] / 255
    assert np.abs(after[3] - 255 * (was[3] / 255 + cover * (1 - was[3] / 255))).max() <= 1
    assert np.abs(after[:3] - (was[:3] * (1 - cover) + np.moveaxis(layer.rgba[..., :3], -1, 0) * cover)).max() <= 1


def test_a_file_that_was_saved_without_a_picture_says_what_others_will_see(tmp_path, noise):
    psd = PSDImage.open(io.BytesIO(painted("RGB", 8, Compression.RLE)))
    psd.image_resources.get_data(Resource.VERSION_INFO).has_composite = False
    path = tmp_path / "scene.psd"
    path.write_bytes(saved_as_it_is(psd))
    (note,) = insert_into_file(path, Layer(noise(5, 5), 3, 3, "new"))
    assert "saved without a merged picture" in note and "Maximize Compatibility" in note


def test_a_hidden_layer_and_one_beside_the_canvas_leave_the_picture_byte_for_byte(noise):
    before = painted("RGB", 8, Compression.RLE)
    for layer in (Layer(noise(5, 5), visible=False), Layer(noise(5, 5), 100, 100), Layer(noise(0, 0))):
        after = insert_into_bytes(before, layer, name="a.psd")
        stored_picture = [PSDImage.open(io.BytesIO(data))._record.image_data.data for data in (before, after)]
        assert stored_picture[0] == stored_picture[1]


def test_a_layer_below_what_does_not_reach_it_counts_as_on_top(noise):
    psd = PSDImage.open(io.BytesIO(painted("RGB", 8, Compression.RLE)))
    psd.create_pixel_layer(Image.new("RGB", (4, 4)), "far", left=36, top=26)
    layer = Layer(noise(9, 7), 3, 5, "new")
    below, top = (
        samples_of(insert_into_bytes(saved_as_it_is(psd), layer, name="a.psd", **place)) for place in ({"below": "far"}, {})
    )
    assert np.array_equal(below, top)


def test_what_we_draw_otherwise_than_the_file_showed_is_said(tmp_path, noise):
    path = tmp_path / "scene.psd"
    psd = PSDImage.open(io.BytesIO(painted("RGB", 8, Compression.RLE)))
    psd.create_pixel_layer(Image.new("RGBA", (40, 30), (255, 0, 0, 90)), "veil")
    path.write_bytes(saved_as_it_is(psd))
    (note,) = insert_into_file(path, Layer(np.full((5, 5, 4), 255, np.uint8), 3, 3, "new"), below="veil")
    assert note.startswith("where the new layer lies, the merged picture in scene.psd was drawn by us, and differs")


@pytest.mark.parametrize("key", [Resource.THUMBNAIL_RESOURCE, Resource.THUMBNAIL_RESOURCE_PS4])
def test_the_thumbnail_shows_the_new_layer_where_it_lies(key):
    psd = PSDImage.open(io.BytesIO(painted("RGB", 8, Compression.RLE)))
    coded = io.BytesIO()
    Image.new("RGB", (20, 15), (10, 200, 10)).save(coded, "JPEG", quality=95)
    data = struct.pack(">6I2H", 1, 20, 15, 60, 900, len(coded.getvalue()), 24, 1) + coded.getvalue()
    psd.image_resources[key] = ImageResource(key=key, data=data)
    red = Layer(np.full((10, 10, 4), (255, 0, 0, 255), np.uint8), 20, 10, "new")
    after = PSDImage.open(io.BytesIO(insert_into_bytes(saved_as_it_is(psd), red, name="a.psd")))
    small = after.image_resources.get_data(key)
    assert isinstance(small, ThumbnailResource)
    with Image.open(io.BytesIO(small.data)) as image:
        shown = np.asarray(image.convert("RGB")).astype(int)
    colour = (255, 0, 0) if key is Resource.THUMBNAIL_RESOURCE else (0, 0, 255)
    assert np.abs(shown[6:9, 11:14].mean(axis=(0, 1)) - colour).max() < 40  # JPEG smears the colour a little
    assert np.abs(shown[:3, :8] - (10, 200, 10)).max() < 25


@pytest.mark.parametrize("below", [None, "Sky"], ids=["on top", "in a group"])
def test_layers_hidden_with_the_insertion_leave_the_picture_as_if_they_had_never_been(below):
    """The picture is drawn anew where they lay, and nothing but their visibility changes in them."""
    scene = foreign()
    new = Layer(np.full((3, 3, 4), (9, 99, 199, 255), np.uint8), 12, 8, "new")
    after = insert_into_bytes(scene, new, name="a.psd", below=below, hide=[(1,), (3, 0)])
    psd = PSDImage.open(io.BytesIO(after))
    assert {layer.name for layer in psd.descendants() if not layer.visible} == {"Body", "Sky"}
    picture = np.asarray(psd.topil().convert("RGB"))
    expected = np.full((12, 16, 3), 255, np.uint8)
    expected[8:11, 12:15] = (9, 99, 199)
    assert np.array_equal(picture, expected)
    hidden = {"Body", "Sky", "new"}
    assert {name: kept for name, kept in stored(after).items() if name not in hidden} == {
        name: kept for name, kept in stored(scene).items() if name not in hidden
    }


def test_one_of_two_namesakes_is_named_by_its_path(noise):
    psd = PSDImage.new("RGB", (8, 8))
    for left in (0, 4):
        psd.create_pixel_layer(Image.new("RGB", (4, 4), "red"), "ball", left=left)
    after = insert_into_bytes(saved(psd), Layer(noise(2, 2), name="new"), name="a.psd", above=(0,), hide=[(0,)])
    assert [(layer.name, layer.visible) for layer in PSDImage.open(io.BytesIO(after))] == [
        ("ball", False),
        ("new", True),
        ("ball", True),
    ]
