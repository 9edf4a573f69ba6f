"""Nobody stops anybody: in what order two clients are served while one of them takes or asks as much as it can."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from acetate.protocol import Box, Layer, content_id
from acetate.protocol.frames import UploadPart, compress, pack_header
from acetate.protocol.pixels import LAYER_FORMATS
from acetate.server.storage.rows import JobRow, StoredBlob, Thumbnail
from acetate.server.storage.store import Store

from .test_connection import DEADLINE, HELLO, Server, Socket

SIDE = 1024
QUESTION = {"type": "cancel", "job": "job-number-9"}
"""Answered with an error at once."""


class Greedy(Socket):
    """Takes everything at once and asks without pause, never waiting for anybody; `meanwhile` is called with the first of what is
    counted: messages after hello that the server has taken, or frames with pixels that it has sent."""

    def __init__(self, order: list[str], counted: Literal["messages", "pixels"], meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._order, self._counted, self._meanwhile = order, counted, meanwhile

    async def send(self, frame: str | bytes | memoryview) -> None:
        await super().send(frame)
        if self._counted == "pixels" and not isinstance(frame, str):
            self._count()

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        async for frame in super().__aiter__():
            if self._counted == "messages":
                self._count()
            yield frame

    def _count(self) -> None:
        self._order.append("taken")
        if len(self._order) == 1:
            self._meanwhile()


class Patient(Socket):
    """Asks one question now and then; `seen` is called when it is answered."""

    def __init__(self, seen: Callable[[], None]) -> None:
        super().__init__()
        self._seen, self.answered = seen, asyncio.Event()

    async def send(self, frame: str | bytes | memoryview) -> None:
        await super().send(frame)
        if "unknown-job" in str(frame):
            self._seen()
            self.answered.set()


def keep_layer(server: Server, job: str, data: bytes, side: int, *, small: bool = False) -> None:
    """A finished job with a layer."""
    name = content_id(data, "rgba8", side, side)
    Path(server.blobs.incoming("made")).write_bytes(data)
    server.blobs.adopt("made", name)
    message = {"type": "submit", "job": job, "task": "foreground", "parameters": {"prompt": "a kite"}}
    row = JobRow(job, "a-session", "engine", "foreground", message, "waiting", False, 0, 1.0, None, 0, None, (), False)
    server.store.add(row, [])
    layer = Layer(job, 0, "kite", "foreground", 0, 0, side, side, Box(0, 0, side, side), "rgba8", len(data), name)
    thumbnail = Thumbnail(96, 96, os.urandom(96 * 96 * 4)) if small else None
    server.store.add_layer(layer, StoredBlob(name, len(data), "rgba8", side, side), thumbnail)
    server.store.end(job, "finished")


def served(
    folder: Path,
    says: list[Any],
    counted: Literal["messages", "pixels"],
    prepare: Callable[[Server], None] = lambda server: None,
    count: Callable[[list[str]], int] = len,
) -> int:
    """How many of what is counted one client is served, which says all this at once, from when the other has asked its question
    until that is answered."""
    order: list[str] = []
    found: list[int] = []

    async def scene() -> None:
        server = Server(folder)
        prepare(server)
        patient = Patient(lambda: found.append(count(order)))
        greedy = Greedy(order, counted, lambda: patient.say(QUESTION))
        serving = [server.connect(socket) for socket in (patient, greedy)]
        patient.say(HELLO)
        await patient.hears("welcome")
        greedy.say({**HELLO, "encodings": ["raw", "zlib"]}, *says)
        await asyncio.wait_for(patient.answered.wait(), DEADLINE)
        for socket in (patient, greedy):
            socket.leave()
        await asyncio.gather(*serving)
        server.unfinished.end_all()
        server.store.close()

    asyncio.run(scene())
    return found[0]


@pytest.mark.parametrize("format", LAYER_FORMATS)
def test_another_is_answered_after_at_most_one_more_part_of_a_layer(tmp_path: Path, format: str) -> None:
    def prepare(server: Server) -> None:
        keep_layer(server, "job-number-1", bytes(SIDE * SIDE * 4), SIDE)

    attach = {"type": "attach", "job": "job-number-1", "format": format}
    assert served(tmp_path, [attach], "pixels", prepare) <= 2


def upload_parts(part: bytes, encoding: str, count: int = 20) -> list[Any]:
    """An upload in parts."""
    data = part * count
    name = content_id(data)
    payload = compress(part) if encoding == "zlib" else part
    headers = (UploadPart(name, index * len(part), len(part), encoding) for index in range(count))  # type: ignore[arg-type]
    return [
        {"type": "upload", "sha256": name, "format": "file", "bytes": len(data)},
        *(pack_header(header) + payload for header in headers),
    ]


FLOODS: dict[str, list[Any]] = {
    "history": [{"type": "history", "limit": 100}] * 50,
    "jobs": [{"type": "jobs"}] * 50,
    "attach": [{"type": "attach", "job": "job-number-001", "have": [0]}] * 50,
    "nonsense": ["no JSON"] * 50,
    "announcements": [{"type": "upload", "sha256": "0" * 64, "format": "file", "bytes": 9}] * 50,
    "raw-parts": upload_parts(os.urandom(1 << 16), "raw"),
    "packed-parts": upload_parts(bytes(1 << 16), "zlib"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_another_is_answered_after_at_most_one_more_message_of_a_flood(tmp_path: Path, flood: str) -> None:
    def prepare(server: Server) -> None:
        for number in range(20):
            keep_layer(server, f"job-number-{number:03}", bytes([number] * 4), 1)

    assert served(tmp_path, FLOODS[flood], "messages", prepare) <= 2


def test_another_is_answered_while_a_page_of_history_is_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an entry or two of it, not after all of them."""
    entries: list[str] = []
    thumbnails = Store.thumbnails

    def noted(store: Store, job: str) -> dict[int, Thumbnail]:
        entries.append(job)
        return thumbnails(store, job)

    monkeypatch.setattr(Store, "thumbnails", noted)

    def prepare(server: Server) -> None:
        for number in range(40):
            keep_layer(server, f"job-number-{number:03}", bytes([number] * 4), 1, small=True)

    asked = [{"type": "history", "limit": 40}]
    assert served(tmp_path, asked, "messages", prepare, count=lambda order: len(entries)) <= 3


def test_a_layer_is_read_and_converted_on_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One slow disk, or one slow conversion, is no business of the others."""
    import threading

    from acetate.server.storage.stored_content import StoredContent

    where: set[str] = set()
    read = StoredContent.read_into

    def noted(content: StoredContent, piece: memoryview) -> None:
        where.add(threading.current_thread().name)
        read(content, piece)

    monkeypatch.setattr(StoredContent, "read_into", noted)

    async def scene() -> None:
        server, socket = Server(tmp_path), Socket()
        keep_layer(server, "job-number-1", bytes(64), 4)
        serving = server.connect(socket)
        socket.say(HELLO, {"type": "attach", "job": "job-number-1", "format": "bgra8"})
        for kind in ("welcome", "layer", "pixels", "finished"):
            await socket.hears(kind)
        socket.leave()
        await serving
        server.store.close()

    asyncio.run(scene())
    assert where and threading.main_thread().name not in where
