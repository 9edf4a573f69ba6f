"""One client's connection, over a socket that the test holds both ends of."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acetate.protocol.frames import UploadPart, pack_header
from acetate.protocol.messages import OLDEST_VERSION, VERSION
from acetate.protocol.pixels import content_id
from acetate.server.http.connection import UNSUPPORTED_VERSION, Connection, ServerState
from acetate.server.http.uploads import UnfinishedUploads
from acetate.server.jobs.engine_state import EngineState
from acetate.server.jobs.jobs import JobRegistry
from acetate.server.people.tokens import LOCAL
from acetate.server.settings import Settings
from acetate.server.storage.blobs import Blobs
from acetate.server.storage.store import Store

HELLO = {"type": "hello", "protocol": VERSION, "client": "a test", "session": "a-session"}
SUBMIT = {"type": "submit", "job": "job-number-1", "task": "foreground"}
SAID = json.dumps(SUBMIT)
DEADLINE = 5.0
ADMIN: Any = SimpleNamespace(sees=lambda person: True, sees_only=None)


class Socket:
    """What a `Connection` needs of a websocket. `said` goes in, `heard` comes out."""

    last_byte = float("inf")
    unsent = 1000
    """Stays so, as if nothing were taken."""

    def __init__(self, *, reads: bool = True) -> None:
        self.transport = SimpleNamespace(abort=self._abort)
        self.said: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.closed: int | None = None
        self.aborted = False
        self._reads = reads

    def say(self, *messages: dict[str, Any] | bytes | str) -> None:
        for message in messages:
            self.said.put_nowait(json.dumps(message) if isinstance(message, dict) else message)

    def leave(self) -> None:
        self.said.put_nowait(None)

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next message, which must be of this kind."""
        message = await asyncio.wait_for(self.heard.get(), DEADLINE)
        assert message["type"] == kind, message
        return dict(message)

    async def recv(self) -> str | bytes:
        frame = await self.said.get()
        assert frame is not None
        return frame

    async def send(self, frame: str | bytes | memoryview) -> None:
        if not self._reads:
            await asyncio.Event().wait()
        if not isinstance(frame, str):
            (size,) = struct.unpack_from(">I", frame)
            frame = bytes(frame[4 : 4 + size]).decode()
        self.heard.put_nowait(json.loads(frame))

    async def close(self, code: int, reason: str) -> None:
        self.closed = code

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (frame := await self.said.get()) is not None:
            yield frame

    def _abort(self) -> None:
        self.aborted = True
        self.leave()


class Server:
    """What a server has around a connection."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.store, self.blobs = Store(folder / "jobs.sqlite"), Blobs(folder / "blobs")
        self.settings = Settings(folder=folder, **settings)
        self.jobs, self.engine = JobRegistry(self.settings, self.store, self.blobs), EngineState(self.store)
        self.unfinished = UnfinishedUploads(self.settings, self.blobs)
        self.refreshed = 0

    async def refresh(self) -> None:
        self.refreshed += 1

    def connect(self, socket: Socket) -> asyncio.Task[None]:
        state = ServerState(self.settings, self.jobs, self.blobs, self.unfinished, self.engine, self.refresh)
        return asyncio.create_task(Connection(socket, state, LOCAL).serve())  # type: ignore[arg-type]


Scene = Callable[[Server], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    """Play a scene with a server of these settings."""

    def run(scene: Scene, **settings: Any) -> None:
        async def played() -> None:
            server = Server(tmp_path, **settings)
            try:
                async with asyncio.timeout(4 * DEADLINE):
                    await scene(server)
            finally:
                server.unfinished.end_all()
                server.store.close()

        asyncio.run(played())

    return run


# --- the greeting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("offered", "encoding"), [(["zlib", "raw"], "zlib"), (["zstd", "raw", "zlib"], "raw")])
def test_who_says_hello_is_welcomed_with_the_encoding_that_it_likes_best(play: Any, offered: list[str], encoding: str) -> None:
    """Wherever it seems to come from: a tunnel and a proxy come from here."""

    async def scene(server: Server) -> None:
        socket = Socket()
        serving = server.connect(socket)
        socket.say({**HELLO, "encodings": offered})
        welcome = await socket.hears("welcome")
        socket.leave()
        await serving

        assert welcome["encoding"] == encoding and welcome["engine"]["state"] == "starting"
        assert server.refreshed == 1, "models may have been added since"
        assert not server.engine.watchers

    play(scene)


@pytest.mark.parametrize(
    ("first", "code", "closed"),
    [
        ({"type": "jobs"}, "bad-message", 1008),
        (b"\0\0\0\2{}", "bad-message", 1008),
        ("no JSON", "bad-message", 1008),
        ({**HELLO, "formats": ["cmyk"]}, "bad-message", 1008),
        ({**HELLO, "encodings": ["zstd"]}, "bad-message", 1008),
        ({**HELLO, "protocol": 0, "of": "the past"}, "client-too-old", UNSUPPORTED_VERSION),
        ({**HELLO, "protocol": VERSION + 1, "of": "the future"}, "server-too-old", UNSUPPORTED_VERSION),
    ],
)
def test_who_begins_otherwise_is_told_why_and_left(play: Any, first: Any, code: str, closed: int) -> None:
    async def scene(server: Server) -> None:
        socket = Socket()
        socket.say(first)
        await server.connect(socket)
        error = await socket.hears("error")

        assert (error["failure"]["code"], error["about"], socket.closed) == (code, "hello", closed)

    play(scene)


def test_a_hello_may_have_fields_and_formats_of_a_newer_client(play: Any) -> None:
    async def scene(server: Server) -> None:
        socket = Socket()
        task = server.connect(socket)
        socket.say({**HELLO, "telepathy": {"range": 3}, "formats": ["jxl", "bgra8"], "encodings": ["zstd", "raw"]})
        welcome = await socket.hears("welcome")
        socket.leave()
        await task
        assert (welcome["protocol"], welcome["oldest"], welcome["newest"]) == (VERSION, OLDEST_VERSION, VERSION)
        assert welcome["encoding"] == "raw"

    play(scene)


@pytest.mark.parametrize(("protocol", "code"), [(VERSION + 1, "server-too-old"), (OLDEST_VERSION - 1, "client-too-old")])
def test_a_client_of_another_version_learns_which_ones_are_spoken(play: Any, protocol: int, code: str) -> None:
    async def scene(server: Server) -> None:
        socket = Socket()
        task = server.connect(socket)
        socket.say({"type": "hello", "protocol": protocol, "something": "else"})
        error = await socket.hears("error")
        await task
        assert (error["failure"]["code"], error["oldest"], error["newest"]) == (code, OLDEST_VERSION, VERSION)

    play(scene)


def test_who_says_nothing_is_not_waited_for(play: Any) -> None:
    async def scene(server: Server) -> None:
        socket = Socket()
        await server.connect(socket)

        assert "no hello" in (await socket.hears("error"))["failure"]["message"] and socket.closed == 1008

    play(scene, hello_seconds=0.01)


# --- messages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def talk(play: Any) -> Callable[..., None]:
    """Play a scene with a client that has been welcomed; afterwards it leaves."""

    def run(scene: Callable[[Server, Socket], Awaitable[None]], **settings: Any) -> None:
        async def whole(server: Server) -> None:
            socket = Socket()
            serving = server.connect(socket)
            socket.say({**HELLO, "formats": ["tiff", "bgra8", "rgba8"]})
            await socket.hears("welcome")
            await scene(server, socket)
            socket.leave()
            await serving

        play(whole, **settings)

    return run


@pytest.mark.parametrize(("asked", "given"), [({}, "bgra8"), ({"format": "rgba16"}, "rgba16")])
def test_a_job_without_a_format_gets_the_first_of_the_client_that_the_server_knows(talk: Any, asked: Any, given: str) -> None:
    async def scene(server: Server, socket: Socket) -> None:
        socket.say({**SUBMIT, **asked})
        await socket.hears("queued")
        row = server.store.get("job-number-1")

        assert row is not None and row.message["format"] == given

    talk(scene)


@pytest.mark.parametrize(
    ("message", "code", "about", "named"),
    [
        ({**SUBMIT, "taks": "foreground"}, "bad-message", "submit", {"job": "job-number-1"}),
        ({**SUBMIT, "task": "paint"}, "bad-request", "submit", {"job": "job-number-1"}),
        ({"type": "cancel", "job": "job-number-9"}, "unknown-job", "cancel", {"job": "job-number-9"}),
        ({"type": "upload", "sha256": "0" * 64, "format": "gray8", "bytes": 9}, "bad-message", "upload", {"sha256": ["0" * 64]}),
        (pack_header(UploadPart("0" * 64, 0, 4)) + b"four", "bad-message", "upload", {"sha256": ["0" * 64]}),
        (HELLO, "bad-message", "hello", {}),
        ({"type": "sing"}, "bad-message", "", {}),
        ("no JSON", "bad-message", "", {}),
        (SAID[:-1] + ', "parameters": {"strength": NaN}}', "bad-message", "submit", {"job": "job-number-1"}),
        (SAID[:-1] + ', "parameters": {"seed": 1' + 400 * "0" + "}}", "bad-message", "submit", {"job": "job-number-1"}),
        (SAID[:-1] + ', "task": "scene"}', "bad-message", "submit", {"job": "job-number-1"}),
        (SAID[:-1] + ', "name": "' + 70_000 * "x" + '"}', "too-large", "submit", {"job": "job-number-1"}),
        (SAID[:-1] + ', "job": "job-number-2"}', "bad-message", "submit", {}),
        ({**SUBMIT, "parameters": {"seed": 2**63 - 1, "count": 2}}, "bad-message", "submit", {"job": "job-number-1"}),
        ({**SUBMIT, "parameters": {"prompt": "a\0b"}}, "bad-message", "submit", {"job": "job-number-1"}),
        (
            {**SUBMIT, "task": "refine", "conditions": {"source": {"sha256": "a" * 64}}},
            "unknown-image",
            "submit",
            {"job": "job-number-1", "sha256": ["a" * 64]},
        ),
    ],
)
def test_a_refusal_says_what_it_is_about_and_the_next_message_is_taken(
    talk: Any, message: Any, code: str, about: str, named: dict[str, Any]
) -> None:
    async def scene(server: Server, socket: Socket) -> None:
        socket.say(message, {"type": "jobs"})
        error = await socket.hears("error")
        await socket.hears("jobs")

        assert error.pop("failure")["code"] == code and error.pop("about", "") == about
        assert error == {"type": "error", **named}

    talk(scene)


def test_an_upload_is_answered_when_it_is_announced_and_when_it_is_whole(talk: Any) -> None:
    async def scene(server: Server, socket: Socket) -> None:
        sha256 = content_id(b"12345")
        socket.say({"type": "upload", "sha256": sha256, "format": "file", "bytes": 5})
        assert await socket.hears("have") == {"type": "have", "sha256": sha256, "offset": 0, "complete": False}
        for offset, part in ((0, b"123"), (3, b"45")):
            socket.say(pack_header(UploadPart(sha256, offset, len(part))) + part)
        assert (await socket.hears("have"))["complete"]

        assert server.blobs.has(sha256)

    talk(scene)


# --- the end ---------------------------------------------------------------------------------------------------------


def test_who_leaves_takes_its_own_jobs_with_it_and_finds_its_upload_when_it_is_back(play: Any) -> None:
    async def scene(server: Server) -> None:
        socket, sha256 = Socket(), content_id(b"12345")
        upload = {"type": "upload", "sha256": sha256, "format": "file", "bytes": 5}
        serving = server.connect(socket)
        socket.say(HELLO, {**SUBMIT, "keep": False}, {**SUBMIT, "job": "job-number-2"})
        socket.say(upload, pack_header(UploadPart(sha256, 0, 3)) + b"123", {"type": "jobs"})
        for kind in ("welcome", "queued", "queued", "have", "jobs"):
            await socket.hears(kind)
        socket.leave()
        await serving
        await asyncio.sleep(0)
        assert [line.job for line in server.jobs.lines(ADMIN)] == ["job-number-2"]
        again = Socket()
        serving = server.connect(again)
        again.say(HELLO, upload)
        await again.hears("welcome")

        assert (await again.hears("have"))["offset"] == 3
        again.leave()
        await serving

    play(scene, return_seconds=0)


@pytest.mark.parametrize("settings", [{"unanswered": 3, "send_seconds": 60}, {"send_seconds": 0.01}], ids=["asks", "stalls"])
def test_who_does_not_read_is_dropped(play: Any, settings: dict[str, Any]) -> None:
    async def scene(server: Server) -> None:
        socket = Socket(reads=False)
        serving = server.connect(socket)
        socket.say(HELLO, *([{"type": "jobs"}] * 10))
        await asyncio.wait_for(serving, DEADLINE)

        assert socket.aborted and not server.engine.watchers

    play(scene, **settings)
