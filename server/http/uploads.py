"""Uploads: announced, received part by part, checked, kept; unfinished ones outlive their connection for a while.

Knows limits and blobs; knows no socket. Whatever reads, writes or hashes much is done on a thread.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from acetate.protocol import ProtocolError
from acetate.protocol.frames import UploadPart, unpack_upload
from acetate.protocol.messages import Have, Upload
from acetate.protocol.pixels import byte_count

from ..people.fair_share import leaves_as_much
from ..settings import Settings
from ..storage.blobs import Blobs, IncomingBlob
from ..storage.store import Store, StoredBlob
from ..storage.stored_content import ContentBrokenError, StoredContent, prove


@dataclass(eq=False)
class _Unfinished:
    blob: IncomingBlob
    last_byte: float
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a part is written: two connections of a person may send the same content."""


class UnfinishedUploads:
    """The unfinished uploads of all persons, each by its person and name: who comes back goes on where it was."""

    def __init__(self, settings: Settings, blobs: Blobs, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._blobs, self._clock = settings, blobs, clock
        self._found: dict[tuple[str, str], _Unfinished] = {}

    def get(self, person: str, sha256: str) -> _Unfinished | None:
        return self._found.get((person, sha256))

    def begin(self, person: str, upload: Upload) -> _Unfinished:
        """Make room for a content. Raises `ProtocolError` without room."""
        self.end_idle()
        if (refusal := self._refusal(person, upload.bytes)) is not None:
            self._give_way(person)
            refusal = self._refusal(person, upload.bytes)
        if refusal is not None:
            raise ProtocolError("too-many", refusal, "Try again when they are finished.")
        begun = _Unfinished(IncomingBlob(self._blobs, upload, secrets.token_hex(8)), self._clock())
        self._found[person, upload.sha256] = begun
        return begun

    def _refusal(self, person: str, more: int) -> str | None:
        """Why there is no room for so many bytes; `None` if there is."""
        announced, mine, settings = self._blobs.announced, self.announced(person), self._settings
        if announced + more > settings.unfinished_bytes:
            return f"uploads of {announced} bytes are under way"
        own = mine + more > settings.unfinished_bytes_per_person
        if own or not leaves_as_much(more, mine, announced, settings.unfinished_bytes):
            return f"uploads of yours of {mine} bytes are under way; the room left is for others"
        return None

    def announced(self, person: str) -> int:
        """How many bytes a person's unfinished uploads will have."""
        return sum(unfinished.blob.size for (owner, _), unfinished in self._found.items() if owner == person)

    def touch(self, unfinished: _Unfinished) -> None:
        """Note that a byte has come."""
        unfinished.last_byte = self._clock()

    def forget(self, person: str, sha256: str) -> None:
        """Note that it is finished, or has failed."""
        self._found.pop((person, sha256), None)

    def end_idle(self) -> None:
        """Abandon those of which no byte has come for too long."""
        self._abandon(self._settings.upload_idle_seconds, self._found)

    def _give_way(self, person: str) -> None:
        """Abandon what the person's clients have announced and do not send: it must not keep their others waiting."""
        self._abandon(self._settings.upload_yield_seconds, [key for key in self._found if key[0] == person])

    def _abandon(self, silent_seconds: float, keys: Iterable[tuple[str, str]]) -> None:
        before = self._clock() - silent_seconds
        for key in list(keys):
            unfinished = self._found[key]
            if unfinished.last_byte < before and not unfinished.writing.locked():
                unfinished.blob.abandon()
                del self._found[key]

    def end_idle_later(self) -> None:
        """Do it also when nobody announces anything any more. Needs a running loop."""
        if self._found:
            asyncio.get_running_loop().call_later(self._settings.upload_idle_seconds + 1, self.end_idle)

    def end_all(self) -> None:
        """Abandon all, as the server stops."""
        for unfinished in self._found.values():
            unfinished.blob.abandon()
        self._found.clear()


class Uploads:
    """The uploads over one connection of a person."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs, unfinished: UnfinishedUploads, person: str) -> None:
        self._settings, self._store, self._blobs, self._unfinished, self._person = settings, store, blobs, unfinished, person
        self._announced: set[str] = set()
        """What this connection has announced and not finished."""
        self._proved: set[str] = set()
        """What was found whole on the disk for this connection."""

    async def announce(self, upload: Upload) -> Have:
        """How much of the content the server has. Raises `ProtocolError` for a wrong announcement or one too many."""
        self._check(upload)
        if await self._has(upload):
            self._store.touch(upload.sha256)
            return Have(upload.sha256, upload.bytes, complete=True)
        begun = self._unfinished.get(self._person, upload.sha256)
        if upload.sha256 not in self._announced:
            if len(self._announced) >= self._settings.uploads_per_connection:
                raise ProtocolError("too-many", f"{len(self._announced)} uploads are under way", "Finish some of them first.")
            self._announced.add(upload.sha256)
        if begun is None:
            try:
                begun = self._unfinished.begin(self._person, upload)
            except (OSError, ProtocolError):
                self._announced.discard(upload.sha256)
                raise
        return Have(upload.sha256, begun.blob.received, complete=False)

    async def take(self, frame: bytes) -> Have | None:
        """Write the part that a binary frame holds; the last one returns the answer. Raises `ProtocolError` for one out of turn,
        or wrong content."""
        part, data = await asyncio.to_thread(unpack_upload, frame)
        if part.sha256 not in self._announced:
            if self._store.blob(part.sha256) is not None:
                return None  # it is sent twice
            raise ProtocolError("bad-message", f"a part of {part.sha256} comes without its `upload` message")
        begun = self._unfinished.get(self._person, part.sha256)
        if begun is None:
            return self._finished_elsewhere(part)
        async with begun.writing:
            if self._unfinished.get(self._person, part.sha256) is not begun:
                return self._finished_elsewhere(part)
            try:
                await asyncio.to_thread(begun.blob.write, part.offset, data)
                self._unfinished.touch(begun)
                if not begun.blob.complete:
                    return None
                self._end(part.sha256)
                begun.blob.finish()
            except (OSError, ProtocolError):
                self._end(part.sha256)
                begun.blob.abandon()
                raise
        upload = begun.blob.upload
        self._store.keep_upload(StoredBlob(upload.sha256, upload.bytes, upload.format, upload.width, upload.height))
        return Have(upload.sha256, upload.bytes, complete=True)

    def _finished_elsewhere(self, part: UploadPart) -> Have | None:
        """The answer to a part of a content that another connection has finished, or that nothing was heard of for too long."""
        stored = self._store.blob(part.sha256)
        if stored is None:
            self._announced.discard(part.sha256)
            raise ProtocolError("bad-message", f"the upload of {part.sha256} was given up meanwhile", "Announce it again.")
        if part.offset + part.length < stored.bytes:
            return None
        self._announced.discard(part.sha256)
        return Have(part.sha256, stored.bytes, complete=True)

    def _end(self, sha256: str) -> None:
        self._announced.discard(sha256)
        self._unfinished.forget(self._person, sha256)

    async def _has(self, upload: Upload) -> bool:
        """Whether the content is here, and what its name says: a damaged one has to come again."""
        stored = self._store.blob(upload.sha256)
        if stored is None or not self._blobs.has(upload.sha256):
            return False
        if upload.sha256 not in self._proved:
            place = (upload.format, upload.width or 0, upload.height or 0)
            try:
                await asyncio.to_thread(prove, StoredContent(self._blobs, upload.sha256, upload.bytes, "the upload", *place))
            except ContentBrokenError:
                return False
            self._proved.add(upload.sha256)
        return True

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
