"""Contents read back from the blob folder, and proved while they are read: a name is a promise about every byte.

Knows files and hashes; knows no format but the one that goes into a name. Everything here blocks: call it off the event loop.
"""

from __future__ import annotations

import contextlib
import errno
from io import FileIO

from acetate.protocol import ProtocolError
from acetate.protocol.pixels import content_hash

from .blobs import Blobs

PIECE_BYTES = 1 << 20


class ContentBrokenError(ProtocolError):
    """A content is not there, is not what its name says, or cannot be read. `what` says in a message what is broken."""

    def __init__(self, what: str, reason: str, *, wrong: bool) -> None:
        hint = "Make it again, or upload it again; if this repeats, have the disk checked."
        super().__init__("content-broken", f"{what} {reason}", hint)
        self.wrong = wrong
        """Whether its bytes are certainly wrong; otherwise it may be readable another time."""


class StoredContent:
    """A content that is read from its first byte to its last, each piece once. `what` is how people call it, such as `layer 0`.

    The last piece comes only when the whole agrees with the name, so whoever holds all pieces holds the right ones.
    """

    def __init__(self, blobs: Blobs, sha256: str, size: int, what: str, format: str = "file", width: int = 0, height: int = 0):
        self._blobs, self.sha256, self.size, self._what = blobs, sha256, size, what
        self.read_bytes = 0
        """How many bytes have been read."""
        self._hash = content_hash(format, width, height)
        self._file: FileIO | None = None

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return self.size - self.read_bytes

    def read_into(self, piece: memoryview) -> None:
        """Fill `piece` with the next bytes; it is no longer than what is `left`. Raises `ContentBrokenError`, and has put a wrong
        content aside then, so that the right one can take its place."""
        try:
            self._read_into(piece)
        except ContentBrokenError as error:
            self.close()
            if error.wrong:
                self._blobs.set_aside(self.sha256)
            raise

    def skip(self, count: int) -> None:
        """Read so many bytes for the proof alone. Raises `ContentBrokenError`."""
        count = min(count, self.left)
        piece = memoryview(bytearray(min(PIECE_BYTES, count)))
        while count:
            self.read_into(piece[:count])
            count -= len(piece[:count])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _read_into(self, piece: memoryview) -> None:
        try:
            if self._file is None:
                self._file = open(self._blobs.path(self.sha256), "rb", buffering=0)  # noqa: SIM115 (open until the last piece)
            got = self._file.readinto(piece) or 0
            if got < len(piece):
                had = self.read_bytes + got
                raise ContentBrokenError(self._what, f"is damaged on the server's disk: {_bytes(had)} of {self.size}", wrong=True)
            self._hash.update(piece)
            self.read_bytes += got
            if not self.left:
                self._prove(self._file)
        except FileNotFoundError:
            raise ContentBrokenError(self._what, "is missing from the server's disk", wrong=False) from None
        except OSError as error:
            if error.errno == errno.EISDIR:
                raise ContentBrokenError(self._what, "is damaged on the server's disk: a folder is there", wrong=True) from None
            reason = f"cannot be read from the server's disk: {error.strerror or error}"
            raise ContentBrokenError(self._what, reason, wrong=False) from None

    def _prove(self, file: FileIO) -> None:
        """Nothing may follow the last byte, and all bytes together must have the name."""
        if file.read(1):
            raise ContentBrokenError(self._what, f"is damaged on the server's disk: more than {_bytes(self.size)}", wrong=True)
        if self._hash.hexdigest() != self.sha256:
            raise ContentBrokenError(self._what, "is damaged on the server's disk: its bytes have changed", wrong=True)
        file.close()


def prove(content: StoredContent) -> None:
    """Read a whole content for the proof alone. Raises `ContentBrokenError`."""
    with contextlib.closing(content):
        content.skip(content.size)


def _bytes(count: int) -> str:
    return f"{count} byte" if count == 1 else f"{count} bytes"
