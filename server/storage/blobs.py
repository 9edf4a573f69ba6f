"""The blob folder: pixels and files named by their SHA-256, written under another name and renamed into place.

Knows bytes and names; which of them are still needed is the store's business, and what the store does not know is not deleted
but lost and found. A worker writes its finished layers into `incoming` and the server adopts them by renaming: on one machine the
page cache is the shared memory, and the result is on disk at once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from acetate.protocol import ProtocolError
from acetate.protocol.messages import Upload
from acetate.protocol.pixels import content_hash


class Blobs:
    """The folder: `folder/ab/abcdef…` for content, `folder/incoming` for what is being written, `folder/lost` for what nobody
    knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.announced = 0
        """The size of all contents that clients are sending, in bytes."""
        for name in ("incoming", "lost"):
            (folder / name).mkdir(parents=True, mode=0o700, exist_ok=True)
        for path in (folder / "incoming").iterdir():  # left by a server or worker that was killed
            self._to_lost(path)

    def path(self, sha256: str) -> str:
        """Where a content is or will be. A string: `pathlib` would intern the parts of every path there ever was."""
        return f"{self.folder}/{sha256[:2]}/{sha256}"

    def incoming(self, name: str) -> str:
        """Where a content is written before it has its name."""
        return f"{self.folder}/incoming/{name}"

    def has(self, sha256: str) -> bool:
        """Whether the content is there; one of the lost and found is brought back."""
        return os.path.isfile(self.path(sha256)) or self.find(sha256)

    def adopt(self, name: str, sha256: str) -> None:
        """Rename a finished file of `incoming` to its content's name."""
        final = self.path(sha256)
        os.makedirs(os.path.dirname(final), mode=0o700, exist_ok=True)
        os.replace(self.incoming(name), final)

    def remove(self, sha256: str) -> None:
        """Remove a content. One that cannot be removed now (on Windows, while it is read) goes at the next start."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(sha256))

    def set_aside(self, sha256: str) -> None:
        """Move what stands wrongly under this name to `damaged/`: it is not deleted, and the right content can come again."""
        damaged = f"{self.folder}/damaged"
        with contextlib.suppress(OSError):
            os.makedirs(damaged, mode=0o700, exist_ok=True)
            os.replace(self.path(sha256), f"{damaged}/{sha256}")

    def discard(self, name: str) -> None:
        """Remove a file of `incoming` that is not wanted after all."""
        with contextlib.suppress(OSError):
            os.unlink(self.incoming(name))

    def all(self) -> set[str]:
        """The names of all contents in the folder."""
        return {path.name for path in self.folder.glob("[0-9a-f][0-9a-f]/*")}

    # --- the lost and found ------------------------------------------------------------------------------------------

    def lost(self) -> set[str]:
        """The names of what nobody knew."""
        return set(os.listdir(self.folder / "lost"))

    def lose(self, sha256: str) -> None:
        """Put a content away that nobody knows: the one who should may be wrong."""
        self._to_lost(Path(self.path(sha256)))

    def find(self, sha256: str) -> bool:
        """Bring a content back from the lost and found; false if it is not there."""
        lost, final = self.folder / "lost" / sha256, self.path(sha256)
        if not lost.is_file():
            return False
        try:
            os.makedirs(os.path.dirname(final), mode=0o700, exist_ok=True)
            os.replace(lost, final)
        except OSError:
            return False
        return True

    def expire(self, seconds: float) -> int:
        """Delete what has been lost for longer; returns how many files that were."""
        count = 0
        for path in (self.folder / "lost").iterdir():
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < time.time() - seconds:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
                    count += 1
        return count

    def _to_lost(self, path: Path) -> None:
        """One that cannot be moved now (on Windows, while it is read) is looked at again at the next start."""
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size == 0:
                path.unlink()
                return
            lost = self.folder / "lost" / path.name
            os.replace(path, lost)
            os.utime(lost, follow_symlinks=False)  # the time that it was lost, from which it expires


class IncomingBlob:
    """A content that is being sent, part by part, perhaps over several connections, one after the other or side by side."""

    def __init__(self, blobs: Blobs, upload: Upload, owner: str) -> None:
        self.upload = upload
        self.sha256 = upload.sha256
        self.size = upload.bytes
        self.received = 0
        self._blobs = blobs
        self._name = f"{owner}-{upload.sha256}"
        self._hash = content_hash(upload.format, upload.width or 0, upload.height or 0)
        self._file = open(blobs.incoming(self._name), "wb")  # noqa: SIM115 (open until the last part)
        blobs.announced += self.size

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Append a part; what is here already is passed over. Raises `ProtocolError` for one that leaves a gap. Blocks."""
        end = offset + len(data)
        if offset > self.received or end > self.size:
            raise ProtocolError(
                "bad-message", f"a part covers bytes {offset} to {end}; byte {self.received} of {self.size} is due"
            )
        if end <= self.received:
            return
        data = memoryview(data)[self.received - offset :]
        self._file.write(data)
        self._hash.update(data)
        self.received = end

    @property
    def complete(self) -> bool:
        return self.received == self.size

    def finish(self) -> None:
        """Check the content against its name and keep it. Raises `ProtocolError` when they differ."""
        self._close()
        found = self._hash.hexdigest()
        if found != self.sha256:
            self.abandon()
            raise ProtocolError("bad-message", f"the uploaded content is {found}; announced was {self.sha256}")
        self._blobs.adopt(self._name, self.sha256)

    def abandon(self) -> None:
        self._close()
        self._blobs.discard(self._name)

    def _close(self) -> None:
        if not self._file.closed:
            self._blobs.announced -= self.size
            self._file.close()
