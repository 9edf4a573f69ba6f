"""Picture files of 16 bits: every level of every layout comes back, and what Pillow gives in 8 bits only is said."""

import struct
import zlib

import numpy as np
import pytest
from acetate.document import Document, Layer, UnreadableFile, UnsupportedFile, read, read_bytes, read_image, write_bytes
from acetate.document.formats.picture import decode


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(values, *further):
    """16-bit samples `(H, W, C)` as a PNG without filters."""
    height, width, bands = values.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[bands], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = (chunk(b"IHDR", header), *further, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(values, order, *, deflated=False, planar=False):
    """16-bit samples `(H, W, C)` as a TIFF of one strip, or of one for each channel."""
    height, width, bands = values.shape
    planes = [values[..., band] for band in range(bands)] if planar else [values]
    strips = [plane.astype(order + "u2").tobytes() for plane in planes]
    strips = [zlib.compress(strip) for strip in strips] if deflated else strips
    sizes = [len(strip) for strip in strips]
    places, end = [8 + sum(sizes[:number]) for number in range(len(strips))], 8 + sum(sizes)
    tags = [(256, 3, [width]), (257, 3, [height]), (258, 3, [16] * bands), (259, 3, [8 if deflated else 1])]
    tags += [(262, 3, [2 if bands > 2 else 1]), (273, 4, places), (277, 3, [bands]), (278, 3, [height]), (279, 4, sizes)]
    tags += [(284, 3, [2 if planar else 1])] + ([(338, 3, [2])] if bands == 4 else [])
    entries, outside = b"", b""
    for tag, kind, numbers in tags:
        content = struct.pack(f"{order}{len(numbers)}{'HI'[kind == 4]}", *numbers)
        if len(content) > 4:
            place = end + 2 + 12 * len(tags) + 4 + len(outside)
            outside, content = outside + content, struct.pack(order + "I", place)
        entries += struct.pack(order + "HHI", tag, kind, len(numbers)) + content.ljust(4, b"\0")
    head = {"<": b"II", ">": b"MM"}[order] + struct.pack(order + "HI", 42, end)
    return head + b"".join(strips) + struct.pack(order + "H", len(tags)) + entries + bytes(4) + outside


@pytest.fixture
def values():
    """`values(C)`: random samples whose high and low bytes differ, and a ramp of 1024 levels as the first row."""

    def make(bands):
        made = np.random.default_rng(bands).integers(0, 65536, (9, 1024, bands), dtype=np.uint16)
        made[0] = np.linspace(0, 65535, 1024).round()[:, None]
        return made

    return make


def as_rgba(values):
    """What any number of bands is as RGBA."""
    colour = values if values.shape[2] > 2 else np.repeat(values[..., :1], 3, axis=2)
    alpha = values[..., -1:] if values.shape[2] in (2, 4) else np.full((*values.shape[:2], 1), 65535, np.uint16)
    return np.concatenate([colour[..., :3], alpha], axis=2)


@pytest.mark.parametrize("bands", [1, 2, 3, 4])
def test_every_kind_of_png_keeps_its_16_bits_and_says_nothing(bands, values):
    found = decode(png(values(bands)), "a.png")
    assert np.array_equal(found.rgba, as_rgba(values(bands)))
    assert found.notes == ()


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_tiff_keeps_its_16_bits_in_either_byte_order(bands, order, deflated, values):
    found = decode(tiff(values(bands), order, deflated=deflated), "a.tif")
    assert np.array_equal(found.rgba, as_rgba(values(bands)))
    assert found.notes == ()


def test_what_pillow_gives_in_8_bits_only_is_read_so_and_said(values):
    found = decode(tiff(values(3), "<", deflated=True, planar=True), "a.tif")
    assert np.array_equal(found.rgba, as_rgba(values(3)) >> 8)
    assert found.notes == ("16 bits per channel were reduced to 8",)


def test_a_tiff_of_which_pillow_takes_the_wrong_bytes_is_refused(values):
    with pytest.raises(UnsupportedFile, match="a.tif is a TIFF whose 16-bit channels lie apart, uncompressed"):
        decode(tiff(values(3), "<", planar=True), "a.tif")


@pytest.mark.parametrize("bands", [1, 3])
def test_a_single_transparent_colour_is_that_of_all_16_bits(bands):
    values = np.array([[0x1234, 0x1235]], np.uint16)[..., None].repeat(bands, axis=2)
    found = decode(png(values, chunk(b"tRNS", struct.pack(f">{bands}H", *values[0, 0]))), "a.png")
    assert found.rgba[0].tolist() == [[0x1234, 0x1234, 0x1234, 0], [0x1235, 0x1235, 0x1235, 65535]]


def test_an_embedded_profile_is_applied_to_all_levels(values, profile):
    ramp = np.repeat(values(1)[:1], 3, axis=2)
    found = decode(png(ramp, chunk(b"iCCP", b"x\0\0" + zlib.compress(profile()))), "a.png")
    assert len(np.unique(found.rgba[0, :, 0])) >= 1023
    assert [note[:39] for note in found.notes] == ["colours were converted from the profile"]


def test_a_deep_png_that_is_cut_off_is_refused(values):
    whole = png(values(4))
    with pytest.raises(UnreadableFile, match="a.png is not a readable picture"):
        decode(whole[: len(whole) // 2], "a.png")


@pytest.mark.parametrize("format", ["png", "ora"])
def test_what_is_written_comes_back_level_for_level_hidden_colour_too(format, values):
    rgba = values(4)
    rgba[3, :, 3] = 0
    back = read_bytes(write_bytes(Document(1024, 9, (Layer(rgba, parameters={"seed": 1}),)), format), name_or_format="a")
    assert (back.depth, back.notes) == (16, ())
    assert np.array_equal(back.layers[0].rgba, rgba)
    assert back.layers[0].parameters == {"seed": 1}


def test_only_the_deep_layers_of_an_openraster_file_are_deep(values, noise):
    layers = (Layer(noise(9, 9), name="flat"), Layer(values(4), name="deep"))
    back = read_bytes(write_bytes(Document(1024, 9, layers), "ora"), name_or_format="a")
    assert [layer.rgba.dtype for layer in back.layers] == [np.uint8, np.uint16]
    assert np.array_equal(back.layers[0].rgba, layers[0].rgba)


def test_a_picture_for_networks_has_8_bits(tmp_path, values):
    (tmp_path / "a.png").write_bytes(png(values(4)))
    assert read(tmp_path / "a.png").depth == 16
    assert np.array_equal(read_image(tmp_path / "a.png"), np.rint(values(4) / 257))
