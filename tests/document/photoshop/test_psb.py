"""PSB: the same file with longer numbers, written when asked for and where a PSD ends."""

import io
import struct

import numpy as np
import pytest
from acetate.document import (
    Document,
    Group,
    Layer,
    TooLarge,
    compose,
    insert_into_file,
    outline,
    read,
    read_bytes,
    write,
    write_bytes,
)
from acetate.document.photoshop import writing


@pytest.fixture
def scene(noise):
    inner = Group("inner", (Layer(noise(5, 6, 2), -2, 3, "leaf", opacity=0.4),), blend_mode="multiply")
    return Document(12, 10, (Layer(noise(10, 12), name="sky", parameters={"seed": 3}), inner))


def test_a_psb_has_what_a_psd_has(tmp_path, scene, imagemagick, difference):
    assert write(scene, tmp_path / "a.psb") == ()
    assert (tmp_path / "a.psb").read_bytes()[4:6] == b"\0\2"
    found = read(tmp_path / "a.psb")
    assert np.array_equal(compose(found), compose(scene))
    (sky, inner), (leaf,) = found.layers, found.layers[1].children
    assert (sky.parameters, inner.blend_mode, leaf.name, leaf.x, leaf.y) == ({"seed": 3}, "multiply", "leaf", -2, 3)
    assert np.array_equal(leaf.rgba, scene.layers[1].children[0].rgba)
    assert [entry.name for entry in outline(tmp_path / "a.psb").entries] == ["sky", "inner"]
    assert difference(imagemagick(f"{tmp_path / 'a.psb'}[0]"), compose(scene)) <= 1


def test_a_layer_goes_into_a_psb_and_leaves_it_one(tmp_path, scene, noise):
    write(scene, tmp_path / "a.psb")
    insert_into_file(tmp_path / "a.psb", Layer(noise(4, 4), 1, 1, "kite"), below="inner")
    assert (tmp_path / "a.psb").read_bytes()[4:6] == b"\0\2"
    assert [node.name for node in read(tmp_path / "a.psb").layers] == ["sky", "kite", "inner"]


def test_a_document_of_more_than_30000_pixels_becomes_a_psb_and_is_read_again(tmp_path):
    rgba = np.zeros((2, 30_001, 4), np.uint8)
    rgba[1, 30_000] = (1, 2, 3, 255)
    (note,) = write(Document(30_001, 2, (Layer(rgba, name="long"),)), tmp_path / "long.psd")
    assert note.startswith("it is over 30,000 pixels a side, so it was written in the form of a PSB")
    assert (tmp_path / "long.psd").read_bytes()[4:6] == b"\0\2"
    assert np.array_equal(read(tmp_path / "long.psd").layers[0].rgba, rgba)
    assert write(Document(30_001, 2), tmp_path / "long.psb") == ()


def test_a_layer_of_more_than_30000_pixels_makes_it_a_psb_too():
    data = write_bytes(Document(4, 4, (Layer(np.zeros((30_001, 1, 4), np.uint8), name="long"),)), "psd")
    assert data[4:6] == b"\0\2" and read_bytes(data, name_or_format="long.psd").layers[0].box.height == 30_001


def test_a_document_that_is_longer_than_a_psd_may_be_becomes_a_psb(monkeypatch, scene):
    monkeypatch.setattr(writing, "MAX_PSD_BYTES", 1000)
    file = io.BytesIO()
    (note,) = writing.write(scene, file)
    assert "it is of more than 1,000 bytes" in note
    assert np.array_equal(compose(read_bytes(file.getvalue(), name_or_format="a.psd")), compose(scene))


def test_a_flat_picture_stored_as_psb_is_its_merged_picture():
    """What Photoshop writes for a large scan: no layers at all."""
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 2, 3, 2, 40_000, 8, 3)
    data = head + struct.pack(">IIQH", 0, 0, 0, 0) + np.arange(3 * 2 * 40_000, dtype=np.uint32).astype(np.uint8).tobytes()
    (layer,) = read_bytes(data, name_or_format="scan.psb").layers
    assert layer.rgba.shape == (2, 40_000, 4) and layer.rgba[1, 2].tolist() == [66, 194, 66, 255]


def test_more_than_300000_pixels_a_side_are_refused():
    with pytest.raises(TooLarge, match="300001 x 1 pixels; at most 300,000 a side"):
        write_bytes(Document(300_001, 1), "psb")
    with pytest.raises(TooLarge, match="layer 'long' is 1 x 300001 pixels; a PSB takes at most 300,000"):
        write_bytes(Document(4, 4, (Layer(np.zeros((300_001, 1, 4), np.uint8), name="long"),)), "psd")
