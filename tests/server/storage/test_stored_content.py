"""A proof holds while nobody touches the file. What is damaged, in all its ways, `delivery/test_blob_stream` shows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from acetate.protocol import content_id
from acetate.server.storage import stored_content
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.stored_content import PROOF_SECONDS, ContentBrokenError, StoredContent, prove

DATA = os.urandom(100_000)
NAME = content_id(DATA)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    blobs = Blobs(tmp_path)
    Path(blobs.incoming("made")).write_bytes(DATA)
    blobs.adopt("made", NAME)
    return blobs


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, blobs: Blobs) -> SimpleNamespace:
    """Stands still, ten seconds after the content was written."""
    written = os.stat(blobs.path(NAME)).st_ctime
    clock = SimpleNamespace(now=written + 10)
    monkeypatch.setattr(stored_content, "time", SimpleNamespace(monotonic=lambda: clock.now, time=lambda: clock.now))
    return clock


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How many bytes have been hashed since the last call."""
    counts: list[int] = []

    class Counting:
        def __init__(self) -> None:
            self._hash = hashlib.sha256(b"file 0 0\n")

        def update(self, data: memoryview) -> None:
            counts.append(len(data))
            self._hash.update(data)

        def hexdigest(self) -> str:
            return self._hash.hexdigest()

    monkeypatch.setattr(stored_content, "content_hash", lambda *place: Counting())

    def since() -> int:
        total = sum(counts)
        counts.clear()
        return total

    return since


def content(blobs: Blobs) -> StoredContent:
    return StoredContent(blobs, NAME, len(DATA), "the file")


def read(blobs: Blobs, start: int = 0) -> bytes:
    piece = bytearray(len(DATA) - start)
    found = content(blobs)
    found.skip(start)
    found.read_into(memoryview(piece))
    return bytes(piece)


def test_what_was_proved_a_moment_ago_is_not_hashed_again(
    blobs: Blobs, clock: SimpleNamespace, hashed: Callable[[], int]
) -> None:
    assert read(blobs) == DATA and hashed() == len(DATA)
    assert read(blobs) == DATA and read(blobs, 1000) == DATA[1000:] and hashed() == 0
    prove(content(blobs))
    assert hashed() == 0
    clock.now += PROOF_SECONDS
    assert read(blobs) == DATA and hashed() == len(DATA)


def test_a_file_that_has_been_touched_since_is_proved_again(
    blobs: Blobs, clock: SimpleNamespace, hashed: Callable[[], int]
) -> None:
    read(blobs)
    path = Path(blobs.path(NAME))
    before = path.stat()
    path.write_bytes(DATA[:-1] + bytes([DATA[-1] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(ContentBrokenError, match="its bytes have changed"):
        read(blobs)
    assert not path.exists()


def test_a_file_that_has_just_been_written_is_proved_each_time(
    blobs: Blobs, clock: SimpleNamespace, hashed: Callable[[], int]
) -> None:
    """Another write in the same tick of the file system's clock would not show."""
    clock.now -= 10
    read(blobs)
    read(blobs)

    assert hashed() == 2 * len(DATA)


@pytest.mark.parametrize("start", [1, 99_999, 50_000])
def test_what_is_skipped_is_part_of_the_proof(blobs: Blobs, start: int) -> None:
    path = Path(blobs.path(NAME))
    path.write_bytes(bytes([DATA[0] ^ 1]) + DATA[1:])
    with pytest.raises(ContentBrokenError):
        read(blobs, start)


def test_what_is_no_file_is_not_waited_for(blobs: Blobs) -> None:
    """Opening a pipe that nobody writes to takes for ever."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    path = Path(blobs.path(NAME))
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ContentBrokenError, match="no file is in its place"):
        prove(content(blobs))
    with pytest.raises(ContentBrokenError, match="the file was damaged on the server's disk"):
        prove(content(blobs))
