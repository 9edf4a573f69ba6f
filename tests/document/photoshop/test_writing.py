import io

import numpy as np
import pytest
from acetate.document import (
    Document,
    Group,
    Layer,
    Mask,
    TooLarge,
    UnwritableFile,
    compose,
    losses,
    write_bytes,
)
from acetate.document.composition.colour import srgb_profile
from acetate.document.formats import limits
from psd_tools import PSDImage
from psd_tools.constants import BlendMode, Compression, Resource, Tag


def psd_of(document):
    return PSDImage.open(io.BytesIO(write_bytes(document, "psd")))


def saved(psd):
    file = io.BytesIO()
    psd.save(file)
    return file.getvalue()


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


def test_every_layer_and_both_ends_of_a_group_have_an_id_of_their_own(noise):
    psd = psd_of(Document(4, 4, (Layer(noise(4, 4)), Group("g", (Layer(noise(4, 4)), Layer(noise(4, 4)))))))
    ids = [record.tagged_blocks.get_data(Tag.LAYER_ID) for record, _ in psd._record._iter_layers()]
    assert sorted(map(int, ids)) == [1, 2, 3, 4, 5]


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


def test_a_layer_beyond_the_formats_coordinates_is_refused():
    with pytest.raises(UnwritableFile, match="layer 'far' lies at 4294967296, 0"):
        write_bytes(Document(4, 4, (Layer(np.zeros((1, 1, 4), np.uint8), 2**32, name="far"),)), "psd")


def test_the_opacity_of_a_group_is_named_as_what_krita_ignores():
    assert losses(Document(1, 1, (Group("g", opacity=0.5),)), "psd") == (
        "Krita ignores the opacity of a group in a PSD: 'g' has 50%",
    )


def test_another_reader_finds_masks_on_layers_and_groups_with_all_that_they_are(noise):
    values = noise(3, 4)[..., 0]
    mask = Mask(values, 2, -1, 0, density=0.2, feather=1.5, linked=False, enabled=False)
    psd = psd_of(Document(6, 5, (Group("g", (Layer(noise(4, 4), name="a", mask=Mask(values)),), mask=mask),)))
    group, inner = psd[0], psd[0][0]
    assert np.array_equal(np.asarray(group.mask.topil()), values)
    assert (group.mask.bbox, group.mask.background_color, group.mask.disabled) == ((2, -1, 6, 2), 0, True)
    assert (group.mask.parameters.user_mask_density, group.mask.parameters.user_mask_feather) == (51, 1.5)
    assert (group.mask.flags.pos_relative_to_layer, inner.mask.flags.pos_relative_to_layer) == (True, False)
    assert (inner.mask.bbox, inner.mask.parameters) == ((0, 0, 4, 3), None)


def test_another_reader_finds_clipped_layers_and_groups(noise):
    base = Layer(noise(4, 4), name="base", blends_clipped=False)
    above = (Layer(noise(4, 4), name="shade", clipped=True), Group("g", (Layer(noise(2, 2)),), clipped=True))
    psd = psd_of(Document(4, 4, (base, *above)))
    assert [layer._record.clipping for layer in psd] == [0, 1, 1]
    assert psd[0].tagged_blocks.get_data(Tag.BLEND_CLIPPING_ELEMENTS) == 0


def test_masks_count_among_the_pixels_that_a_file_may_have(noise, monkeypatch):
    monkeypatch.setattr(limits, "MAX_LAYER_PIXELS", 100)
    with pytest.raises(TooLarge, match="more than 100 pixels together"):
        write_bytes(Document(4, 4, (Layer(noise(4, 4), mask=Mask(np.zeros((10, 10), np.uint8))),)), "psd")
