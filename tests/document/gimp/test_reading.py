"""GIMP's own files, as GIMP 3.0.4 saved them, and damaged ones."""

import struct

import numpy as np
import pytest
from acetate.document import (
    Layer,
    UnreadableFile,
    UnsupportedFile,
    compose,
    find,
    insert_into_bytes,
    names,
    read,
    read_bytes,
)

LINEAR = "GIMP may mix its layers in linear light, which is not kept: soft edges may look different"


def test_layers_groups_and_masks_are_those_that_gimp_saved(golden):
    """The same document as PSD and as GIMP's own file."""
    document, as_psd = read(golden / "gimp.xcf"), read(golden / "gimp.psd")
    assert names(document) == names(as_psd)
    assert document.notes == (LINEAR,)
    assert np.array_equal(find(document, "masked").mask.values, find(as_psd, "masked").mask.values)
    assert np.array_equal(compose(document), compose(as_psd))
    for name in names(as_psd):
        found, expected = (find(one, name) for one in (document, as_psd))
        assert (found.blend_mode, found.visible, found.box) == (expected.blend_mode, expected.visible, expected.box)
        assert found.opacity == pytest.approx(expected.opacity, abs=1e-6)


def test_16_bits_stay_16_bits(golden):
    document, small = read(golden / "gimp-16.xcf"), read(golden / "gimp.xcf")
    assert document.depth == 16
    assert np.abs(compose(document) / 257 - compose(small)).max() <= 1


def test_the_resolution_is_kept(golden):
    assert read(golden / "gimp.xcf").metadata.resolution == (300.0, 300.0)


def test_a_damaged_layer_costs_one_layer(golden):
    data = (golden / "gimp.xcf").read_bytes()
    document = read_bytes(data[: len(data) // 2], name_or_format="a.xcf")
    assert "a layer is damaged and was left out" in document.notes
    assert 0 < len(document.layers) < 5


def test_a_file_that_ends_in_its_list_is_refused(golden):
    with pytest.raises(UnreadableFile, match=r"a\.xcf is not a readable GIMP image"):
        read_bytes((golden / "gimp.xcf").read_bytes()[:100], name_or_format="a.xcf")


def test_linear_and_floating_point_images_are_refused_with_a_way_out(golden):
    data = bytearray((golden / "gimp.xcf").read_bytes())
    data[26:30] = struct.pack(">I", 650)
    with pytest.raises(UnsupportedFile, match="linear light or floating-point") as refusal:
        read_bytes(bytes(data), name_or_format="a.xcf")
    assert refusal.value.hint.startswith("In GIMP: Image > Precision")


def test_nothing_is_inserted_into_gimps_file_and_it_says_what_to_do(golden, noise):
    with pytest.raises(UnsupportedFile, match=r"a\.xcf is a GIMP image; no layer can be added to one"):
        insert_into_bytes((golden / "gimp.xcf").read_bytes(), Layer(noise(2, 2)), name="a.xcf")
