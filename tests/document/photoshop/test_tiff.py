"""Layers inside a TIFF: files that psdtags wrote in both byte orders, and those of a PSD put into one."""

import io
import struct

import numpy as np
import pytest
from acetate.document import (
    Document,
    Group,
    Layer,
    Mask,
    UnsupportedFile,
    compose,
    find,
    insert_into_bytes,
    names,
    outline,
    read,
    read_bytes,
    read_image,
    write_bytes,
)
from acetate.document.photoshop.byte_order import SHAPES, TITLE, _blocks, _Source
from PIL import Image

SIZE = (12, 10)


def tiff(layers, picture, resources=b""):
    """An uncompressed TIFF of Motorola's byte order, of an opaque RGB picture, that has the layers in its tag."""
    height, width = picture.shape[:2]
    pixels, bits = picture.tobytes(), struct.pack(">3H", 8, 8, 8)
    long = [bits, pixels, resources, layers]
    starts = np.cumsum([8, *map(len, long)]).tolist()
    rows = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, starts[0]), (259, 3, 1, 1 << 16), (262, 3, 1, 2 << 16),
        (273, 4, 1, starts[1]), (277, 3, 1, 3 << 16), (278, 4, 1, height), (279, 4, 1, len(pixels)),
        (34377, 1, len(resources), starts[2]), (37724, 7, len(layers), starts[3]),
    ]  # fmt: skip
    table = struct.pack(">H", len(rows)) + b"".join(struct.pack(">HHII", *row) for row in rows) + bytes(4)
    return b"MM\0*" + struct.pack(">I", starts[-1]) + b"".join(long) + table


def put_into_a_tiff(document):
    """The layers of a document as a PSD has them, in a TIFF that shows what they look like."""
    psd = io.BytesIO(write_bytes(document, "psd"))
    psd.seek(26)
    for _ in range(2):
        psd.seek(*struct.unpack(">I", psd.read(4)), 1)
    _, length = struct.unpack(">II", psd.read(8))
    layers = psd.read(length)
    return tiff(TITLE + b"8BIMLayr" + struct.pack(">I", length) + layers, compose(document)[..., :3])


def scene(noise):
    paper = Layer(np.full((10, 12, 4), (200, 100, 0, 255), np.uint8), name="paper")
    kite = Layer(noise(5, 6), 3, -1, "Drache 凧", opacity=128 / 255, blend_mode="multiply", mask=Mask(noise(4, 4)[..., 0], 4, 1))
    return Document(*SIZE, (paper, Group("Wind", (kite,), clipped=False)))


@pytest.mark.parametrize(("file", "depth"), [("layers-intel-8", 8), ("layers-intel-16", 16), ("layers-motorola-8", 8)])
def test_the_layers_that_psdtags_wrote_are_read(golden, file, depth):
    document = read(golden / f"{file}.tif")
    assert (names(document), document.depth) == (("Drache 凧", "paper"), depth)
    kite, full = find(document, "Drache 凧"), 2**depth - 1
    assert (kite.x, kite.y, kite.opacity, kite.blend_mode) == (3, -1, 128 / 255, "multiply")
    assert kite.rgba.shape == (5, 6, 4) and (kite.rgba[..., 3] == full // 2).all()
    assert find(document, "paper").rgba[0, 0].tolist() == [full, full // 2, 0, full]


def test_both_byte_orders_hold_the_same(golden):
    kites = [find(read(golden / f"layers-{order}-8.tif"), "Drache 凧") for order in ("intel", "motorola")]
    assert np.array_equal(kites[0].rgba, kites[1].rgba)


def test_the_picture_of_the_tiff_is_what_its_layers_look_like(golden):
    """psdtags' file shows its paper alone."""
    document = read(golden / "layers-intel-8.tif")
    assert document.notes == (
        "the file's own picture looks different in about 12 % of it; it is used wherever one flat picture is wanted",
    )
    assert (read_image(golden / "layers-intel-8.tif") == [255, 127, 0, 255]).all()


def test_groups_masks_and_modes_are_those_of_a_psd(noise, difference):
    document = scene(noise)
    found = read_bytes(put_into_a_tiff(document), name_or_format="a.tif")
    assert (names(found), found.notes) == (("Wind", "Wind/Drache 凧", "paper"), ())
    assert np.array_equal(find(found, "Wind/Drache 凧").mask.values, noise(4, 4)[..., 0])
    assert difference(compose(found), compose(document)) <= 1


def test_the_list_of_a_tiff_is_that_of_its_layers(golden):
    assert [entry.name for entry in outline(golden / "layers-intel-8.tif").entries] == ["paper", "Drache 凧"]


def test_a_layered_tiff_becomes_a_psd_with_its_layers(noise):
    document = read_bytes(put_into_a_tiff(scene(noise)), name_or_format="a.tif")
    again = read_bytes(write_bytes(document, "psd"), name_or_format="a.psd")
    assert names(again) == ("Wind", "Wind/Drache 凧", "paper")


def test_damaged_layers_leave_the_picture_and_are_said(noise):
    whole = put_into_a_tiff(scene(noise))
    place = whole.index(b"8BIMLayr") + 12
    document = read_bytes(whole[:place] + b"\x7f\xff" + whole[place + 2 :], name_or_format="a.tif")
    assert names(document) == ("a",)
    assert document.notes == ("its layers are damaged or of an unknown kind; its merged picture was taken",)


def test_a_tiff_without_layers_is_its_picture(noise):
    file = io.BytesIO()
    Image.fromarray(noise(4, 4)).save(file, "TIFF")
    document = read_bytes(file.getvalue(), name_or_format="plain.tif")
    assert (names(document), document.notes) == (("plain",), ())


def test_nothing_is_inserted_into_a_tiff_and_it_says_what_to_do(golden, noise):
    data = (golden / "layers-intel-8.tif").read_bytes()
    with pytest.raises(UnsupportedFile, match=r"a.tif is a TIFF; no layer can be added to one") as caught:
        insert_into_bytes(data, Layer(noise(2, 2)), name="a.tif")
    assert caught.value.hint == "Convert it to PSD first."


def number(value):
    return struct.pack("<I", value)


def test_settings_are_turned_from_intels_byte_order_as_photoshop_nests_them():
    """A colour fill: version, then a class without a name that holds another one with a number."""
    inner = number(1) + b"\0\0" + number(0) + b"CBGR" + number(1) + number(0) + b"  dR" + b"buod" + struct.pack("<d", 200.0)
    data = number(16) + number(1) + b"\0\0" + number(4) + b"null" + number(1) + number(0) + b" rlC" + b"cjbO" + inner
    found = SHAPES[b"SoCo"](_Source(data, True))
    assert found.endswith(b"Clr Objc\0\0\0\1\0\0\0\0\0\0RGBC\0\0\0\1\0\0\0\0Rd  doub" + struct.pack(">d", 200.0))


def test_a_block_of_unknown_shape_stays_as_its_key_which_says_what_the_layer_is():
    data = b"MIB8" + b"mdrg" + number(3) + b"abc\0" + b"MIB8" + b"diyl" + number(4) + number(7)
    assert _blocks(_Source(data, True)) == b"8BIMgrdm" + bytes(4) + b"8BIMlyid\0\0\0\4\0\0\0\7"
