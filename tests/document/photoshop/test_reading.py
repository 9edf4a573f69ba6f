import copy
import io
import struct

import numpy as np
import pytest
from acetate.document import (
    Document,
    Layer,
    TooLarge,
    UnreadableFile,
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
from acetate.document.formats import limits
from acetate.document.photoshop.descriptors import blend_name
from PIL import Image, ImageCms
from psd_tools import PSDImage
from psd_tools.constants import BlendMode, ChannelID, Compression, Resource, Tag
from psd_tools.psd.descriptor import Descriptor, DescriptorBlock, Double
from psd_tools.psd.image_resources import ImageResource
from psd_tools.psd.layer_and_mask import ChannelData, ChannelInfo, MaskFlags, MaskParameters
from psd_tools.psd.tagged_blocks import TaggedBlock
from psd_tools.psd.vector import ClosedKnotLinked, ClosedPath, InitialFillRule, Path, PathFillRule, VectorMaskSetting

SIZE = (12, 10)


@pytest.fixture
def psd():
    """An empty RGBA file of 12 x 10 pixels, to be filled."""
    return PSDImage.new("RGBA", SIZE)


def image(noise, seed=0):
    return Image.fromarray(noise(SIZE[1], SIZE[0], seed))


def soft(colour, radius=4.0):
    """A disc with a soft edge."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    rgba = np.full((SIZE[1], SIZE[0], 4), (*colour, 0), np.uint8)
    rgba[..., 3] = np.clip((radius - np.hypot(x - 5.5, y - 4.5)) * 70, 0, 255)
    return Image.fromarray(rgba)


def document_of(psd, *, drawn=False):
    """The file as our reader finds it; not `drawn`, its merged picture is a blank one and the file says so."""
    psd.image_resources.get_data(Resource.VERSION_INFO).has_composite = drawn or len(psd) == 0
    info = psd._record.layer_and_mask_information.layer_info
    if info is not None and psd.channels == 4:
        info.layer_count = -abs(info.layer_count)  # the fourth channel is transparency, no saved selection
    file = io.BytesIO()
    psd._record.write(file)
    return read_bytes(file.getvalue(), name_or_format="a.psd")


def mark(layer, tag, data=b""):
    """Give the layer a block by which readers know its kind."""
    layer.tagged_blocks[tag] = TaggedBlock(key=tag, data=data)
    return layer


def rendered(psd):
    """psd-tools' own rendering of the layers, the second opinion."""
    return np.asarray(psd.composite(force=False, ignore_preview=True).convert("RGBA"))


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


def test_a_mask_stays_a_mask_and_shows_what_it_should(psd, noise, difference):
    layer = psd.create_pixel_layer(image(noise), "Kite")
    layer.create_mask(Image.fromarray(noise(6, 7, 3)[..., 0]), top=2, left=1)
    document = document_of(psd)
    kite = find(document, "Kite")
    assert (kite.mask.x, kite.mask.y, kite.mask.density, kite.mask.linked) == (1, 2, 1.0, True)
    assert np.array_equal(kite.mask.values, noise(6, 7, 3)[..., 0])
    assert np.array_equal(kite.rgba, noise(SIZE[1], SIZE[0]))
    assert document.notes == ()
    assert difference(compose(document), rendered(psd)) <= 1.5


@pytest.mark.parametrize("outside", [0, 255])
def test_a_mask_hides_or_shows_what_lies_outside_its_box(psd, noise, outside):
    layer = psd.create_pixel_layer(Image.new("RGBA", SIZE, (9, 9, 9, 255)), "Kite")
    layer.create_mask(Image.new("L", (2, 2), 100), top=3, left=3)
    layer.mask.data.background_color = outside
    alpha = compose(document_of(psd))[..., 3]
    assert (alpha[3, 3], alpha[0, 0]) == (100, outside)


def test_a_masks_density_weakens_it(psd, noise, difference):
    layer = psd.create_pixel_layer(image(noise), "Kite")
    layer.create_mask(Image.new("L", (6, 6), 0))
    layer.mask.data.flags.parameters_applied = True
    layer.mask.data.parameters = MaskParameters(user_mask_density=128, user_mask_feather=4.0)
    document = document_of(psd)
    assert document.notes == ("the feather of the mask of 'Kite' is kept, but not drawn",)
    assert (find(document, "Kite").mask.density, find(document, "Kite").mask.feather) == (pytest.approx(128 / 255), 4.0)
    assert difference(compose(document), rendered(psd)) <= 1.5


def test_the_switches_of_a_mask_are_kept_and_a_disabled_one_hides_nothing(psd, noise):
    layer = psd.create_pixel_layer(image(noise), "Kite")
    layer.create_mask(Image.new("L", SIZE, 0))
    layer.mask.disabled = layer.mask.flags.pos_relative_to_layer = layer.mask.flags.invert_mask = True
    document = document_of(psd)
    mask = find(document, "Kite").mask
    assert (mask.enabled, mask.linked, mask.inverted) == (False, False, True)
    assert compose(document)[..., 3].any()
    assert document.notes == ()


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


@pytest.mark.parametrize("mode", [BlendMode.NORMAL, BlendMode.PASS_THROUGH])
def test_a_masked_group_keeps_its_layers_and_its_mask(psd, noise, difference, mode):
    group = psd.create_group(name="Group", blend_mode=mode, opacity=128)
    group.create_pixel_layer(image(noise, 1), "a")
    group.create_pixel_layer(image(noise, 2), "b")
    group._bounding_channels = copy.deepcopy(group._channels)  # psd-tools shares one list between a new group's two records
    group.create_mask(Image.fromarray(noise(10, 12, 4)[..., 1]), top=0, left=0)
    psd._update_record()
    document = document_of(psd)
    assert names(document) == ("Group", "Group/b", "Group/a")
    assert (find(document, "Group").blend_mode, document.notes) == (blend_name(mode), ())
    assert np.array_equal(find(document, "Group").mask.values, noise(10, 12, 4)[..., 1])
    assert difference(compose(document), rendered(psd)) <= 1.5


@pytest.mark.parametrize(
    ("tag", "words"),
    [(Tag.TYPE_TOOL_INFO, "text"), (Tag.PLACED_LAYER1, "a smart object"), (Tag.SMART_OBJECT_LAYER_DATA1, "a smart object")],
)
def test_text_and_smart_objects_become_the_pixels_that_the_file_holds(psd, noise, tag, words):
    mark(psd.create_pixel_layer(image(noise), "Title", left=1), tag)
    document = document_of(psd)
    assert document.notes == (f"'Title' was {words} and is now pixels",)
    assert np.array_equal(document.layers[0].rgba, noise(SIZE[1], SIZE[0]))


def test_a_shape_with_pixels_is_not_cut_out_twice(psd):
    layer = psd.create_pixel_layer(soft((0, 200, 0)), "Shape")
    layer.create_mask(Image.fromarray(np.asarray(soft((0, 200, 0)))[..., 3]))
    layer.mask.flags.user_mask_from_render = True
    layer._record.flags.pixel_data_irrelevant = True
    mark(layer, Tag.VECTOR_ORIGINATION_DATA)
    document = document_of(psd)
    assert document.notes == ("'Shape' was a shape and is now pixels",)
    assert np.array_equal(compose(document)[..., 3], np.asarray(soft((0, 200, 0)))[..., 3])


def right_half():
    """A vector mask that shows the right half of the canvas."""
    corners = [(0.0, 0.5), (0.0, 1.0), (1.0, 1.0), (1.0, 0.5)]
    outline = ClosedPath([ClosedKnotLinked(corner, corner, corner) for corner in corners])
    return VectorMaskSetting(path=Path([PathFillRule(), InitialFillRule(0), outline]))


def test_a_vector_mask_cuts_the_layer_and_is_said(psd):
    layer = psd.create_pixel_layer(Image.new("RGBA", SIZE, (200, 0, 0, 255)), "Kite", opacity=102)
    psd.create_pixel_layer(Image.new("RGBA", SIZE, (0, 0, 200, 255)), "Shade", opacity=51).clipping = True
    mark(layer, Tag.VECTOR_MASK_SETTING1, right_half())
    document = document_of(psd)
    assert document.notes[0] == "the vector mask of 'Kite' was applied to its transparency"
    assert compose(document)[5, [1, 10]].tolist() == [[0, 0, 0, 0], [160, 0, 40, 102]]


def drawn_mask(layer, drawn, own=None, **parameters):
    """Give the layer a mask that Photoshop drew from its vector mask, and its own beside it."""
    layer.create_mask(Image.fromarray(drawn))
    data = layer.mask.data
    data.flags.user_mask_from_render = data.flags.parameters_applied = True
    data.background_color, data.parameters = 0, MaskParameters(**parameters)
    if own is not None:
        data.real_flags, data.real_background_color = MaskFlags(), 0
        data.real_top, data.real_left, data.real_bottom, data.real_right = 0, 0, *own.shape
        channel = ChannelData(Compression.RAW)
        channel.set_data(own.tobytes(), own.shape[1], own.shape[0], 8)
        layer._channels.append(channel)
        layer._record.channel_info.append(ChannelInfo(ChannelID.REAL_USER_LAYER_MASK, len(channel.data) + 2))


PATH, OWN = (np.full((10, 12), value, np.uint8) for value in (0, 128))
PATH[:, 6:] = 255
"""As pixels: a vector mask that shows the right half, and an own mask that shows half of everything."""


@pytest.mark.parametrize(
    ("own", "parameters", "expected"),
    [
        (None, {}, [0, 255]),
        (None, {"vector_mask_density": 51}, [204, 255]),
        (OWN, {}, [0, 128]),
        (OWN, {"vector_mask_density": 51}, [102, 128]),
        (OWN, {"vector_mask_density": 51, "user_mask_density": 51}, [184, 230]),
    ],
)
def test_the_drawing_that_photoshop_keeps_of_a_vector_mask_is_used_with_its_density(psd, own, parameters, expected):
    layer = psd.create_pixel_layer(Image.new("RGBA", SIZE, (200, 0, 0, 255)), "Kite")
    mark(layer, Tag.VECTOR_MASK_SETTING1, right_half())
    drawn_mask(layer, PATH if own is None else np.minimum(PATH, own), own, **parameters)
    document = document_of(psd)
    assert compose(document)[5, [1, 10], 3].tolist() == expected
    assert document.notes == ("the vector mask of 'Kite' is now a mask of pixels",)


def test_a_mask_that_is_said_to_be_drawn_of_nothing_is_the_layers_own(psd):
    layer = psd.create_pixel_layer(Image.new("RGBA", SIZE, (200, 0, 0, 255)), "Kite")
    drawn_mask(layer, PATH, user_mask_density=51)
    assert compose(document_of(psd))[5, [1, 10], 3].tolist() == [204, 255]


def test_a_disabled_vector_mask_leaves_the_layers_own(psd):
    layer = psd.create_pixel_layer(Image.new("RGBA", SIZE, (200, 0, 0, 255)), "Kite")
    outline = right_half()
    outline.flags = 4  # disabled
    mark(layer, Tag.VECTOR_MASK_SETTING1, outline)
    drawn_mask(layer, PATH, OWN)
    assert compose(document_of(psd))[5, [1, 10], 3].tolist() == [128, 128]


def test_a_shapes_own_mask_is_told_from_the_drawing_of_its_path(psd):
    layer = psd.create_pixel_layer(Image.fromarray(np.dstack([PATH] * 4)), "Shape")
    layer._record.flags.pixel_data_irrelevant = True
    mark(layer, Tag.VECTOR_MASK_SETTING1, right_half())
    mark(layer, Tag.VECTOR_ORIGINATION_DATA)
    drawn_mask(layer, np.minimum(PATH, OWN), OWN)
    document = document_of(psd)
    assert np.array_equal(find(document, "Shape").mask.values, OWN)
    assert compose(document)[5, [1, 10], 3].tolist() == [0, 128]


def test_a_base_that_does_not_blend_its_clipped_layers_as_a_group_is_read_so(psd, noise):
    psd.create_pixel_layer(image(noise), "base").tagged_blocks.set_data(Tag.BLEND_CLIPPING_ELEMENTS, 0)
    psd.create_pixel_layer(image(noise), "shade").clipping = True
    assert [layer.blends_clipped for layer in document_of(psd).layers] == [False, True]


def test_a_shape_that_has_only_its_outline_is_drawn(psd):
    layer = mark(psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "Shape"), Tag.VECTOR_MASK_SETTING1, right_half())
    layer._record.flags.pixel_data_irrelevant = True
    mark(layer, Tag.SOLID_COLOR_SHEET_SETTING, solid_colour(10, 200, 30))
    document = document_of(psd)
    assert document.notes == ("'Shape' was a shape and is now pixels",)
    assert compose(document)[5, [1, 10]].tolist() == [[0, 0, 0, 0], [10, 200, 30, 255]]


def solid_colour(red, green, blue):
    colour = Descriptor(classID=b"RGBC")
    for key, value in ((b"Rd  ", red), (b"Grn ", green), (b"Bl  ", blue)):
        colour[key] = Double(value)
    fill = DescriptorBlock(classID=b"null")
    fill[b"Clr "] = colour
    return fill


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


@pytest.mark.parametrize(("version", "width", "height"), [(1, 300_001, 5), (2, 5, 300_001)])
def test_300001_pixels_a_side_are_refused_from_the_header(version, width, height):
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, 4, height, width, 8, 3)
    with pytest.raises(TooLarge, match=f"big.psb is {width} x {height} pixels; at most 300,000 a side"):
        read_bytes(head + bytes(100), name_or_format="big.psb")


def test_a_canvas_that_no_memory_holds_is_refused():
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 4, 30_000, 30_000, 8, 3)
    with pytest.raises(TooLarge, match="900,000,000 in all; a canvas may have 536,870,912"):
        read_bytes(head + bytes(100), name_or_format="big.psd")


def test_masks_count_among_the_pixels_that_a_file_may_bring(psd, noise, monkeypatch):
    psd.create_pixel_layer(image(noise), "Kite").create_mask(Image.new("L", SIZE, 255))
    monkeypatch.setattr(limits, "MAX_LAYER_PIXELS", 200)
    with pytest.raises(TooLarge, match="the layers of a.psd have more than 200 pixels together"):
        document_of(psd)


@pytest.mark.parametrize("keep", [4, 20, 26, 40, 0.3])
def test_a_file_that_ends_before_its_layers_file_is_refused(noise, keep):
    whole = write_bytes(Document(20, 20, (Layer(noise(20, 20), name="Kite"),)), "psd")
    cut = whole[: keep if isinstance(keep, int) else int(len(whole) * keep)]
    with pytest.raises(UnreadableFile, match=r"cut.psd is not a readable PSD: "):
        read_bytes(cut, name_or_format="cut.psd")


def test_a_channel_that_cannot_be_decoded_is_an_error_and_not_black(psd, noise):
    layer = psd.create_pixel_layer(image(noise), "Kite", compression=2)  # ZIP
    layer._channels[1].data = bytes(20) + layer._channels[1].data[20:]
    with pytest.raises(UnreadableFile, match="no layer and no picture of it can be read; 'Kite' is damaged"):
        document_of(psd)


def test_a_damaged_mask_costs_the_mask_and_not_the_layer(psd, noise):
    layer = psd.create_pixel_layer(image(noise), "Kite")
    layer.create_mask(image(noise, 3).getchannel("R"))
    channel = layer._channels[-1]
    channel.compression, channel.data = Compression.ZIP, bytes(20)
    document = document_of(psd)
    assert np.array_equal(find(document, "Kite").rgba, noise(SIZE[1], SIZE[0]))
    assert "the mask of 'Kite' is damaged and was left out" in document.notes


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
