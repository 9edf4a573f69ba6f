import io

import numpy as np
import pytest
from acetate.document import (
    Document,
    Layer,
    compose,
    find,
    flatten,
    names,
    read,
    read_bytes,
    read_image,
    write_bytes,
)
from acetate.document.adjustment import Adjustment
from acetate.document.composition.colour import from_srgb
from acetate.document.composition.deep_colour import from_srgb16
from acetate.document.photoshop.looks.descriptors import blend_name
from PIL import Image, ImageCms
from psd_tools import PSDImage
from psd_tools.constants import BlendMode, Resource, Tag
from psd_tools.psd.descriptor import DescriptorBlock
from psd_tools.psd.image_resources import ImageResource

from tests.document.photoshop.made import SIZE, document_of, image, mark, soft, solid_colour


def test_every_blend_mode_has_the_same_name_as_in_photoshops_menu():
    assert blend_name(BlendMode.LINEAR_DODGE) == "linear-dodge"
    for mode in set(BlendMode) - {BlendMode.PASS_THROUGH}:
        assert Layer(np.zeros((1, 1, 4), np.uint8), blend_mode=blend_name(mode))


def test_a_file_of_gimp_shows_what_gimp_shows(golden, difference):
    document = read(golden / "gimp.psd")
    assert names(document) == ("hidden", "masked", "shade", "fruit ✓", "fruit ✓/яблоко", "fruit ✓/apple 🍎", "paper")
    assert document.notes == ()
    assert find(document, "masked").mask.values.min() < 255
    assert difference(compose(document), read_image(golden / "gimp.png")) <= 1


def test_a_file_of_krita_shows_what_krita_shows(golden, difference):
    document = read(golden / "krita.psd")
    assert names(document)[3] == "fruit ✓"  # Krita ends names with a NUL
    assert difference(compose(document), read_image(golden / "krita.png")) <= 1


def test_clipped_layers_stay_clipped_and_look_as_they_should(psd, difference):
    """Source-atop on the base: its alpha stays, its colour is mixed as if it were opaque. GIMP 3 draws this file so too."""
    body, shade = (np.asarray(soft(colour, radius)) for colour, radius in (((200, 0, 0), 4), ((0, 0, 90), 3)))
    psd.create_pixel_layer(Image.fromarray(body), "Body", opacity=200)
    psd.create_pixel_layer(Image.fromarray(shade), "Shade", blend_mode=BlendMode.MULTIPLY, opacity=153).clipping = True
    psd.create_pixel_layer(Image.new("RGBA", SIZE, (90, 255, 90, 51)), "Light").clipping = True
    psd.create_pixel_layer(Image.new("RGBA", SIZE, (0, 0, 0, 255)), "Unused").clipping = True
    psd[-1].visible = False
    document = document_of(psd)
    assert [(layer.name, layer.clipped) for layer in document.layers] == [
        ("Body", False),
        *((name, True) for name in ("Shade", "Light", "Unused")),
    ]
    assert document.notes == ()
    share = shade[..., 3:] / 255 * 0.6
    colour = body[..., :3] * (1 - share) + body[..., :3] * (shade[..., :3] / 255) * share
    colour = colour * 0.8 + np.array([90, 255, 90]) * 0.2
    expected = np.concatenate([colour, body[..., 3:] * (200 / 255)], axis=-1)
    assert difference(compose(document), np.rint(expected).astype(np.uint8)) <= 1.5


def test_a_layer_clipped_to_a_group_is_cut_by_the_groups_shape(psd):
    group = psd.create_group(name="Group", blend_mode=BlendMode.NORMAL)
    group.create_pixel_layer(soft((200, 0, 0)), "Body")
    psd.create_pixel_layer(Image.new("RGBA", SIZE, (0, 0, 200, 255)), "Shade").clipping = True
    document = document_of(psd)
    assert names(document) == ("Shade", "Group", "Group/Body")
    assert np.array_equal(compose(document)[..., 3], np.asarray(soft((200, 0, 0)))[..., 3])
    assert compose(document)[5, 5, :3].tolist() == [0, 0, 200]


@pytest.mark.parametrize(
    ("tag", "words"),
    [(Tag.TYPE_TOOL_INFO, "text"), (Tag.PLACED_LAYER1, "a smart object"), (Tag.SMART_OBJECT_LAYER_DATA1, "a smart object")],
)
def test_text_and_smart_objects_become_the_pixels_that_the_file_holds(psd, noise, tag, words):
    mark(psd.create_pixel_layer(image(noise), "Title", left=1), tag)
    document = document_of(psd)
    assert document.notes == (f"'Title' was {words} and is now pixels",)
    assert np.array_equal(document.layers[0].rgba, noise(SIZE[1], SIZE[0]))


def test_a_base_that_does_not_blend_its_clipped_layers_as_a_group_is_read_so(psd, noise):
    psd.create_pixel_layer(image(noise), "base").tagged_blocks.set_data(Tag.BLEND_CLIPPING_ELEMENTS, 0)
    psd.create_pixel_layer(image(noise), "shade").clipping = True
    assert [layer.blends_clipped for layer in document_of(psd).layers] == [False, True]


def test_a_colour_fill_is_drawn(psd):
    layer = psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "Fill", opacity=128)
    mark(layer, Tag.SOLID_COLOR_SHEET_SETTING, solid_colour(10, 200, 30))
    document = document_of(psd)
    assert document.notes == ("'Fill' was a fill and is now pixels",)
    assert compose(document)[4, 4].tolist() == pytest.approx([10, 200, 30, 128], abs=1)


def test_an_adjustment_stays_one_and_changes_what_lies_below_it(psd, noise):
    psd.create_pixel_layer(Image.new("RGBA", SIZE, (200, 100, 0, 255)), "Kite")
    mark(psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "Negative", opacity=51), Tag.INVERT)
    document = document_of(psd)
    assert document.notes == ()
    negative = document.layers[1]
    assert isinstance(negative, Adjustment)
    assert (negative.name, negative.kind, negative.settings) == ("Negative", "invert", {})
    assert compose(document)[0, 0].tolist() == [171, 111, 51, 255]


def test_an_adjustment_that_we_do_not_draw_is_left_out_by_its_name_in_photoshop(psd, noise):
    psd.create_pixel_layer(image(noise), "Kite")
    vibrance = DescriptorBlock(classID=b"null", version=16)
    mark(psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "More"), Tag.VIBRANCE, vibrance)
    document = document_of(psd)
    assert names(document) == ("Kite",)
    assert document.notes == ("'More' (vibrance) has no pixels of its own and was left out",)


def test_what_is_clipped_to_an_undrawn_adjustment_stays(psd, noise):
    vibrance = DescriptorBlock(classID=b"null", version=16)
    mark(psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "More"), Tag.VIBRANCE, vibrance)
    psd.create_pixel_layer(image(noise), "Kite").clipping = True
    document = document_of(psd)
    assert names(document) == ("Kite",)
    assert document.notes[-1] == "'Kite' was clipped to 'More' and is now free of it"


def test_blend_if_is_named(psd, noise):
    layer = psd.create_pixel_layer(image(noise), "Kite")
    layer._record.blending_ranges.composite_ranges = [(0, 40000), (0, 65535)]
    assert document_of(psd).notes == ("the blend-if ranges of 'Kite' were left out",)


def test_fill_opacity_counts_as_opacity(psd, noise):
    layer = psd.create_pixel_layer(image(noise), "Kite", opacity=128)
    layer.fill_opacity = 51
    assert document_of(psd).layers[0].opacity == pytest.approx(128 / 255 * 0.2)


def test_the_fill_opacity_of_a_pass_through_group_keeps_it_by_itself(psd):
    """An adjustment in such a group changes the group alone, as in psd-tools' `passthrough_fill_adjustment.psd`."""
    psd.create_pixel_layer(Image.new("RGBA", SIZE, (200, 100, 0, 255)), "below")
    group = psd.create_group(name="G", blend_mode=BlendMode.PASS_THROUGH)
    mark(group.create_pixel_layer(Image.new("RGBA", (0, 0)), "Negative"), Tag.INVERT)
    group.fill_opacity = 102
    document = document_of(psd)
    assert document.notes == ("the fill opacity of the group 'G' is drawn as if its mode were normal",)
    assert compose(document)[0, 0].tolist() == [200, 100, 0, 255]


def test_empty_layers_stay_and_unbalanced_names_are_cleaned(psd):
    psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "empty", left=3).name = "end\0"
    layer = document_of(psd).layers[0]
    assert (layer.name, layer.rgba.shape) == ("end", (0, 0, 4))


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("mode", "bands"), [("RGB", 3), ("L", 1), ("CMYK", 4), ("LAB", 3)])
def test_every_colour_mode_becomes_srgb_of_its_depth_with_its_alpha(mode, bands, depth):
    psd = PSDImage.new(mode, (4, 3), depth=depth)
    if depth == 8:
        gray = from_srgb(Image.new("RGB", (4, 3), (128, 128, 128)), mode, None)
        planes = [np.asarray(gray.getchannel(band)) for band in range(bands)]
        expected, alpha = [128, 128, 128, 77], np.uint8(77)
    else:
        planes = list(from_srgb16(np.full((3, 3, 4), 33000, np.uint16), mode, None))
        expected, alpha = [33000, 33000, 33000, 20001], np.uint16(20001)
    if mode == "CMYK":
        planes = [~plane for plane in planes]
    psd.create_pixel_layer_from_array(np.stack([*planes, np.full((3, 4), alpha)], axis=-1), "Kite")
    document = document_of(psd)
    assert document.depth == depth
    assert document.layers[0].rgba[1, 1].tolist() == pytest.approx(expected, abs=1 if depth == 8 else 8)
    assert not any("reduced" in note for note in document.notes)
    assert any("CMYK" in note or "Lab" in note for note in document.notes) == (mode in ("CMYK", "LAB"))


def test_the_files_profile_is_applied_and_named(psd):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    psd.create_pixel_layer(soft((200, 0, 0)), "Kite")
    psd.image_resources[Resource.ICC_PROFILE] = ImageResource(key=Resource.ICC_PROFILE, data=lab)
    assert document_of(psd).notes == ("the embedded colour profile could not be used; colours were taken as sRGB",)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1", "CMYK"])
def test_a_file_without_layers_is_its_merged_picture(mode, difference):
    picture = Image.new("RGB", (5, 4), (250, 250, 250)).convert(mode)
    document = document_of(PSDImage.frompil(picture))
    assert names(document) == ("Background",)
    assert document.layers[0].rgba[0, 0, 3] == 255


def test_a_file_without_anything_is_an_empty_document():
    assert read_bytes(write_bytes(Document(5, 4), "psd"), name_or_format="a.psd").layers == ()


def test_a_small_psb_is_read(noise):
    psd = PSDImage.frompil(Image.fromarray(noise(3, 3)))
    psd._record.header.version = 2
    psd._record.image_data.set_data([bytes(9)] * 4, psd._record.header)
    psd.create_pixel_layer(Image.fromarray(noise(3, 3)), "Kite")
    file = io.BytesIO()
    psd._record.write(file)
    assert np.array_equal(read_bytes(file.getvalue(), name_or_format="a.psb").layers[0].rgba, noise(3, 3))


def test_the_picture_that_the_file_stores_is_used_where_we_draw_it_otherwise(psd, noise):
    """Effects, say: a red layer that another program shows in green on half of the canvas."""
    psd.create_pixel_layer(Image.new("RGB", (12, 10), (200, 0, 0)), "red")
    shown = np.full((10, 12, 4), (200, 0, 0, 255), np.uint8)
    shown[:, 6:] = (0, 200, 0, 255)
    psd._record.image_data.set_data([shown[..., channel].tobytes() for channel in range(4)], psd._record.header)
    document = document_of(psd, drawn=True)
    assert document.notes == (
        "the file's own picture looks different in about 50 % of it; it is used wherever one flat picture is wanted",
    )
    assert np.array_equal(flatten(document), shown)
    assert np.array_equal(compose(document), np.full((10, 12, 4), (200, 0, 0, 255), np.uint8))


def test_a_picture_that_shows_what_we_draw_is_not_kept(psd):
    psd.create_pixel_layer(Image.new("RGB", (12, 10), (200, 0, 0)), "red")
    shown = np.full((10, 12, 4), (201, 2, 1, 255), np.uint8)
    psd._record.image_data.set_data([shown[..., channel].tobytes() for channel in range(4)], psd._record.header)
    document = document_of(psd, drawn=True)
    assert document.notes == () and document.picture is None


def test_a_group_that_is_clipped_to_a_layer_shows_only_where_that_does(psd, difference):
    """psd-tools says that no group is clipped; Clip Studio, SAI and Photopea clip them."""
    psd.create_pixel_layer(Image.new("RGB", (4, 4), (0, 0, 200)), "base", left=2, top=2)
    group = psd.create_group(name="G")
    group.create_pixel_layer(Image.new("RGB", (12, 10), (200, 0, 0)), "red")
    group._record.clipping = 1
    document = document_of(psd)
    expected = np.zeros((10, 12, 4), np.uint8)
    expected[2:6, 2:6] = (200, 0, 0, 255)
    assert difference(compose(document), expected) == 0
    assert (find(document, "G").clipped, document.notes) == (True, ())


@pytest.mark.parametrize(
    ("stored", "name", "said"),
    [
        ("線画".encode("cp932"), "線画", "CP932"),
        ("图层 1".encode("gbk"), "图层 1", "GBK"),
        ("яблоко".encode(), "яблоко", "UTF-8"),
        ("Größe".encode("mac-roman"), "Größe", "Mac Roman"),
    ],
)
def test_a_name_without_unicode_is_read_in_the_encoding_that_makes_sense(psd, stored, name, said):
    layer = psd.create_pixel_layer(Image.new("RGB", (2, 2)), "x")
    layer._record.name = stored.decode("mac-roman")
    document = document_of(psd)
    assert names(document) == (name,)
    assert document.notes == (f"the file does not say how its layer names are encoded; they were read as {said}",)
