"""Layers, files and thumbnails as frames, read from their blobs part by part. Knows formats and encodings; knows no socket.

Reading, proving, converting and packing are done on a thread, one part ahead of the one that is being sent: the event loop only
ever waits for them, and serves everybody else meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from acetate.protocol import BYTES_PER_PIXEL, Error, Failure, Layer
from acetate.protocol.frames import (
    SENT_PART_BYTES,
    AnyHeader,
    FilePart,
    PixelPart,
    PreviewFrame,
    ThumbnailFrame,
    compress,
    pack_header,
)
from acetate.protocol.link import Link
from acetate.protocol.messages import Encoding, File, to_text

from ..failures import of_exception
from ..storage.blobs import Blobs
from ..storage.stored_content import StoredContent
from .outbox import Frames, OutgoingFrame

log = logging.getLogger(__name__)

FRAMES = 3
HEADER_ROOM = 512
"""Where in a buffer the payload begins; the header ends there."""

Convert = Callable[[memoryview, memoryview], None]
"""From bytes as they are stored into the place for the converted ones."""
HeaderOfPart = Callable[[int, int, Encoding], AnyHeader]
Broken = Callable[[Failure], Error]
"""What becomes of a content that cannot be delivered: called with why, it returns what the client is told in its place."""


class BlobStream(Frames):
    """The frames of a content: an announcement, then its bytes in parts, after conversion. In place of what cannot be read comes
    one error. The last part comes only when the whole content has been proved, so what has come whole is right."""

    def __init__(
        self,
        announcement: str,
        content: StoredContent | None,
        header: HeaderOfPart,
        link: Link,
        broken: Broken,
        convert: Convert | None = None,
        pixel: tuple[int, int] = (1, 1),
        offset: int = 0,
    ) -> None:
        """`content` is `None` for an empty layer. Conversion takes and makes so many bytes of a `pixel`; parts begin at the
        converted byte `offset`, which is that of a whole pixel."""
        self._announcement: str | None = announcement
        self._content, self._header, self._link, self._broken = content, header, link, broken
        self._convert, self._pixel, self._offset = convert, pixel, offset
        self._ahead: asyncio.Future[bytes | memoryview | Failure] | None = None
        """The next part, which a thread is making or has made."""
        self._buffers: list[memoryview] = []
        """Some for frames, in turns, and one for what is to be converted: fresh memory for each part would cost more than to read
        and convert it. Three for frames, as the end of the frame before the newest may still lie in the socket's buffer."""

    async def next(self) -> OutgoingFrame | None:
        if self._content is None:
            text, self._announcement = self._announcement, None
            return text
        if self._ahead is None:
            self._read_ahead(self._content)
            assert self._ahead is not None
        part = await asyncio.shield(self._ahead)
        if isinstance(part, Failure):
            self._content = self._announcement = None
            return to_text(self._broken(part))
        if self._announcement is not None:
            text, self._announcement = self._announcement, None
            return text
        self._read_ahead(self._content)
        return part

    def close(self) -> None:
        """Close the file, as soon as no thread reads it."""
        content, self._content = self._content, None
        if content is not None:
            if self._ahead is None or self._ahead.done():
                content.close()
            else:
                self._ahead.add_done_callback(lambda _: content.close())

    def _read_ahead(self, content: StoredContent) -> None:
        if not content.left and self._ahead is not None:
            self._content = None
            return
        self._ahead = asyncio.get_running_loop().run_in_executor(None, self._make_part, content)

    def _make_part(self, content: StoredContent) -> bytes | memoryview | Failure:
        """The next part as a frame, made on a thread. A failure is returned, as the one who asked may have gone."""
        encoding = self._link.encoding
        try:
            if not self._buffers:
                self._prepare(content)
            stored = min(self._link.part_bytes // max(self._pixel) * self._pixel[0], content.left)
            length = self._converted(stored)
            frame, *others, unconverted = self._buffers
            self._buffers = [*others, frame, unconverted]
            payload = frame[HEADER_ROOM : HEADER_ROOM + length]
            if self._convert is None:
                content.read_into(payload)
            else:
                content.read_into(unconverted[:stored])
                self._convert(unconverted[:stored], payload)
            header = pack_header(self._header(self._offset, length, encoding))
            self._offset += length
            if encoding == "zlib":
                return header + compress(payload)
            frame[HEADER_ROOM - len(header) : HEADER_ROOM] = header
            return frame[HEADER_ROOM - len(header) : HEADER_ROOM + length]
        except Exception as error:
            content.close()
            failure = of_exception(error)
            log.log(logging.WARNING, "not delivered", extra={"reason": str(failure)}, exc_info=failure.code == "internal")
            return failure

    def _prepare(self, content: StoredContent) -> None:
        content.skip(self._offset // self._pixel[1] * self._pixel[0])
        stored = min(SENT_PART_BYTES // max(self._pixel) * self._pixel[0], content.left)
        sizes = [HEADER_ROOM + self._converted(stored)] * FRAMES + [0 if self._convert is None else stored]
        self._buffers = [memoryview(bytearray(size)) for size in sizes]

    def _converted(self, stored: int) -> int:
        """How many bytes conversion makes of so many."""
        return stored // self._pixel[0] * self._pixel[1]


def layer_frames(layer: Layer, blobs: Blobs, format: str, link: Link, broken: Broken, offset: int = 0) -> BlobStream:
    """A `layer` message in the client's pixel format, and its `pixels` from a byte of that format on: from the first, if that is
    not the beginning of a pixel."""
    size = layer.width * layer.height * BYTES_PER_PIXEL[format]
    announced = replace(layer, format=format, bytes=size)
    start = offset if offset < size and offset % BYTES_PER_PIXEL[format] == 0 else 0
    what = f'layer {layer.index} ("{layer.name}") of job {layer.job}'
    shape = layer.format, layer.width, layer.height
    content = StoredContent(blobs, layer.sha256, layer.bytes, what, *shape) if layer.bytes else None

    def convert(stored: memoryview, converted: memoryview) -> None:
        from ..worker import pixels  # numpy, which most connections do not need

        pixels.converted(stored, layer.format, format, converted)

    def header(offset: int, length: int, encoding: Encoding) -> PixelPart:
        return PixelPart(layer.job, layer.index, offset, length, encoding)

    if format == layer.format:
        return BlobStream(to_text(announced), content, header, link, broken, offset=start)
    pixel = BYTES_PER_PIXEL[layer.format], BYTES_PER_PIXEL[format]
    return BlobStream(to_text(announced), content, header, link, broken, convert, pixel, start)


def file_frames(file: File, blobs: Blobs, link: Link, broken: Broken, offset: int = 0) -> BlobStream:
    """A `file` message and its parts, from a byte on."""
    what = f'the file "{file.name}" of job {file.job}'
    content = StoredContent(blobs, file.sha256, file.bytes, what) if file.bytes else None

    def header(offset: int, length: int, encoding: Encoding) -> FilePart:
        return FilePart(file.job, offset, length, encoding)

    return BlobStream(to_text(file), content, header, link, broken, offset=offset if offset < file.bytes else 0)


def small_frame(header: PreviewFrame | ThumbnailFrame, rgba: bytes, encoding: Encoding) -> bytes:
    """A small picture as one frame; `rgba` holds its straight 8-bit pixels."""
    return pack_header(replace(header, encoding=encoding)) + (compress(rgba) if encoding == "zlib" else rgba)
