import io
import struct
import zlib

import numpy as np
import pytest
from acetate.document import TooLarge, UnreadableFile, UnsupportedFile, compose, read, read_image, write
from acetate.document.composition.colour import from_srgb
from PIL import Image, ImageCms


def save(path, image, **options):
    image.save(path, **options)
    return path


def png_of_size(width, height):
    """A PNG header that promises a size, with next to nothing behind it."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def test_a_png_with_alpha_comes_back_bit_for_bit_hidden_colour_too(tmp_path, noise):
    rgba = noise(9, 7)
    assert np.array_equal(read_image(save(tmp_path / "a.png", Image.fromarray(rgba))), rgba)


def test_a_lossless_webp_comes_back_bit_for_bit(tmp_path, noise):
    rgba = noise(9, 7)
    path = save(tmp_path / "a.webp", Image.fromarray(rgba), lossless=True, exact=True)
    assert np.array_equal(read_image(path), rgba)


GRAYS = [("1", 1, 255), ("L", 100, 100), ("I;16", 32896, 128), ("I;16", 65535, 255)]


@pytest.mark.parametrize(("mode", "value", "expected"), GRAYS)
def test_gray_becomes_opaque_rgb(tmp_path, mode, value, expected):
    path = save(tmp_path / "a.png", Image.new(mode, (2, 2), value))
    assert read_image(path)[0, 0].tolist() == [expected, expected, expected, 255]


def test_the_8_bits_that_networks_see_of_16_are_rounded(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, 256)
    path = save(tmp_path / "a.png", Image.fromarray(ramp))
    assert np.array_equal(read_image(path)[0, :, 0], np.arange(256))


def test_a_palettes_transparency_is_kept(tmp_path):
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    path = save(tmp_path / "a.png", image, transparency=bytes([255, 128, 0]))
    assert read_image(path)[0].tolist() == [[255, 0, 0, 255], [0, 255, 0, 128], [0, 0, 255, 0]]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_single_transparent_colour_is_kept(tmp_path, mode):
    image = Image.new(mode, (2, 1), 10 if mode == "L" else (10, 10, 10))
    image.putpixel((1, 0), 20 if mode == "L" else (20, 20, 20))
    path = save(tmp_path / "a.png", image, transparency=20 if mode == "L" else (20, 20, 20))
    assert read_image(path)[0, :, 3].tolist() == [255, 0]


def test_gray_with_alpha_keeps_both(tmp_path):
    path = save(tmp_path / "a.png", Image.new("LA", (1, 1), (77, 50)))
    assert read_image(path)[0, 0].tolist() == [77, 77, 77, 50]


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_cmyk_is_converted_and_said(tmp_path, suffix):
    colour = from_srgb(Image.new("RGB", (16, 16), (200, 60, 40)), "CMYK", None)
    path = save(tmp_path / f"a.{suffix}", colour)
    assert np.abs(read_image(path)[8, 8].astype(int) - (200, 60, 40, 255)).max() <= 6
    assert read(path).notes == ("colours were converted from CMYK without a profile to sRGB",)


def test_an_embedded_profile_is_applied_and_said(tmp_path):
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    path = save(tmp_path / "a.tif", from_srgb(Image.new("RGB", (4, 4), (200, 60, 40)), "LAB", None), icc_profile=lab)
    assert np.abs(read_image(path)[0, 0].astype(int) - (200, 60, 40, 255)).max() <= 3
    assert "to sRGB" in read(path).notes[0]


def test_the_orientation_of_a_photograph_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by a quarter turn
    path = save(tmp_path / "a.jpg", Image.new("RGB", (32, 16)), exif=exif)
    assert read_image(path).shape == (32, 16, 4)


def test_a_phones_picture_with_further_ones_behind_it_gives_the_first(tmp_path):
    first, second = Image.new("RGB", (8, 8), (200, 0, 0)), Image.new("RGB", (8, 8))
    path = save(tmp_path / "a.jpg", first, format="MPO", save_all=True, append_images=[second])
    assert read_image(path)[4, 4, 0] > 190


def test_a_layered_file_can_be_used_as_a_picture(tmp_path, noise):
    from acetate.document import Document, Layer

    document = Document(9, 8, (Layer(noise(8, 9)), Layer(noise(4, 4), 2, 2, opacity=0.4)))
    for name in ("a.psd", "a.ora"):
        write(document, tmp_path / name)
        assert np.array_equal(read_image(tmp_path / name), compose(read(tmp_path / name)))


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif"])
def test_an_animation_or_pages_are_refused_with_their_number(tmp_path, suffix):
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (0, 100, 200)]
    path = save(tmp_path / f"film.{suffix}", frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedFile, match=rf"film.{suffix} is animated or has pages \(3 of them\)"):
        read_image(path)


def test_floating_point_pixels_are_refused(tmp_path):
    with pytest.raises(UnsupportedFile, match="a.tif has 32 bits per channel; 8 and 16"):
        read_image(save(tmp_path / "a.tif", Image.new("F", (2, 2))))


@pytest.mark.parametrize("size", [(8193, 8192), (12000, 12000), (60000, 60000), (300001, 1)])
def test_a_decompression_bomb_is_refused_from_its_header(tmp_path, size):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_size(*size))
    with pytest.raises(TooLarge, match="bomb.png") as refusal:
        read_image(path)
    assert "8192 x 8192" in str(refusal.value) + refusal.value.hint


@pytest.mark.parametrize("keep", [10, 60, 0.5, 0.95])
def test_a_truncated_picture_is_refused(tmp_path, noise, keep):
    data = io.BytesIO()
    Image.fromarray(noise(40, 40)).save(data, "PNG")
    whole = data.getvalue()
    path = tmp_path / "cut.png"
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(len(whole) * keep)])
    with pytest.raises(UnreadableFile, match=r"cut.png is not a readable picture"):
        read_image(path)


def test_an_empty_and_a_damaged_picture_are_called_so(tmp_path, noise):
    data = io.BytesIO()
    Image.fromarray(noise(40, 40)).save(data, "PNG")
    flipped = bytearray(data.getvalue())
    flipped[17] ^= 0xFF
    for content, why in ((b"", "it is empty"), (bytes(flipped), "it is damaged")):
        path = tmp_path / "odd.png"
        path.write_bytes(content)
        with pytest.raises(UnreadableFile, match=f"odd.png is not a readable picture: {why}"):
            read_image(path)


@pytest.mark.parametrize("content", [b"not a picture at all", b"hello", b"GIF"])
def test_what_is_no_picture_is_refused_with_its_first_bytes(tmp_path, content):
    path = tmp_path / "odd.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="odd.png is not a readable picture: it begins with"):
        read_image(path)


def test_a_missing_file_is_refused_by_name(tmp_path):
    with pytest.raises(UnreadableFile, match=r"nowhere.png cannot be read: No such file"):
        read_image(tmp_path / "nowhere.png")
