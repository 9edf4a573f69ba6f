"""Nobody stops anybody: in what order two clients are served while one of them takes or asks as much as it can."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Box, Layer, content_id
from acetate.protocol.frames import UploadPart, compress, pack_header
from acetate.protocol.pixels import LAYER_FORMATS
from acetate.server.storage.store import JobRow, StoredBlob, Thumbnail

from .test_connection import DEADLINE, HELLO, Server, Socket

SIDE = 1024
QUESTION = {"type": "cancel", "job": "job-number-9"}
"""Answered with an error at once."""


class Greedy(Socket):
    """Takes everything at once, never waiting for anybody; `meanwhile` is called when the first frame of a kind has come."""

    def __init__(self, order: list[str], kind: str, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._order, self._kind, self._meanwhile = order, kind, meanwhile

    async def send(self, frame: str | bytes | memoryview) -> None:
        await super().send(frame)
        if self.heard._queue[-1]["type"] == self._kind:  # type: ignore[attr-defined]
            self._order.append("taken")
            if len(self._order) == 1:
                self._meanwhile()


class Patient(Socket):
    """Asks one question now and then."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self._order, self.answered = order, asyncio.Event()

    async def send(self, frame: str | bytes | memoryview) -> None:
        await super().send(frame)
        if "unknown-job" in str(frame):
            self._order.append("answered")
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


def served(folder: Path, says: list[Any], kind: str, prepare: Callable[[Server], None] = lambda server: None) -> list[str]:
    """In which order the two are served: one says all this at once, and when it has taken the first frame of the kind, the other
    asks its question. Until that is answered."""
    order: list[str] = []

    async def scene() -> None:
        server = Server(folder)
        prepare(server)
        patient = Patient(order)
        greedy = Greedy(order, kind, lambda: patient.say(QUESTION))
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
    return order[: order.index("answered")]


@pytest.mark.parametrize("format", LAYER_FORMATS)
def test_another_is_answered_after_at_most_one_more_part_of_a_layer(tmp_path: Path, format: str) -> None:
    def prepare(server: Server) -> None:
        keep_layer(server, "job-number-1", bytes(SIDE * SIDE * 4), SIDE)

    attach = {"type": "attach", "job": "job-number-1", "format": format}
    assert len(served(tmp_path, [attach], "pixels", prepare)) <= 2


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


FLOODS: dict[str, tuple[list[Any], str]] = {
    "history": ([{"type": "history", "limit": 100}] * 50, "history"),
    "jobs": ([{"type": "jobs"}] * 50, "jobs"),
    "attach": ([{"type": "attach", "job": "job-number-001", "have": [0]}] * 50, "finished"),
    "nonsense": (["no JSON"] * 50, "error"),
    "announcements": ([{"type": "upload", "sha256": "0" * 64, "format": "file", "bytes": 9}] * 50, "have"),
    "raw-parts": (upload_parts(os.urandom(1 << 16), "raw"), "have"),
    "packed-parts": (upload_parts(bytes(1 << 16), "zlib"), "have"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_another_is_answered_after_at_most_one_more_answer_to_a_flood_of_messages(tmp_path: Path, flood: str) -> None:
    def prepare(server: Server) -> None:
        for number in range(20):
            keep_layer(server, f"job-number-{number:03}", bytes([number] * 4), 1)

    says, kind = FLOODS[flood]
    assert len(served(tmp_path, says, kind, prepare)) <= 2


def test_another_is_answered_while_a_page_of_history_is_put_together(tmp_path: Path) -> None:
    """After one entry of it, not after a hundred."""

    def prepare(server: Server) -> None:
        for number in range(40):
            keep_layer(server, f"job-number-{number:03}", bytes([number] * 4), 1, small=True)

    assert len(served(tmp_path, [{"type": "history", "limit": 40}], "thumbnail", prepare)) <= 2


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
