"""Masks as they stand in the files of Photoshop, of pixels and of paths."""

import copy

import numpy as np
import pytest
from acetate.document import (
    compose,
    find,
    names,
)
from acetate.document.photoshop.looks.descriptors import blend_name
from PIL import Image
from psd_tools.constants import BlendMode, ChannelID, Compression, Tag
from psd_tools.psd.layer_and_mask import ChannelData, ChannelInfo, MaskFlags, MaskParameters
from psd_tools.psd.vector import ClosedKnotLinked, ClosedPath, InitialFillRule, Path, PathFillRule, VectorMaskSetting

from tests.document.photoshop.made import SIZE, document_of, image, mark, rendered, soft, solid_colour


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


def test_a_shape_that_has_only_its_outline_is_drawn(psd):
    layer = mark(psd.create_pixel_layer(Image.new("RGBA", (0, 0)), "Shape"), Tag.VECTOR_MASK_SETTING1, right_half())
    layer._record.flags.pixel_data_irrelevant = True
    mark(layer, Tag.SOLID_COLOR_SHEET_SETTING, solid_colour(10, 200, 30))
    document = document_of(psd)
    assert document.notes == ("'Shape' was a shape and is now pixels",)
    assert compose(document)[5, [1, 10]].tolist() == [[0, 0, 0, 0], [10, 200, 30, 255]]


def test_a_damaged_mask_costs_the_mask_and_not_the_layer(psd, noise):
    layer = psd.create_pixel_layer(image(noise), "Kite")
    layer.create_mask(image(noise, 3).getchannel("R"))
    channel = layer._channels[-1]
    channel.compression, channel.data = Compression.ZIP, bytes(20)
    document = document_of(psd)
    assert np.array_equal(find(document, "Kite").rgba, noise(SIZE[1], SIZE[0]))
    assert "the mask of 'Kite' is damaged and was left out" in document.notes
