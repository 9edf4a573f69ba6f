"""A connection over a fake socket: hello first, whatever is wrong is answered, a reader that stalls is given up."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.server.http.connection import UNSUPPORTED_VERSION, Connection, ServerState
from acetate.server.jobs.engine_state import EngineState
from acetate.server.jobs.jobs import Jobs
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store
from websockets.exceptions import ConnectionClosedOK

HELLO = {"type": "hello", "protocol": 1, "client": "a test", "session": "a-session"}
JOB = "job-number-1"


class Socket:
    """What a client sends, one after the other, and what it has been sent; at the end it leaves."""

    def __init__(self, *frames: dict[str, Any] | str | bytes, address: str = "127.0.0.1") -> None:
        self._frames = [json.dumps(frame) if isinstance(frame, dict) else frame for frame in frames]
        self.id, self.remote_address = uuid.uuid4(), (address, 1)
        self.sent: list[str | bytes] = []
        self.closed: tuple[int, str] | None = None
        self.aborted = asyncio.Event()
        self.transport = SimpleNamespace(abort=self.aborted.set)

    async def recv(self) -> str | bytes:
        if not self._frames:
            raise ConnectionClosedOK(None, None)
        return self._frames.pop(0)

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while self._frames and not self.aborted.is_set():
            yield self._frames.pop(0)
            for _ in range(10):  # the sender's turn
                await asyncio.sleep(0)

    async def send(self, frame: str | bytes) -> None:
        self.sent.append(frame)

    async def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.sent if isinstance(frame, str)]


class Stalled(Socket):
    """Whoever sends to it waits for good."""

    async def send(self, frame: str | bytes) -> None:
        await asyncio.Event().wait()


class Server:
    """What connections share, over a folder."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.refreshed = 0
        store, blobs = Store(folder / "jobs.sqlite"), Blobs(folder / "blobs")
        chosen = Settings(folder=folder, **settings)
        self.jobs = Jobs(chosen, store, blobs)
        self.state = ServerState(chosen, self.jobs, blobs, EngineState(store), self._refresh)

    async def _refresh(self) -> None:
        self.refreshed += 1

    async def serve(self, socket: Socket) -> Socket:
        await Connection(socket, self.state).serve()  # type: ignore[arg-type]
        return socket


def played(scene: Callable[[Server], Awaitable[None]], folder: Path, **settings: Any) -> None:
    async def play() -> None:
        await scene(Server(folder, **settings))

    asyncio.run(play())


def test_hello_is_answered_with_welcome_and_the_engine_is_asked_again(tmp_path: Path) -> None:
    async def scene(server: Server) -> None:
        socket = await server.serve(Socket(HELLO, {"type": "jobs"}))

        assert [message["type"] for message in socket.told] == ["welcome", "jobs"]
        assert socket.told[0]["protocol"] == 1 and socket.told[0]["engine"]["state"] == "starting"
        assert server.refreshed == 1
        assert not server.state.engine.watchers, "whoever has left hears nothing"

    played(scene, tmp_path)


@pytest.mark.parametrize(
    ("first", "code", "closed"),
    [
        (b"hello", "bad-message", 1008),
        ({"type": "jobs"}, "bad-message", 1008),
        ({**HELLO, "protocol": 0}, "client-too-old", UNSUPPORTED_VERSION),
        ({**HELLO, "protocol": 99, "colour": "of another version"}, "server-too-old", UNSUPPORTED_VERSION),
        ({**HELLO, "formats": ["cmyk"]}, "bad-message", 1008),
        ({**HELLO, "encodings": ["lzma"]}, "bad-message", 1008),
    ],
    ids=["binary", "no-hello", "older", "newer", "formats", "encodings"],
)
def test_a_wrong_first_message_is_refused_and_hung_up_on(first: Any, code: str, closed: int, tmp_path: Path) -> None:
    async def scene(server: Server) -> None:
        socket = await server.serve(Socket(first, {"type": "jobs"}))

        (refusal,) = socket.told
        assert refusal["type"] == "error" and refusal["failure"]["code"] == code
        assert socket.closed is not None and socket.closed[0] == closed

    played(scene, tmp_path)


def test_without_hello_the_connection_ends_after_its_time(tmp_path: Path) -> None:
    class Silent(Socket):
        async def recv(self) -> str | bytes:
            await asyncio.Event().wait()
            raise AssertionError

    async def scene(server: Server) -> None:
        socket = await server.serve(Silent())

        assert "no hello within 0.01 s" in socket.told[0]["failure"]["message"]

    played(scene, tmp_path, hello_seconds=0.01)


@pytest.mark.parametrize(("address", "encoding"), [("127.0.0.1", "raw"), ("192.0.2.1", "zlib")])
def test_bytes_are_compressed_for_a_network_alone(address: str, encoding: str, tmp_path: Path) -> None:
    async def scene(server: Server) -> None:
        both = {**HELLO, "encodings": ["raw", "zlib"]}
        assert (await server.serve(Socket(both, {"type": "jobs"}, address=address))).told[0]["encoding"] == encoding
        plain = {**HELLO, "encodings": ["raw"]}
        assert (await server.serve(Socket(plain, {"type": "jobs"}, address=address))).told[0]["encoding"] == "raw"

    played(scene, tmp_path)


def test_what_is_wrong_is_answered_with_its_job_and_the_next_message_is_taken(tmp_path: Path) -> None:
    async def scene(server: Server) -> None:
        wrong = {"type": "submit", "job": JOB, "task": "foreground", "colour": "red"}
        missing = {"type": "submit", "job": JOB, "task": "refine", "conditions": {"source": {"sha256": "ab" * 32}}}
        socket = await server.serve(Socket(HELLO, wrong, missing, HELLO, b"\0", {"type": "jobs"}))
        _, unknown, lacking, again, torn, jobs = socket.told

        assert unknown["about"] == "submit" and unknown["job"] == JOB and "colour" in unknown["failure"]["message"]
        assert lacking["failure"]["code"] == "unknown-image" and lacking["sha256"] == ["ab" * 32]
        assert "hello comes once" in again["failure"]["message"]
        assert torn["failure"]["code"] == "bad-message"
        assert jobs["type"] == "jobs"

    played(scene, tmp_path)


def test_a_job_is_told_in_the_clients_own_format_and_ends_with_it_unless_kept(tmp_path: Path) -> None:
    async def scene(server: Server) -> None:
        submit = {"type": "submit", "task": "foreground"}
        kept, left = {**submit, "job": JOB, "keep": True}, {**submit, "job": f"{JOB}0", "keep": False}
        await server.serve(Socket({**HELLO, "formats": ["bgra8", "rgba8"]}, kept, left))

        assert server.jobs.store.get(JOB).message["format"] == "bgra8"  # type: ignore[union-attr]
        assert server.jobs.store.get(JOB).state == "waiting"  # type: ignore[union-attr]
        assert server.jobs.store.get(f"{JOB}0").state == "cancelled"  # type: ignore[union-attr]

    played(scene, tmp_path)


def test_a_reader_that_stalls_is_given_up(tmp_path: Path) -> None:
    async def scene(server: Server) -> None:
        class Listening(Stalled):
            async def __aiter__(self) -> AsyncIterator[str | bytes]:
                await self.aborted.wait()
                for frame in ():
                    yield frame

        socket = await asyncio.wait_for(server.serve(Listening(HELLO)), 60)
        assert socket.aborted.is_set()

    played(scene, tmp_path, send_seconds=0.01)


def test_a_client_that_asks_and_does_not_read_is_given_up(tmp_path: Path) -> None:
    async def scene(server: Server) -> None:
        socket = await server.serve(Stalled(HELLO, *[{"type": "jobs"}] * 50))

        assert socket.aborted.is_set()

    played(scene, tmp_path, unanswered=5)
