import struct

import pytest
from acetate.document import (
    Document,
    Layer,
    TooLarge,
    UnreadableFile,
    read_bytes,
    write_bytes,
)
from acetate.document.formats import limits
from PIL import Image

from tests.document.photoshop.made import SIZE, document_of, image


@pytest.mark.parametrize(("version", "width", "height"), [(1, 300_001, 5), (2, 5, 300_001)])
def test_300001_pixels_a_side_are_refused_from_the_header(version, width, height):
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, 4, height, width, 8, 3)
    with pytest.raises(TooLarge, match=f"big.psb is {width} x {height} pixels; at most 300,000 a side"):
        read_bytes(head + bytes(100), name_or_format="big.psb")


def test_a_canvas_that_no_memory_holds_is_refused():
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 4, 30_000, 30_000, 8, 3)
    with pytest.raises(TooLarge, match="900,000,000 in all; a canvas may have 536,870,912"):
        read_bytes(head + bytes(100), name_or_format="big.psd")


def test_masks_count_among_the_pixels_that_a_file_may_bring(psd, noise, monkeypatch):
    psd.create_pixel_layer(image(noise), "Kite").create_mask(Image.new("L", SIZE, 255))
    monkeypatch.setattr(limits, "MAX_LAYER_PIXELS", 200)
    with pytest.raises(TooLarge, match="the layers of a.psd have more than 200 pixels together"):
        document_of(psd)


@pytest.mark.parametrize("keep", [4, 20, 26, 40, 0.3])
def test_a_file_that_ends_before_the_pixels_of_its_layers_is_refused(noise, keep):
    whole = write_bytes(Document(20, 20, (Layer(noise(20, 20), name="Kite"),)), "psd")
    cut = whole[: keep if isinstance(keep, int) else int(len(whole) * keep)]
    with pytest.raises(UnreadableFile, match=r"cut.psd is not a readable PSD: "):
        read_bytes(cut, name_or_format="cut.psd")


def test_a_channel_that_cannot_be_decoded_is_an_error_and_not_black(psd, noise):
    layer = psd.create_pixel_layer(image(noise), "Kite", compression=2)  # ZIP
    layer._channels[1].data = bytes(20) + layer._channels[1].data[20:]
    with pytest.raises(UnreadableFile, match="no layer and no picture of it can be read; 'Kite' is damaged"):
        document_of(psd)
