"""The short way to the pixels of a plain file, held against psd-tools' own."""

import io

import numpy as np
import pytest
from acetate.document import Document, Layer, write_bytes
from acetate.document.photoshop.plain_pixels import forget, is_plain, of_layer, of_merged_picture
from PIL import Image
from psd_tools import PSDImage
from psd_tools.constants import Resource
from psd_tools.psd.image_resources import ImageResource


@pytest.fixture
def opened(noise):
    return PSDImage.open(io.BytesIO(write_bytes(Document(300, 20, (Layer(noise(20, 300), name="Kite"),)), "psd")))


def test_a_layer_is_what_psd_tools_makes_of_it(opened, noise):
    assert np.array_equal(of_layer(opened[0]), noise(20, 300))
    assert np.array_equal(of_layer(opened[0]), np.asarray(opened[0].topil(apply_icc=False)))


def test_a_layer_without_alpha_is_opaque(psd):
    layer = psd.create_pixel_layer(Image.new("RGB", (2, 2), (1, 2, 3)), "Kite")
    assert of_layer(layer)[0, 0].tolist() == [1, 2, 3, 255]


def test_a_layer_without_colour_is_left_to_others(psd):
    layer = psd.create_pixel_layer(Image.new("RGB", (2, 2)), "Kite")
    forget(layer)
    assert of_layer(layer) is None


def test_white_is_taken_out_of_the_merged_picture_as_psd_tools_does(opened, difference):
    assert difference(of_merged_picture(opened), np.asarray(opened.topil(apply_icc=False))) <= 1


def test_another_profile_than_srgb_is_not_plain(opened, profile):
    assert is_plain(opened)
    opened.image_resources[Resource.ICC_PROFILE] = ImageResource(key=Resource.ICC_PROFILE, data=profile())
    assert not is_plain(opened)
