"""Pixels as they cross the wire: plain bytes with a size and a format.

Knows how many bytes a pixel has and how to name a picture by its content; converts nothing. Alpha is always straight.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from .errors import ProtocolError

BYTES_PER_PIXEL = {"rgba8": 4, "bgra8": 4, "rgba16": 8, "rgbaf32": 16, "gray8": 1}
"""Row-major, no padding between rows, little-endian. `rgba8`, `bgra8`, `rgba16`: sRGB. `rgbaf32`: linear light, [0, 1].
`gray8`: a mask, 255 = selected."""

LAYER_FORMATS = ("rgba8", "bgra8", "rgba16", "rgbaf32")
"""Formats in which layers can be asked for."""

MAX_SIDE = 32768
MAX_PIXELS = 8192 * 8192


@dataclass(frozen=True)
class Image:
    """A picture of `width * height` pixels in one of `BYTES_PER_PIXEL`'s formats, straight alpha. Raises `ProtocolError`."""

    width: int
    height: int
    format: str
    data: bytes | bytearray

    @property
    def sha256(self) -> str:
        """The picture's name on the wire; hashing takes about a millisecond per megabyte."""
        return content_id(self.data, self.format, self.width, self.height)

    def __post_init__(self) -> None:
        wanted = byte_count(self.width, self.height, self.format)
        if len(self.data) != wanted:
            raise ProtocolError(
                "bad-request",
                f"{len(self.data)} bytes for {self.width} x {self.height} {self.format}; {wanted} would be right",
            )


def byte_count(width: int, height: int, format: str) -> int:
    """How many bytes a picture has. Raises `ProtocolError` for formats and sizes that the protocol does not carry."""
    if format not in BYTES_PER_PIXEL:
        raise ProtocolError("bad-request", f"the pixel format is {format!r}; known are {', '.join(BYTES_PER_PIXEL)}")
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise ProtocolError(
            "too-large",
            f"the picture is {width} x {height}; 1 to {MAX_SIDE} a side and at most {MAX_PIXELS} pixels are allowed",
            hint="Scale the picture or the selection down.",
        )
    return width * height * BYTES_PER_PIXEL[format]


def content_hash(format: str, width: int = 0, height: int = 0) -> hashlib._Hash:
    """The SHA-256 that names a picture, ready for its bytes. Format and size go in first, as the line `rgba8 640 480`:
    the same bytes in another shape are another picture. A file is `file 0 0`."""
    return hashlib.sha256(f"{format} {width} {height}\n".encode())


def content_id(data: bytes | bytearray | memoryview, format: str = "file", width: int = 0, height: int = 0) -> str:
    """The name of a picture or file: `content_hash` over its bytes, 64 hexadecimal digits."""
    digest = content_hash(format, width, height)
    digest.update(data)
    return digest.hexdigest()
