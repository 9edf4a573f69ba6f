"""The client's two directions of pixels: parts of uploads going out, parts of layers and files coming together.

Knows offsets and completeness; knows no socket and no thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import ProtocolError
from ..frames import AnyHeader, FilePart, PixelPart, PreviewFrame, ThumbnailFrame, UploadPart, compress, pack_header
from ..link import Link
from ..messages import File, History, Layer, Upload
from ..pixels import Image, content_id
from .events import FileReady, HistoryPage, LayerReady, Preview, Receiving

Content = Image | bytes
"""What can be uploaded: a picture, or the bytes of a file."""

Arrival = LayerReady | FileReady | Receiving | Preview


def announce(content: Content, sha256: str | None = None) -> Upload:
    """The `upload` message for a picture or file; hashes it unless its name is given, which takes a moment if it is large."""
    if isinstance(content, Image):
        sha256 = sha256 or content.sha256
        return Upload(sha256, content.format, len(content.data), content.width, content.height)  # type: ignore[arg-type]
    return Upload(sha256 or content_id(content), "file", len(content))


def upload_parts(content: Content, sha256: str, offset: int, link: Link) -> Iterator[bytes]:
    """The binary frames that carry the content from `offset` to its end, as the link takes them best at the moment of each."""
    view = memoryview(content.data if isinstance(content, Image) else content)
    while offset < len(view):
        part, encoding = view[offset : offset + link.part_bytes], link.encoding
        header = pack_header(UploadPart(sha256, offset, len(part), encoding))
        yield header + (compress(part) if encoding == "zlib" else part)
        offset += len(part)


@dataclass
class _Pending:
    announced: Layer | File
    parts: list[bytes | memoryview] = field(default_factory=list)
    received: int = 0


@dataclass
class Downloads:
    """Layers and files that have been announced and are coming in parts, and thumbnails waiting for their page."""

    pending: dict[tuple[str, int | None], _Pending] = field(default_factory=dict)
    thumbnails: dict[tuple[str, int], Image] = field(default_factory=dict)

    def announced(self, message: Layer | File) -> Arrival | None:
        """A `layer` or `file` message: an empty layer is complete at once. A repeated one goes on if its parts do."""
        if message.bytes == 0:
            return LayerReady(message, b"") if isinstance(message, Layer) else FileReady(message, b"")
        begun = self.pending.get(_key(message))
        if begun is None or begun.announced != message:
            self.pending[_key(message)] = _Pending(message)
        return None

    def offsets(self, job: str) -> dict[str, int]:
        """How much has come of what is not whole, as `attach` says it."""
        return {
            File.TYPE if index is None else str(index): pending.received
            for (owner, index), pending in self.pending.items()
            if owner == job and pending.received
        }

    def interrupt(self) -> None:
        """The connection is lost: what has come of layers and files is kept, and pages begin anew."""
        self.thumbnails = {}

    def drop(self, job: str, index: int | None) -> None:
        """Forget what has come of a layer, or of the file."""
        self.pending.pop((job, index), None)

    def arrived(self, header: AnyHeader, payload: bytes | memoryview) -> Arrival | None:
        """A binary frame: the next piece of something, or a small picture."""
        if isinstance(header, (PixelPart, FilePart)):
            return self._part((header.job, header.index if isinstance(header, PixelPart) else None), header.offset, payload)
        if isinstance(header, PreviewFrame):
            return Preview(header.job, Image(header.width, header.height, header.format, bytes(payload)))
        if isinstance(header, ThumbnailFrame):
            self.thumbnails[header.job, header.index] = Image(header.width, header.height, header.format, bytes(payload))
        return None

    def page(self, history: History) -> HistoryPage:
        """The page together with the thumbnails that came before it."""
        thumbnails, self.thumbnails = self.thumbnails, {}
        return HistoryPage(history.entries, thumbnails, history.more)

    def forget(self, job: str) -> None:
        """Drop what has come of a job that is over."""
        for key in [key for key in self.pending if key[0] == job]:
            del self.pending[key]

    def _part(self, key: tuple[str, int | None], offset: int, payload: bytes | memoryview) -> Arrival | None:
        pending = self.pending.get(key)
        if pending is None:  # of a job that was given up meanwhile
            return None
        if offset == 0 and pending.received:  # the server begins again, as it may
            pending.parts, pending.received = [], 0
        if offset != pending.received:
            raise ProtocolError("bad-message", f"a part begins at byte {offset}; byte {pending.received} is due")
        pending.parts.append(payload)
        pending.received += len(payload)
        total = pending.announced.bytes
        if pending.received < total:
            return Receiving(*key, pending.received, total)
        del self.pending[key]
        data = b"".join(pending.parts)
        return LayerReady(pending.announced, data) if isinstance(pending.announced, Layer) else FileReady(pending.announced, data)


def _key(message: Layer | File) -> tuple[str, int | None]:
    return message.job, message.index if isinstance(message, Layer) else None
