"""Contents read back from the blob folder, and proved while they are read: a name is a promise about every byte.

Knows files and hashes; knows no format but the one that goes into a name. Everything here blocks: call it off the event loop.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import time
from io import FileIO

from acetate.protocol import ProtocolError
from acetate.protocol.pixels import content_hash

from .blobs import Blobs

PIECE_BYTES = 1 << 20

PROOF_SECONDS = 60.0
"""A proof holds for so long, if nobody has touched the file since: hashing takes longer than all the rest of sending."""
SETTLED_SECONDS = 0.1
"""A file that was written less than this before its proof may be written again without its time telling."""
MOST_PROOFS = 1000


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
        self._hash: hashlib._Hash | None = content_hash(format, width, height)
        """`None` when the content has been proved a moment ago."""
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
        if count:
            self.read_into(memoryview(bytearray()))  # opens it, and finds out whether it has been proved
        if self._hash is None and self._file is not None:
            self.read_bytes = self._file.seek(self.read_bytes + count)
            return
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
                self._file = self._open()
            got = self._file.readinto(piece) or 0
            if got < len(piece):
                had = self.read_bytes + got
                raise ContentBrokenError(self._what, f"is damaged on the server's disk: {_bytes(had)} of {self.size}", wrong=True)
            if self._hash is not None:
                self._hash.update(piece)
            self.read_bytes += got
            if piece and not self.left:
                self._prove(self._file)
        except FileNotFoundError:
            reason = (
                "was damaged on the server's disk" if self._blobs.is_aside(self.sha256) else "is missing from the server's disk"
            )
            raise ContentBrokenError(self._what, reason, wrong=False) from None
        except OSError as error:
            reason = f"cannot be read from the server's disk: {error.strerror or error}"
            raise ContentBrokenError(self._what, reason, wrong=False) from None

    def _open(self) -> FileIO:
        """The file; what is no file is not opened, as that could wait for ever."""
        path = self._blobs.path(self.sha256)
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ContentBrokenError(self._what, "is damaged on the server's disk: no file is in its place", wrong=True)
        file = open(path, "rb", buffering=0)  # noqa: SIM115 (open until the last piece)
        proof, proved_at = self._blobs.proofs.get(self.sha256, (None, 0.0))
        if proof == _look(file) and time.monotonic() - proved_at < PROOF_SECONDS:
            self._hash = None
        return file

    def _prove(self, file: FileIO) -> None:
        """Nothing may follow the last byte, and all bytes together must have the name."""
        if file.read(1):
            raise ContentBrokenError(self._what, f"is damaged on the server's disk: more than {_bytes(self.size)}", wrong=True)
        if self._hash is not None:
            if self._hash.hexdigest() != self.sha256:
                raise ContentBrokenError(self._what, "is damaged on the server's disk: its bytes have changed", wrong=True)
            self._remember(file)
        file.close()

    def _remember(self, file: FileIO) -> None:
        """Note the proof, for the next who reads it."""
        proofs = self._blobs.proofs
        if time.time() - os.fstat(file.fileno()).st_ctime > SETTLED_SECONDS:
            if len(proofs) >= MOST_PROOFS:
                proofs.clear()
            proofs[self.sha256] = _look(file), time.monotonic()


def _look(file: FileIO) -> tuple[int, ...]:
    """What changes when anybody writes the file or puts another in its place."""
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def prove(content: StoredContent) -> None:
    """Read a whole content for the proof alone. Raises `ContentBrokenError`."""
    with contextlib.closing(content):
        content.skip(content.size)


def _bytes(count: int) -> str:
    return f"{count} byte" if count == 1 else f"{count} bytes"
