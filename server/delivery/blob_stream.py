"""Layers, files and thumbnails as frames, read from their blobs part by part. Knows formats and encodings; knows no socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from acetate.protocol import BYTES_PER_PIXEL, Error, Failure, Layer
from acetate.protocol.frames import (
    PART_BYTES,
    AnyHeader,
    FilePart,
    PixelPart,
    PreviewFrame,
    ThumbnailFrame,
    compress,
    pack_header,
)
from acetate.protocol.messages import Encoding, File, to_text

from .outbox import Frames, OutgoingFrame

Convert = Callable[[bytes], bytes | bytearray | memoryview]
HeaderOfPart = Callable[[int, int], AnyHeader]


class BlobStream(Frames):
    """The frames of a blob: an announcement, then its content in parts of at most `PART_BYTES` after conversion."""

    def __init__(
        self, announcement: str, path: str | None, header: HeaderOfPart, encoding: Encoding, convert: Convert, growth: int
    ) -> None:
        self._announcement: str | None = announcement
        self._path, self._header, self._encoding, self._convert = path, header, encoding, convert
        self._read_bytes = PART_BYTES // growth
        self._file: BinaryIO | None = None
        self._offset = 0

    async def next(self) -> OutgoingFrame | None:
        if self._announcement is not None:
            return self._begin()
        if self._file is None:
            return None
        data = self._file.read(self._read_bytes)
        if not data:
            self._file.close()
            return None
        payload = self._convert(data)
        header = pack_header(self._header(self._offset, len(payload)))
        self._offset += len(payload)
        if self._encoding == "zlib":
            return header + await asyncio.to_thread(compress, bytes(payload))
        return header + payload

    def _begin(self) -> str:
        """The announcement, once it is certain that the content is there."""
        text, self._announcement = self._announcement, None
        assert text is not None
        if self._path is not None:
            try:
                self._file = open(self._path, "rb")  # noqa: SIM115 (open until the last part)
            except FileNotFoundError:
                message = f"{os.path.basename(self._path)} has been deleted from the server's disk"
                return to_text(Error(Failure("unknown-image", message)))
        return text


def layer_frames(layer: Layer, path: str | None, format: str, encoding: Encoding) -> BlobStream:
    """A `layer` message in the client's pixel format, and its `pixels`. `path` is `None` for an empty layer."""
    pixels = layer.width * layer.height
    announced = replace(layer, format=format, bytes=pixels * BYTES_PER_PIXEL[format])

    def convert(data: bytes) -> bytes | bytearray | memoryview:
        if format == "rgba8":
            return data
        from ..worker.pixels import from_rgba8  # numpy, which most connections do not need

        return from_rgba8(data, format)

    def header(offset: int, length: int) -> PixelPart:
        return PixelPart(layer.job, layer.index, offset, length, encoding)

    return BlobStream(to_text(announced), path, header, encoding, convert, BYTES_PER_PIXEL[format] // 4)


def file_frames(file: File, path: str, encoding: Encoding) -> BlobStream:
    """A `file` message and its parts."""

    def header(offset: int, length: int) -> FilePart:
        return FilePart(file.job, offset, length, encoding)

    return BlobStream(to_text(file), path, header, encoding, lambda data: data, 1)


def small_frame(header: PreviewFrame | ThumbnailFrame, rgba: bytes, encoding: Encoding) -> bytes:
    """A small picture as one frame; `rgba` holds its straight 8-bit pixels."""
    return pack_header(replace(header, encoding=encoding)) + (compress(rgba) if encoding == "zlib" else rgba)
