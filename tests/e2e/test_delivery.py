"""What is stored comes to its clients whole and right, or by name not at all: over libraries and links as they are."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import Client, Condition, Failed, FileReady, Finished, Image, LayerReady, NotDelivered, Parameters
from acetate.protocol.frames import UploadPart, pack_header
from acetate.protocol.pixels import content_id
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import connect

from .strangers import hello, open_raw, receive

HELLO = json.dumps({"type": "hello", "protocol": 1, "client": "plain", "session": "plain-session"})
BIG = json.dumps({"type": "submit", "job": "job-plain-1", "task": "foreground", "parameters": {"prompt": "@big:1024"}})
MIB = 1 << 20


def payload(frame: bytes) -> bytes:
    (size,) = struct.unpack_from(">I", frame)
    header = json.loads(frame[4 : 4 + size])
    return frame[4 + size :] if header["type"] == "pixels" else b""


def headers(server: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.address.token}"}


def test_a_large_layer_comes_through_the_websockets_library_as_it_is(server: Any) -> None:
    """With nothing set but the token: it refuses frames above 1 MiB."""
    with connect(server.address.url, additional_headers=headers(server)) as connection:
        connection.send(HELLO)
        connection.send(BIG)
        frames = []
        while not (isinstance(frame := connection.recv(timeout=60), str) and json.loads(frame)["type"] == "finished"):
            frames.append(frame)

    pixels = [payload(frame) for frame in frames if isinstance(frame, bytes)]
    assert sum(map(len, pixels)) == 1024 * 1024 * 4 and max(map(len, frames)) <= MIB


def test_a_large_layer_comes_through_the_asyncio_half_of_it_too(server: Any) -> None:
    async def scene() -> int:
        total = 0
        async with connect_async(server.address.url, additional_headers=headers(server)) as connection:
            await connection.send(HELLO)
            await connection.send(BIG)
            async for frame in connection:
                if isinstance(frame, bytes):
                    total += len(payload(frame))
                elif json.loads(frame)["type"] == "finished":
                    break
        return total

    assert asyncio.run(scene()) == 1024 * 1024 * 4


# --- a failing disk --------------------------------------------------------------------------------------------------


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped": flip,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "deleted": Path.unlink,
    "folder": lambda path: (path.unlink(), path.mkdir()),
}


def blob(server: Any, sha256: str) -> Path:
    return Path(server.folder) / "blobs" / sha256[:2] / sha256


def made(client: Client, prompt: str) -> tuple[str, LayerReady]:
    """A finished job, and its layer."""
    events = list(client.run("foreground", Parameters(prompt=prompt, seed=1), keep=True, timeout=60))
    assert isinstance(events[-1], Finished)
    (ready,) = (event for event in events if isinstance(event, LayerReady))
    return ready.job, ready


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_layer_is_said_to_each_who_wants_it_and_is_healed_by_being_made_again(
    client: Client, server: Any, damage: str
) -> None:
    job, ready = made(client, "a kite")
    DAMAGES[damage](blob(server, ready.layer.sha256))
    exported = list(client.follow(client.export([job], "ora"), timeout=60))
    fetched = list(client.follow(job, timeout=60))
    named = f'layer 0 ("{ready.layer.name}") of job {job}'

    for end in (exported[-1], fetched[-1]):
        assert isinstance(end, Failed) and end.failure.code == "content-broken" and named in end.failure.message
        assert str(server.folder) not in end.failure.message
    assert [event.index for event in fetched if isinstance(event, NotDelivered)] == [0]
    assert not any(isinstance(event, (LayerReady, FileReady)) for event in (*exported, *fetched))
    again, _ = made(client, "a kite")
    assert again != job
    (healed,) = (event for event in client.follow(job, timeout=60) if isinstance(event, LayerReady))
    assert healed.data == ready.data
    assert client.connected and not [line for line in server.log() if "traceback" in line]


@pytest.mark.parametrize("damage", ["flipped", "cut"])
def test_a_damaged_picture_is_uploaded_again_for_the_next_job(client: Client, server: Any, damage: str) -> None:
    picture = Image(32, 32, "rgba8", bytes(range(256)) * 16)
    condition = {"source": Condition(picture)}
    first = list(client.run("refine", Parameters(prompt="rust"), condition, timeout=60))
    assert isinstance(first[-1], Finished)
    DAMAGES[damage](blob(server, picture.sha256))
    second = list(client.run("refine", Parameters(prompt="rust"), condition, timeout=60))
    third = list(client.run("refine", Parameters(prompt="rust"), condition, timeout=60))

    assert isinstance(second[-1], Failed) and second[-1].failure.code == "content-broken"
    assert second[-1].failure.message.startswith("the picture for source is damaged")
    assert isinstance(third[-1], Finished), "the damaged one is out of the way, so it was asked for"


# --- a failing link --------------------------------------------------------------------------------------------------


def test_an_upload_goes_on_over_the_next_connection(server: Any) -> None:
    data = bytes(range(256)) * 1024
    name, half = content_id(data), len(data) // 2
    announcement = json.dumps({"type": "upload", "sha256": name, "format": "file", "bytes": len(data)})
    with open_raw(server) as lost:
        hello(lost)
        lost.send(announcement)
        assert receive(lost)["offset"] == 0
        lost.send(pack_header(UploadPart(name, 0, half)) + data[:half])
        lost.send(json.dumps({"type": "jobs"}))
        assert receive(lost)["type"] == "jobs"  # and so the part has been taken
        lost.socket.close()
    with open_raw(server) as back:
        hello(back)
        back.send(announcement)
        assert receive(back)["offset"] == half
        back.send(pack_header(UploadPart(name, half, half)) + data[half:])

        assert receive(back)["complete"]


def test_a_layer_goes_on_over_the_next_connection(server: Any) -> None:
    """What has come is not sent again, in whatever format."""
    with open_raw(server) as first:
        hello(first)
        first.send(BIG)
        while receive(first)["type"] != "finished":
            pass
    with open_raw(server) as back:
        hello(back)
        back.send(json.dumps({"type": "attach", "job": "job-plain-1", "format": "rgba16", "offsets": {"0": 8 * MIB - 80}}))
        frames = []
        while not (isinstance(frame := back.recv(timeout=60), str) and json.loads(frame)["type"] == "finished"):
            frames.append(frame)

    assert [len(payload(frame)) for frame in frames if isinstance(frame, bytes)] == [80]
