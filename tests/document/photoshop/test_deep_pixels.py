"""PSDs of 16 and 32 bits: 1024 levels go in, and 1024 come out."""

import io
import struct

import numpy as np
import pytest
from acetate.document import (
    Document,
    Group,
    Layer,
    compose,
    flatten,
    insert_into_bytes,
    insert_into_file,
    read_bytes,
    write_bytes,
)
from acetate.document.composition.colour import srgb_profile
from acetate.document.composition.rgb_space import space_of, srgb
from acetate.document.photoshop import deep_pixels
from acetate.raster import to_8_bits, to_16_bits
from psd_tools import PSDImage
from psd_tools.constants import Resource, Tag
from psd_tools.psd.image_resources import ImageResource

LINEAR = struct.pack(">4s4xI", b"curv", 0)


def ramp(alpha=65535):
    rgba = np.full((4, 1024, 4), alpha, np.uint16)
    rgba[..., :3] = np.linspace(0, 65535, 1024).round()[None, :, None]
    return rgba


def written(document):
    return PSDImage.open(io.BytesIO(write_bytes(document, "psd")))


def samples(psd):
    """What psd-tools finds, as 16-bit numbers."""
    return np.rint(psd.numpy() * 65535)


def read_back(psd):
    """The file as our reader finds it, without a merged picture."""
    psd.image_resources.get_data(Resource.VERSION_INFO).has_composite = False
    file = io.BytesIO()
    psd._record.write(file)
    return read_bytes(file.getvalue(), name_or_format="a.psd")


def of_light(values, icc=None):
    """A file of 32 bits with one layer of these numbers, `(H, W, C)`."""
    psd = PSDImage.new("RGB", (values.shape[1], values.shape[0]), depth=32)
    psd.create_pixel_layer_from_array(values.astype(np.float32), "light")
    return tagged(psd, icc)


def tagged(psd, icc):
    if icc is not None:
        psd.image_resources[Resource.ICC_PROFILE] = ImageResource(key=Resource.ICC_PROFILE, data=icc)
    return psd


@pytest.mark.parametrize("alpha", [65535, 20001])
def test_a_written_document_comes_back_level_for_level(alpha):
    document = Document(1024, 4, (Group("g", (Layer(ramp(alpha), -3, 1, "ramp", opacity=0.4),), opacity=0.6),))
    back = read_bytes(write_bytes(document, "psd"), name_or_format="a.psd")
    assert (back.depth, back.notes) == (16, ())
    assert np.array_equal(back.layers[0].children[0].rgba, ramp(alpha))
    assert (back.layers[0].children[0].x, back.layers[0].children[0].y) == (-3, 1)


def test_a_flat_layer_beside_a_deep_one_gets_its_depth(noise):
    document = Document(1024, 4, (Layer(noise(4, 6), name="flat"), Layer(ramp(), name="deep")))
    back = read_bytes(write_bytes(document, "psd"), name_or_format="a.psd")
    assert np.array_equal(back.layers[0].rgba, to_16_bits(noise(4, 6)))


def test_the_merged_picture_has_all_levels_and_its_transparency():
    psd = written(Document(1024, 4, (Layer(ramp(), name="ramp"),)))
    assert (psd.depth, psd.channels, psd.topil().mode) == (16, 4, "RGBA")
    assert np.array_equal(samples(psd), ramp())


def test_the_layers_stand_where_photoshop_keeps_deep_ones():
    blocks = written(Document(1024, 4, (Layer(ramp()),)))._record.layer_and_mask_information.tagged_blocks
    assert list(blocks) == [Tag.SAVING_MERGED_TRANSPARENCY16, Tag.LAYER_16]


def test_psd_tools_finds_every_level_of_a_layer():
    assert np.array_equal(samples(written(Document(1024, 4, (Layer(ramp(30000), name="ramp"),)))[0]), ramp(30000))


def test_a_deep_file_without_layers_is_its_merged_picture_in_its_depth():
    psd = written(Document(1024, 4, (Layer(ramp(40000)),)))
    blocks = psd._record.layer_and_mask_information.tagged_blocks
    del blocks[Tag.LAYER_16]
    file = io.BytesIO()
    psd._record.write(file)
    (layer,) = read_bytes(file.getvalue(), name_or_format="a.psd").layers
    assert layer.name == "Background"
    assert (layer.rgba[..., 3] == 40000).all()
    assert np.abs(layer.rgba[..., :3].astype(int) - ramp()[..., :3]).max() <= 2


def test_an_inserted_layer_keeps_its_levels_in_a_deep_file_and_in_its_picture():
    flipped = np.ascontiguousarray(ramp()[:, ::-1])
    data = insert_into_bytes(write_bytes(Document(1024, 4, (Layer(ramp(), name="ramp"),)), "psd"), Layer(flipped), name="a.psd")
    assert np.array_equal(read_bytes(data, name_or_format="a.psd").layers[1].rgba, flipped)
    assert np.array_equal(samples(PSDImage.open(io.BytesIO(data))), flipped)


def test_a_layer_inserted_below_another_shows_through_in_all_levels():
    veil, flipped = Layer(ramp(30000), name="veil"), np.ascontiguousarray(ramp()[:, ::-1])
    data = insert_into_bytes(write_bytes(Document(1024, 4, (veil,)), "psd"), Layer(flipped), name="a.psd", below="veil")
    expected = compose(Document(1024, 4, (Layer(flipped), veil)))
    assert np.abs(samples(PSDImage.open(io.BytesIO(data))) - expected).max() <= 1


def test_light_becomes_16_bits_by_the_curve_of_srgb_and_that_is_said():
    light = np.linspace(0, 1, 1024)
    document = read_back(of_light(np.stack([light, light, light, np.full(1024, 0.25)], axis=-1)[None]))
    found = document.layers[0].rgba[0]
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 65535
    assert np.abs(found[:, 0] - expected).max() <= 2
    assert len(np.unique(found[:, 0])) == 1024
    assert (found[:, 3] == 16384).all()
    assert document.notes == ("32 bits per channel became 16: linear light, by the curve of sRGB",)


def test_what_is_brighter_than_white_is_cut_and_its_share_is_said():
    document = read_back(of_light(np.array([[[0.5] * 3, [3.0] * 3, [1.0] * 3, [9.0] * 3]])))
    assert document.layers[0].rgba[0, 1:, 0].tolist() == [65535, 65535, 65535]
    assert document.notes[1] == "about 50 % of 'light' was brighter than white or outside sRGB, and was cut"


def test_light_has_the_primaries_of_its_profile(profile):
    icc = profile(curve=LINEAR)
    document = read_back(of_light(np.array([[[0.2, 0.5, 0.3]]]), icc))
    expected = space_of(icc).converted(np.float32([0.2, 0.5, 0.3])[:, None, None], srgb())[:, 0, 0] * 65535
    assert np.abs(document.layers[0].rgba[0, 0, :3] - expected).max() <= 2


def test_light_is_mixed_as_light():
    psd = of_light(np.zeros((1, 1, 3)))
    psd.create_pixel_layer_from_array(np.array([[[1, 1, 1, 0.5]]], np.float32), "half")
    assert compose(read_back(psd))[0, 0, 0] == pytest.approx(0.7354 * 65535, abs=20)


def test_a_document_in_another_rgb_profile_is_blended_in_it(profile):
    psd = tagged(PSDImage.new("RGB", (1, 1)), profile())
    psd.create_pixel_layer_from_array(np.array([[[110, 150, 120]]], np.uint8), "green")
    psd.create_pixel_layer_from_array(np.array([[[150, 110, 120, 128]]], np.uint8), "red")
    stored = np.float32([110, 150, 120]) * (127 / 255) + np.float32([150, 110, 120]) * (128 / 255)
    expected = space_of(profile()).converted(stored[:, None, None] / np.float32(255), srgb())[:, 0, 0] * 255
    assert np.abs(flatten(read_back(psd))[0, 0, :3] - expected).max() <= 1


def test_a_deep_layer_in_a_file_of_8_bits_is_reduced_and_that_is_said(tmp_path, noise):
    path = tmp_path / "a.psd"
    path.write_bytes(write_bytes(Document(1024, 4, (Layer(noise(4, 1024)),)), "psd"))
    notes = insert_into_file(path, Layer(ramp(), name="new"))
    assert notes == ("a.psd has 8 bits per channel, to which the 16 of the new layer were reduced",)
    assert np.array_equal(read_bytes(path.read_bytes(), name_or_format="a.psd").layers[1].rgba, to_8_bits(ramp()))


def test_a_tall_picture_is_converted_piece_by_piece_without_a_seam(monkeypatch):
    monkeypatch.setattr(deep_pixels, "ROWS", 3)
    light = np.random.default_rng(0).random((10, 6, 4))
    whole = read_back(of_light(light)).layers[0].rgba
    monkeypatch.setattr(deep_pixels, "ROWS", 100)
    assert np.array_equal(whole, read_back(of_light(light)).layers[0].rgba)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_profile_that_nothing_can_be_computed_with_is_passed_over_and_said(depth):
    psd = tagged(PSDImage.new("RGB", (1, 1), depth=depth), srgb_profile().replace(b"para", b"????"))
    psd.create_pixel_layer_from_array(np.array([[[10, 20, 30]]], np.uint8), "Kite")
    document = read_back(psd)
    assert to_8_bits(document.layers[0].rgba)[0, 0].tolist() == [10, 20, 30, 255]
    assert document.notes[0] == "the embedded colour profile could not be used; colours were taken as sRGB"
