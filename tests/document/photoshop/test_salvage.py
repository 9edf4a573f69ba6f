"""One bad part costs one part: each test breaks one thing in a sound file, and expects everything else."""

import struct

import numpy as np
import pytest
from acetate.document import (
    Document,
    Group,
    Layer,
    UnreadableFile,
    compose,
    insert_into_bytes,
    names,
    outline,
    read_bytes,
    walk,
    write_bytes,
)

SIZE = (9, 7)


@pytest.fixture
def scene(noise):
    leaf = Layer(noise(4, 5, 3), 2, 1, "leaf", blend_mode="multiply")
    return Document(*SIZE, (Layer(noise(7, 9, 1), name="sky"), Group("trees", (leaf,)), Layer(noise(7, 9, 2), name="kite")))


@pytest.fixture(params=["psd", "psb"])
def whole(request, scene):
    return write_bytes(scene, request.param)


def read(data):
    return read_bytes(data, name_or_format="a.psd")


def same(found, scene, *, but=()):
    """Whether every layer of the scene is there, except those that are named."""
    kept = {node.name: node for node in walk(found.layers) if isinstance(node, Layer)}
    for node in walk(scene.layers):
        if isinstance(node, Layer) and node.name not in but:
            assert np.array_equal(kept[node.name].rgba, node.rgba), node.name
    assert not set(but) & set(kept)


def layers_at(data):
    """Where the section of the layers begins, and its length's format."""
    long = "Q" if data[5] == 2 else "I"
    (resources,) = struct.unpack_from(">I", data, 30)
    return 34 + resources, long


def end_of_layers(data):
    place, long = layers_at(data)
    return place + struct.calcsize(">" + long) + struct.unpack_from(">" + long, data, place)[0]


def test_an_unknown_blend_key_makes_one_layer_normal(whole, scene):
    found = read(whole.replace(b"8BIMmul ", b"8BIMBoEF"))
    same(found, scene)
    assert "'leaf' has the blend mode 'BoEF', which is not known; it is drawn as normal" in found.notes
    (leaf,) = found.layers[1].children
    assert leaf.blend_mode == "normal"


@pytest.mark.parametrize("kept", [-1, -5])
def test_a_merged_picture_that_was_cut_off_costs_no_layer(whole, scene, kept):
    found = read(whole[:kept])
    same(found, scene)
    assert found.notes == (f"{-kept} bytes of its merged picture are missing, so it was not used",)
    assert np.array_equal(compose(found), compose(scene))


@pytest.mark.parametrize("code", [b"", b"\0", b"\0\x09", b"\xff\xff\xff"])
def test_a_merged_picture_that_is_none_costs_no_layer(whole, scene, code):
    found = read(whole[: end_of_layers(whole)] + code)
    same(found, scene)
    assert found.notes[0].endswith("bytes of its merged picture are missing, so it was not used")


def test_a_file_that_was_cut_within_its_layers_has_those_before(whole, scene):
    found = read(whole[: end_of_layers(whole) - 10])
    same(found, scene, but=("kite",))
    assert "'kite' is damaged and was left out" in found.notes


def test_what_stands_behind_the_layers_may_be_anything(whole, scene):
    place, long = layers_at(whole)
    end = end_of_layers(whole)
    junk = struct.pack(">I", 0) + b"8BIMPatt" + b"\xff" * 9
    length = struct.pack(">" + long, end - place - struct.calcsize(">" + long) + len(junk))
    data = whole[:place] + length + whole[place + len(length) : end] + junk + whole[end:]
    same(read(data), scene)


def test_a_damaged_resource_costs_neither_layers_nor_the_other_resources(noise):
    scene = Document(*SIZE, (Layer(noise(7, 9), name="sky", parameters={"seed": 5}),))
    whole = write_bytes(scene, "psd")
    bad = b"8BIM" + struct.pack(">H2xI", 1064, 12) + bytes(12)  # a pixel aspect ratio of version 0
    bad += b"8BIM" + struct.pack(">H2xI", 1050, 8) + b"\xff" * 8  # slices of a version that there is not
    (length,) = struct.unpack_from(">I", whole, 30)
    found = read(whole[:30] + struct.pack(">I", length + len(bad)) + bad + whole[34:])
    same(found, scene)
    assert "some of what it says beside its layers is damaged and was left out" in found.notes
    assert found.layers[0].parameters == {"seed": 5}


def test_damage_in_what_a_layer_says_of_itself_costs_that_alone(whole, scene):
    found = read(whole.replace(b"8BIMlyid", b"8BIMlfx2", 1))
    same(found, scene)


def test_layers_that_cannot_be_told_apart_leave_the_merged_picture(whole, scene, difference):
    place, long = layers_at(whole)
    start = place + 2 * struct.calcsize(">" + long) + 2
    found = read(whole[:start] + b"\xff" * 90 + whole[start + 90 :])
    assert found.notes[0] == "its layers are damaged and were left out"
    assert names(found) == ("Background",)
    assert difference(compose(found), compose(scene)) <= 1


def test_a_damaged_file_is_listed_as_it_is_read(tmp_path, whole):
    (tmp_path / "a.psd").write_bytes(whole.replace(b"8BIMmul ", b"8BIMBoEF"))
    assert [entry.name for entry in outline(tmp_path / "a.psd").entries] == ["sky", "trees", "kite"]


def test_nothing_is_put_into_a_damaged_file(whole, noise):
    with pytest.raises(UnreadableFile, match="^a.psd is not a readable PSD: it is damaged$"):
        insert_into_bytes(whole.replace(b"8BIMmul ", b"8BIMBoEF"), Layer(noise(2, 2)), name="a.psd")


@pytest.mark.parametrize(
    ("place", "bytes_", "said"),
    [
        (4, b"\0\3", "its version is 3"),
        (12, b"\0\0", "its number of channels is 0"),
        (22, b"\0\0", "its number of bits per channel is 0"),
        (24, b"\0\5", "its colour mode is 5"),
    ],
)
def test_a_header_that_makes_no_sense_is_named_in_few_words(whole, place, bytes_, said):
    with pytest.raises(UnreadableFile, match=f"^a.psd is not a readable PSD: {said}, which none has$"):
        read(whole[:place] + bytes_ + whole[place + 2 :])
