"""A gamma that a PNG names is applied; what is not is said."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from acetate.document import read_bytes
from acetate.document.formats import png


def with_chunk(kind, body, level=55):
    whole = png.encode(np.full((2, 2, 4), (level, level, level, 255), np.uint8))
    plain = whole[:33] + whole[whole.index(b"IDAT") - 4 :]  # without the word that it is sRGB
    chunk = struct.pack(">I", len(body)) + kind + body
    return plain[:33] + chunk + struct.pack(">I", zlib.crc32(kind + body)) + plain[33:]


@pytest.mark.parametrize(
    ("gamma", "level", "notes"),
    [
        (100_000, 128, ("colours were converted from a gamma of 1 to sRGB",)),  # 55/255 of the light
        (45_455, 55, ()),
    ],
)
def test_a_gamma_is_brought_to_srgb(gamma, level, notes):
    found = read_bytes(with_chunk(b"gAMA", struct.pack(">I", gamma)), name_or_format="a.png")
    assert found.layers[0].rgba[0, 0].tolist() == [level, level, level, 255]
    assert found.notes == notes


def test_primaries_that_are_not_those_of_srgb_are_named():
    wide = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    found = read_bytes(with_chunk(b"cHRM", wide), name_or_format="a.png")
    assert found.notes == ("its primary colours were taken as those of sRGB",)


def test_the_libraries_of_pillow_write_nothing_to_the_terminal(tmp_path):
    code = """
import io
from PIL import Image
from acetate.document import DocumentError, read_bytes
file = io.BytesIO()
Image.effect_noise((64, 64), 90).save(file, "TIFF", compression="jpeg")
data = bytearray(file.getvalue())
data[60:600] = bytes(540)
try:
    read_bytes(bytes(data), name_or_format="a.tif")
except DocumentError:
    pass
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr == ""
