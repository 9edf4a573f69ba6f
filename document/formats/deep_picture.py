"""16 bits per channel in and out of picture files: Pillow's pictures have 8, but for gray.

What it decodes is the file's bytes, of which it keeps the higher ones, or the lower ones where they are said to stand the other
way round; so two passes see both.
"""

from __future__ import annotations

import io
import re
import sys
import zlib
from typing import Any

import numpy as np
from acetate.raster import RGBA16, Pixels
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngInfo, putchunk
from PIL.TiffImagePlugin import TiffImageFile

from ..composition.deep_colour import rgba_of, to_srgb16
from ..errors import UnsupportedFile

BITS_PER_SAMPLE, PLANAR_CONFIGURATION, APART = 258, 284, 2
"""TIFF's tags, and the value for channels that lie one after the other: of those Pillow finds one byte, uncompressed the wrong
one."""
INCH, PER_METRE = 0.0254, b"\x01"
ROWS = 64
"""Rows that are compressed at a time."""

_UP = 2
"""The filter of a row: the difference from the one above."""
_PLAIN = re.compile(r"(RGB|RGBA|CMYK);16([BLN])")
_OTHER_WAY = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_MODES = {1: "L", 2: "L", 3: "RGB", 4: "RGB"}


def is_deep(image: ImageFile) -> bool:
    """Whether an opened picture, whose pixels are not loaded yet, has 16 bits per channel."""
    bits = image.tag_v2.get(BITS_PER_SAMPLE, ()) if isinstance(image, TiffImageFile) else ()
    return 16 in bits or any(";16" in str(tile.args) for tile in image.tile)


def samples(image: ImageFile, data: bytes, name: str) -> NDArray[np.uint16] | None:
    """The numbers of an opened picture, `(H, W, C)`, turned as stored; `None` for layouts of which Pillow gives 8 bits only.

    `image` was opened from `data` and is not loaded; its format was checked. Raises `UnsupportedFile` where even these 8 would
    be wrong.
    """
    assert image.format is not None
    if isinstance(image, TiffImageFile) and image.tag_v2.get(PLANAR_CONFIGURATION) == APART:
        if image.tile[0].codec_name == "raw":
            kind = "a TIFF whose 16-bit channels lie apart, uncompressed"
            raise UnsupportedFile(f"{name} is {kind}; these are not read", "Save it with interleaved channels, or compressed.")
        return None
    raw = {str(tile.args[0] if isinstance(tile.args, tuple) else tile.args) for tile in image.tile}
    if image.mode.startswith("I;16"):
        return _turned(image).astype(np.uint16)[..., None]
    if raw == {"LA;16B"}:  # four bytes, as those of RGBA are
        both = _reopened(data, image.format, "RGBA")
        return _joined(both[..., 0::2], both[..., 1::2])
    plain = _PLAIN.fullmatch(raw.pop()) if len(raw) == 1 else None
    if plain is None:
        return None
    low = _reopened(data, image.format, f"{plain[1]};16{_OTHER_WAY[plain[2]]}")
    return _joined(_turned(image), low)


def straight(values: NDArray[np.uint16], image: Image.Image, icc: bytes | None) -> tuple[Pixels, tuple[str, ...]]:
    """Samples as straight RGBA in sRGB, `(H, W, 4)`, and what was converted; a single transparent colour becomes alpha."""
    bands = values.shape[2]
    mode = "CMYK" if image.mode == "CMYK" else _MODES[bands]
    alpha = values[..., -1] if bands == 2 or bands == 4 and mode == "RGB" else None
    transparent = image.info.get("transparency")
    if alpha is None and transparent is not None:
        alpha = np.where((values == np.array(transparent)).all(axis=-1), 0, 65535).astype(np.uint16)
    colour = values if mode == "CMYK" else values[..., : len(mode)]
    found = to_srgb16(np.moveaxis(colour, -1, 0), mode, icc)
    return rgba_of(found.rgb, alpha), found.notes


def encode(rgba: RGBA16, chunks: PngInfo, level: int, resolution: tuple[float, float] | None = None) -> bytes:
    """`(H, W, 4)` straight uint16 as PNG, with the chunks before its pixels and pixels per inch."""
    height, width = rgba.shape[:2]
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    file.seek(0, io.SEEK_END)
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, 6, 0, 0, 0])
    putchunk(file, b"IHDR", header)
    for key, content, *_ in chunks.chunks:
        putchunk(file, key, content)
    if resolution is not None:
        across, down = (round(side / INCH) for side in resolution)
        putchunk(file, b"pHYs", across.to_bytes(4, "big") + down.to_bytes(4, "big") + PER_METRE)
    pressed, above = zlib.compressobj(level), np.zeros((1, width * 8), np.uint8)
    for top in range(0, height, ROWS):
        rows = np.ascontiguousarray(rgba[top : top + ROWS].astype(">u2")).view(np.uint8).reshape(-1, width * 8)
        coded = np.empty((len(rows), 1 + width * 8), np.uint8)
        coded[:, 0] = _UP
        coded[:, 1:] = rows - np.concatenate([above, rows[:-1]])
        above = rows[-1:]
        putchunk(file, b"IDAT", pressed.compress(coded.data))
    putchunk(file, b"IDAT", pressed.flush())
    putchunk(file, b"IEND", b"")
    return file.getvalue()


def _reopened(data: bytes, format: str, raw: str) -> NDArray[np.uint8]:
    """The picture once more, its bytes taken for pixels of the raw mode."""
    with Image.open(io.BytesIO(data), formats=[format]) as image:
        image._mode = raw.partition(";")[0]
        image.tile = [tile._replace(args=(raw, *tile.args[1:]) if isinstance(tile.args, tuple) else raw) for tile in image.tile]
        return _turned(image)


def _joined(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> NDArray[np.uint16]:
    return high * np.uint16(256) + low


def _turned(image: Image.Image) -> NDArray[Any]:
    image.load()
    return np.asarray(ImageOps.exif_transpose(image))
