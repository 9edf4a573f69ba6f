import io
import zlib

import numpy as np
import pytest
from acetate.document.formats import quick_png
from PIL import Image


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (300, 1), (64, 48), (37, 29)])
def test_pillow_reads_every_pixel_back_also_colour_under_alpha_0(noise, shape, monkeypatch):
    monkeypatch.setattr(quick_png, "BAND_BYTES", 500)
    rgba = noise(*shape)
    with Image.open(io.BytesIO(quick_png.encode(rgba))) as image:
        image.verify()
    with Image.open(io.BytesIO(quick_png.encode(rgba))) as image:
        assert (image.mode, image.info["srgb"]) == ("RGBA", 1)
        assert np.array_equal(np.asarray(image), rgba)


def test_pixels_that_lie_apart_in_memory_are_written_in_order(noise):
    rgba = noise(40, 40)[::2, 5:30]
    with Image.open(io.BytesIO(quick_png.encode(rgba))) as image:
        assert np.array_equal(np.asarray(image), rgba)


def test_16_bits_are_kept():
    deep = np.random.default_rng(0).integers(0, 2**16, (5, 7, 4), np.uint16)
    data = quick_png.encode(deep)
    assert data[24:26] == b"\x10\x06"
    coded = b"".join(part[:-8] for part in data.split(b"IDAT")[1:])
    rows = np.frombuffer(zlib.decompressobj().decompress(coded), np.uint8).reshape(5, 1 + 7 * 8)
    samples = np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8)
    assert np.array_equal(samples.copy().view(">u2").reshape(5, 7, 4), deep)


def test_several_pictures_come_in_their_order(noise):
    pictures = [noise(size, 9, size) for size in (90, 3, 40, 1)]
    assert list(quick_png.encode_all(pictures)) == [quick_png.encode(picture) for picture in pictures]


def test_a_picture_that_cannot_be_written_is_not_lost_in_a_thread():
    with pytest.raises(AttributeError):
        list(quick_png.encode_all(["no picture"]))


def test_it_is_about_as_short_as_what_pillow_writes_at_the_same_level():
    rows, columns = np.mgrid[0:256, 0:256]
    shade = np.dstack([rows, columns, (rows + columns) // 2]) + np.random.default_rng(0).integers(-2, 3, (256, 256, 3))
    smooth = np.dstack([np.clip(shade, 0, 255), np.clip(rows * 2, 0, 255)]).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(smooth).save(file, "PNG", compress_level=1)
    assert len(quick_png.encode(smooth)) < 1.1 * len(file.getvalue())
