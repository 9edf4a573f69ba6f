"""One connection's uploads: announced, received part by part, checked, kept. Knows limits and blobs; knows no socket."""

from __future__ import annotations

from acetate.protocol import ProtocolError
from acetate.protocol.frames import UploadPart
from acetate.protocol.messages import Have, Upload
from acetate.protocol.pixels import byte_count

from ..settings import Settings
from ..storage.blobs import Blobs, IncomingBlob
from ..storage.store import Store, StoredBlob


class Uploads:
    """The uploads of one connection. `owner` names its unfinished files."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs, owner: str) -> None:
        self._settings, self._store, self._blobs, self._owner = settings, store, blobs, owner
        self._receiving: dict[str, IncomingBlob] = {}

    def announce(self, upload: Upload) -> Have:
        """How much of the content the server has. Raises `ProtocolError` for a wrong announcement or one too many."""
        self._check(upload)
        if self._store.blob(upload.sha256) is not None and self._blobs.has(upload.sha256):
            self._store.touch(upload.sha256)
            return Have(upload.sha256, upload.bytes, complete=True)
        if (begun := self._receiving.get(upload.sha256)) is not None:
            return Have(upload.sha256, begun.received, complete=False)
        if len(self._receiving) >= self._settings.uploads_per_connection:
            raise ProtocolError("too-many", f"{len(self._receiving)} uploads are under way", "Finish some of them first.")
        if (announced := self._blobs.announced) + upload.bytes > self._settings.unfinished_bytes:
            raise ProtocolError("too-many", f"uploads of {announced} bytes are under way", "Try again when they are finished.")
        self._receiving[upload.sha256] = IncomingBlob(self._blobs, upload, self._owner)
        return Have(upload.sha256, 0, complete=False)

    def take(self, part: UploadPart, data: bytes | memoryview) -> Have | None:
        """Write a part; the last one returns the answer. Raises `ProtocolError` for one out of turn, or wrong content."""
        receiving = self._receiving.get(part.sha256)
        if receiving is None and self._store.blob(part.sha256) is not None:
            return None  # another connection was faster, or it is sent twice
        if receiving is None:
            raise ProtocolError("bad-message", f"a part of {part.sha256} comes without its `upload` message")
        try:
            receiving.write(part.offset, data)
            if not receiving.complete:
                return None
            receiving.finish()
        except (OSError, ProtocolError):
            receiving.abandon()
            del self._receiving[part.sha256]
            raise
        del self._receiving[part.sha256]
        upload = receiving.upload
        self._store.keep_upload(StoredBlob(upload.sha256, upload.bytes, upload.format, upload.width, upload.height))
        return Have(upload.sha256, upload.bytes, complete=True)

    def close(self) -> None:
        """Drop all unfinished uploads."""
        for receiving in self._receiving.values():
            receiving.abandon()
        self._receiving.clear()

    def _check(self, upload: Upload) -> None:
        limits = self._settings.limits
        if upload.format == "file":
            if upload.width is not None or upload.height is not None:
                raise ProtocolError("bad-message", "upload names a width or height for a file; only pictures have them")
            if upload.bytes > limits.file_bytes:
                raise ProtocolError("too-large", f"the file has {upload.bytes} bytes; at most {limits.file_bytes} are allowed")
            return
        if upload.width is None or upload.height is None:
            raise ProtocolError("bad-message", f"upload of a {upload.format} picture lacks 'width' or 'height'")
        wanted = byte_count(upload.width, upload.height, upload.format)
        if upload.bytes != wanted:
            size = f"{upload.width} x {upload.height} {upload.format}"
            raise ProtocolError("bad-message", f"upload.bytes is {upload.bytes}; {size} has {wanted}")
