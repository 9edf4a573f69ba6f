"""Krita's own files, made here as Krita writes them: tiles of 64 x 64, top layer first, a merged picture."""

import io
import zipfile

import numpy as np
import pytest
from acetate.document import Document, Layer, UnreadableFile, compose, flatten, read_bytes
from acetate.document.composition.colour import srgb_profile
from acetate.document.formats import png
from acetate.document.krita import lzf

WIDTH, HEIGHT = 100, 70


def packed_literally(data):
    """LZF without any copies."""
    return b"".join(bytes([len(part) - 1]) + part for part in (data[i : i + 32] for i in range(0, len(data), 32)))


def layer_data(rgba, *, x=0, y=0, raw=False):
    """The pixels as tiles, beginning at a corner of the tile grid."""
    height, width = rgba.shape[:2]
    tiles = []
    for top in range(0, height, 64):
        for left in range(0, width, 64):
            tile = np.zeros((64, 64, 4), np.uint8)
            part = rgba[top : top + 64, left : left + 64]
            tile[: part.shape[0], : part.shape[1]] = part
            planes = np.moveaxis(tile[..., [2, 1, 0, 3]], -1, 0).tobytes()
            stored = b"\0" + planes if raw else b"\1" + packed_literally(planes)
            tiles.append(f"{x + left},{y + top},LZF,{len(stored)}\n".encode() + stored)
    return f"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE 4\nDATA {len(tiles)}\n".encode() + b"".join(tiles)


def kra(layers, members, merged=None):
    file = io.BytesIO()
    main = (
        "<?xml version='1.0'?><!DOCTYPE DOC PUBLIC '-//KDE//DTD krita 2.0//EN' 'http://www.calligra.org/DTD/krita-2.0.dtd'>"
        f'<DOC xmlns="http://www.calligra.org/DTD/krita"><IMAGE name="art" width="{WIDTH}" height="{HEIGHT}" x-res="300" '
        f'y-res="300" colorspacename="RGBA"><layers>{layers}</layers></IMAGE></DOC>'
    )
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/x-krita")
        archive.writestr("maindoc.xml", main)
        for name, data in members.items():
            archive.writestr(f"art/layers/{name}", data)
        if merged is not None:
            archive.writestr("mergedimage.png", png.encode(merged))
    return file.getvalue()


def element(name, filename="", kind="paintlayer", inside="", **more):
    look = {"opacity": 255, "visible": 1, "x": 0, "y": 0, "compositeop": "normal", "colorspacename": "RGBA"} | more
    attributes = " ".join(f'{key}="{value}"' for key, value in look.items())
    return f'<layer name="{name}" filename="{filename}" nodetype="{kind}" {attributes}>{inside}</layer>'


def read(*arguments, **named):
    return read_bytes(kra(*arguments, **named), name_or_format="a.kra")


@pytest.fixture
def paper(noise):
    rgba = noise(HEIGHT, WIDTH, 1)
    rgba[..., 3] = 255
    return rgba


def test_paint_layers_and_groups_are_read_with_place_look_and_order(noise, paper):
    leaf = noise(20, 30, 2)
    inner = "<layers>" + element("leaf", "layer3", x=7, y=-3, opacity=128, compositeop="multiply", visible=0) + "</layers>"
    layers = element("trees", kind="grouplayer", inside=inner, passthrough=1, colorlabel=6) + element("paper", "layer2", locked=1)
    found = read(layers, {"layer2": layer_data(paper), "layer3": layer_data(leaf, x=64, raw=True), "layer2.icc": srgb_profile()})
    bottom, group = found.layers
    (kept,) = group.children
    assert (bottom.name, group.name, kept.name) == ("paper", "trees", "leaf")
    assert (group.blend_mode, group.label, bottom.locks) == ("pass-through", "red", frozenset({"all"}))
    assert (kept.x, kept.y, kept.opacity, kept.blend_mode, kept.visible) == (71, -3, 128 / 255, "multiply", False)
    assert np.array_equal(kept.rgba[:20, :30], leaf) and not kept.rgba[20:, :, 3].any()
    assert np.array_equal(bottom.rgba[:HEIGHT, :WIDTH], paper)
    assert (found.width, found.height, found.metadata.resolution) == (WIDTH, HEIGHT, (300.0, 300.0))
    assert found.notes == ("it has no merged picture",)


def test_what_is_not_plain_is_named_and_the_merged_picture_is_what_it_looks_like(paper):
    shown = paper[:, ::-1].copy()
    mask = '<masks><mask nodetype="transparencymask"/></masks>'
    layers = element("blur", kind="adjustmentlayer") + element("paper", "layer2", inside=mask, channelflags="1110")
    found = read(layers, {"layer2": layer_data(paper)}, shown)
    assert found.notes[:3] == (
        "'paper' inherits alpha or leaves out channels, which is not kept",
        "'paper' has a transparency mask, which is not read",
        "'blur' is a filter layer, which is not read, and was left out",
    )
    assert np.array_equal(flatten(found), shown)


def test_a_transparency_mask_is_a_mask(paper):
    values = np.zeros((64, 64), np.uint8)
    values[:10, :20] = 128
    stored = b"\1" + packed_literally(values.tobytes())
    data = b"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE 1\nDATA 1\n" + f"0,0,LZF,{len(stored)}\n".encode() + stored
    mask = '<masks><mask nodetype="transparencymask" filename="mask3" x="5" y="2"/></masks>'
    members = {"layer2": layer_data(paper), "mask3.pixelselection": data, "mask3.pixelselection.defaultpixel": b"\xff"}
    found = read(element("paper", "layer2", inside=mask), members)
    kept = found.layers[0].mask
    assert (kept.x, kept.y, kept.outside, kept.enabled) == (5, 2, 255, True)
    assert np.array_equal(kept.values, values)
    assert found.notes == ("it has no merged picture",)


def test_a_layer_filled_with_one_colour_has_it_on_the_whole_canvas():
    empty = b"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE 4\nDATA 0\n"
    found = read(element("Background", "layer1"), {"layer1": empty, "layer1.defaultpixel": b"\x03\x02\x01\xff"})
    assert np.array_equal(compose(found), np.full((HEIGHT, WIDTH, 4), (1, 2, 3, 255), np.uint8))


def test_16_bits_stay_16_bits():
    plane = np.zeros((8, 64 * 64), np.uint8)
    plane[1::2] = [[10], [20], [30], [255]]
    plane[6] = 255
    stored = b"\0" + plane.tobytes()
    data = b"VERSION 2\nTILEWIDTH 64\nTILEHEIGHT 64\nPIXELSIZE 8\nDATA 1\n" + f"0,0,LZF,{len(stored)}\n".encode() + stored
    found = read(element("deep", "layer1", colorspacename="RGBA16"), {"layer1": data})
    assert found.layers[0].rgba[0, 0].tolist() == [30 << 8, 20 << 8, 10 << 8, 65535]
    assert not any("16 bits" in note for note in found.notes)


def test_one_damaged_layer_costs_one_layer(paper):
    layers = element("torn", "layer3") + element("lost", "layer9") + element("paper", "layer2")
    found = read(layers, {"layer2": layer_data(paper), "layer3": layer_data(paper)[:-50]})
    assert [node.name for node in found.layers] == ["paper"]
    assert found.notes[:2] == ("'lost' is damaged and was left out", "'torn' is damaged and was left out")


def test_without_any_plain_layer_the_merged_picture_is_the_document(paper):
    found = read(element("shape", kind="shapelayer"), {}, paper)
    assert [node.name for node in found.layers] == ["Background"] and np.array_equal(compose(found), paper)
    with pytest.raises(UnreadableFile, match="a.kra has no layer that can be read: 'shape' is a vector layer"):
        read(element("shape", kind="shapelayer"), {})


def test_tiles_far_away_are_refused_before_they_take_memory(paper):
    data = layer_data(paper[:4, :4], x=-(2**30)) + b"0,0,LZF,1\n\0"
    with pytest.raises(Exception, match=r"a\.kra"):
        read(element("far", "layer2"), {"layer2": data.replace(b"DATA 1\n", b"DATA 2\n")})


@pytest.mark.parametrize(
    ("packed", "plain"),
    [
        (b"\x02abc", b"abc"),
        (b"\x00a\x20\x00", b"aaaa"),  # a copy of what it is about to write
        (b"\x02abc\x40\x02", b"abcabca"),
        (b"\x00a\xe0\x01\x00", b"a" * 11),  # a long copy
    ],
)
def test_packed_bytes_are_unpacked(packed, plain):
    assert lzf.unpacked(packed, len(plain)) == plain


@pytest.mark.parametrize("packed", [b"\x20\x05", b"\x00a\x20", b"\x05ab"])
def test_what_is_no_packed_data_is_an_error(packed):
    with pytest.raises(ValueError, match="its packed pixels"):
        lzf.unpacked(packed, 6)


def test_a_layer_of_the_document_value_is_what_comes_out(paper):
    found = read(element("paper", "layer2"), {"layer2": layer_data(paper)}, paper)
    assert isinstance(found, Document) and isinstance(found.layers[0], Layer) and found.notes == ()
