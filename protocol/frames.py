"""Binary frames: a 4-byte big-endian header length, a JSON header, then the payload.

Knows the envelope and the two encodings, not what the payload shows.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from .annotations import Between, Known, Matching
from .errors import ProtocolError
from .schema import decode, dump, encode, parse

PART_BYTES = 1 << 20
"""The most decoded bytes of one part that is taken."""

SERVER_FRAME_BYTES = 1 << 20
"""The largest binary frame that is sent: what common websocket libraries take unless they are told otherwise."""
SENT_PART_BYTES = SERVER_FRAME_BYTES - 8 * 1024
"""The most decoded bytes of one part that is sent: with its header, and after zlib, the frame stays within that. A multiple of
all sizes of a pixel."""

MAX_HEADER_BYTES = 4096
MAX_FRAME_BYTES = 4 + MAX_HEADER_BYTES + PART_BYTES + 1024
"""Upper bound of a binary frame; zlib may grow incompressible content a little."""

Sha256 = Annotated[str, Matching(r"[0-9a-f]{64}", "a SHA-256 in 64 hexadecimal digits")]
JobId = Annotated[str, Matching(r"[A-Za-z0-9_-]{8,64}", "8 to 64 letters, digits, - or _")]
Count = Annotated[int, Between(0, 2**40)]
Side = Annotated[int, Between(1, 32768)]


@dataclass(frozen=True)
class UploadPart:
    """Client to server: bytes of a picture or file that was announced by `upload`."""

    TYPE: ClassVar[str] = "upload"
    sha256: Sha256
    offset: Count
    length: Count
    encoding: Literal["raw", "zlib"] = "raw"


@dataclass(frozen=True)
class PixelPart:
    """Server to client: bytes of a layer that was announced by `layer`."""

    TYPE: ClassVar[str] = "pixels"
    job: JobId
    index: Count
    offset: Count
    length: Count
    encoding: Literal["raw", "zlib"] = "raw"


@dataclass(frozen=True)
class FilePart:
    """Server to client: bytes of a file that was announced by `file`."""

    TYPE: ClassVar[str] = "file"
    job: JobId
    offset: Count
    length: Count
    encoding: Literal["raw", "zlib"] = "raw"


@dataclass(frozen=True)
class PreviewFrame:
    """Server to client: the running job's state as a small whole picture."""

    TYPE: ClassVar[str] = "preview"
    job: JobId
    width: Side
    height: Side
    length: Count
    format: Annotated[str, Known(("rgba8",))] = "rgba8"
    encoding: Literal["raw", "zlib"] = "raw"


@dataclass(frozen=True)
class ThumbnailFrame:
    """Server to client: a layer of a finished job as a small picture, sent before the `history` page that lists it."""

    TYPE: ClassVar[str] = "thumbnail"
    job: JobId
    width: Side
    height: Side
    length: Count
    format: Annotated[str, Known(("rgba8",))] = "rgba8"
    encoding: Literal["raw", "zlib"] = "raw"
    index: Count = 0
    """The layer's number among those of the job."""


AnyHeader = UploadPart | PixelPart | FilePart | PreviewFrame | ThumbnailFrame
FROM_CLIENT: dict[str, type[UploadPart]] = {"upload": UploadPart}
FROM_SERVER: dict[str, type[PixelPart] | type[FilePart] | type[PreviewFrame] | type[ThumbnailFrame]] = {
    cls.TYPE: cls for cls in (PixelPart, FilePart, PreviewFrame, ThumbnailFrame)
}


def pack_header(header: AnyHeader) -> bytes:
    """The bytes before the payload: the length of the JSON header, and the header."""
    body = dump({"type": header.TYPE, **encode(header)}).encode()
    return struct.pack(">I", len(body)) + body


def compress(payload: bytes | bytearray | memoryview) -> bytes:
    """A zlib stream at level 1: about twice as fast as level 6 for 2 to 5 % more bytes (performance.md 8)."""
    return zlib.compress(payload, 1)


def unpack_upload(frame: bytes) -> tuple[UploadPart, bytes | memoryview]:
    """The header and the decoded payload of a client's frame. Raises `ProtocolError`, also for unknown fields."""
    body, payload = _split(frame)
    kind = body.pop("type", None)
    if kind != UploadPart.TYPE:
        raise ProtocolError("bad-message", f"the binary frame's type is {kind!r}; a client sends 'upload'")
    header = decode(UploadPart, body, "upload")
    return header, _decoded(payload, header.encoding, header.length)


def unpack(frame: bytes) -> tuple[AnyHeader, bytes | memoryview] | None:
    """The header and payload of a server's frame; `None` for a type from the future. Raises `ProtocolError`."""
    body, payload = _split(frame)
    cls = FROM_SERVER.get(str(body.pop("type", None)))
    if cls is None:
        return None
    header: AnyHeader = decode(cls, body, cls.TYPE, strict=False)
    return header, _decoded(payload, header.encoding, header.length)


def _split(frame: bytes) -> tuple[dict[str, object], memoryview]:
    if len(frame) < 4:
        raise ProtocolError("bad-message", f"the binary frame has {len(frame)} bytes; at least 4 are needed")
    (size,) = struct.unpack_from(">I", frame)
    if size > min(MAX_HEADER_BYTES, len(frame) - 4):
        raise ProtocolError("bad-message", f"the binary frame announces a header of {size} bytes and has {len(frame) - 4}")
    view = memoryview(frame)
    return parse(bytes(view[4 : 4 + size]), "binary header"), view[4 + size :]


def _decoded(payload: memoryview, encoding: str, length: int) -> bytes | memoryview:
    """Exactly `length` bytes; never inflates more than that (a zlib bomb is 1029 to 1)."""
    if length > PART_BYTES:
        raise ProtocolError("too-large", f"a part of {length} bytes; at most {PART_BYTES} are allowed")
    if encoding == "raw":
        if len(payload) != length:
            raise ProtocolError("bad-message", f"the payload has {len(payload)} bytes; its header says {length}")
        return payload
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload, length + 1)
    except zlib.error as error:
        raise ProtocolError("bad-message", f"the payload is not a zlib stream: {error}") from None
    if len(data) != length or not inflater.eof or inflater.unused_data:
        raise ProtocolError("bad-message", f"the payload does not inflate to exactly the {length} bytes its header says")
    return data
