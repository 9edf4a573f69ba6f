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
from acetate.document.metadata import Guide

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


LISTS = 80
"""Bytes of the golden file's lists: seven layers, no channels and no paths, an end behind each. The first layer follows them."""


def with_lists(data, *lists):
    """GIMP's file with other lists of layers, channels and paths."""
    packed = b"".join(struct.pack(f">{len(one) + 1}Q", *one, 0) for one in lists)
    start = data.index(b"hidden\0") - 16 - LISTS
    return data[:start] + packed + data[start + len(packed) :]


def record(width, height, kind, name, properties, *pointers):
    """A layer or channel of the file: what it is called and says, and where the rest of it lies."""
    said = b"".join(struct.pack(">2I", key, len(value)) + value for key, value in properties.items())
    numbers = (width, height) if kind is None else (width, height, kind)
    text = name.encode() + b"\0"
    return (
        struct.pack(f">{len(numbers)}I", *numbers)
        + struct.pack(">I", len(text))
        + text
        + said
        + struct.pack(f">Q{len(pointers)}Q", 0, *pointers)
    )


def test_effects_texts_selections_and_paths_are_named(golden):
    data = (golden / "gimp.xcf").read_bytes()
    paper, end = data.index(b"paper\0") - 16, len(data)
    text = struct.pack(">I", 16) + b"gimp-text-layer\0" + struct.pack(">2I", 1, 0)
    pixels = next(place for place in range(paper, end) if data[place - 24 : place - 16] == struct.pack(">Q", place))
    layer = record(48, 32, 1, "words", {21: text, 34: bytes([0, 0, 0, 6]), 32: bytes([0, 0, 0, 1])}, pixels, 0, 77, 78, 0)
    selected, saved = (record(48, 32, None, "mask", said) for said in ({4: b""}, {}))
    places = [end, end + len(layer), end + len(layer) + len(selected)]
    changed = with_lists(data, (places[0], paper), places[1:], (99,)) + layer + selected + saved
    document = read_bytes(changed, name_or_format="a.xcf")
    assert names(document) == ("words", "paper")
    assert document.notes == (
        "saved selections were left out: 1",
        "its paths were left out",
        "the layer effects of 'words' were left out: 2",
        "'words' was text and is now pixels",
        LINEAR,
    )
    assert (document.layers[1].label, document.layers[1].locks) == ("red", {"position"})


def test_guides_are_kept(golden):
    """In the place of two properties that mean nothing here."""
    data = (golden / "gimp.xcf").read_bytes()
    place = data.index(struct.pack(">2I", 20, 4))
    guide = struct.pack(">2IiB", 18, 5, 12, 2) + struct.pack(">2I", 99, 3) + bytes(3)
    document = read_bytes(data[:place] + guide + data[place + len(guide) :], name_or_format="a.xcf")
    assert document.metadata.guides == (Guide("vertical", 12.0),)


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
