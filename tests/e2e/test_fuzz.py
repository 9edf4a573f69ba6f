"""Mutated messages by the thousand on a real connection: it is answered or hung up on, and another client works on."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

import pytest
from acetate.protocol import Client, Finished, Parameters
from acetate.protocol import messages as wire
from acetate.protocol.frames import UploadPart, compress, pack_header
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from .peaks import Peak

INPUTS = [2_000, pytest.param(100_000, marks=pytest.mark.soak)]

JOB, NAME = "0123456789abcdef", "ab" * 32
PARAMETERS = wire.Parameters(prompt="a kite", loras=(("ink", 0.5),))
TEXTS = [
    wire.to_text(message)
    for message in (
        wire.Hello(1, "fuzz", "fuzz-session"),
        wire.Upload(NAME, "rgba8", 16, 2, 2),
        wire.Submit(
            JOB, "upscale", wire.Parameters(prompt="a kite", loras=(("ink", 0.5),)), wire.Conditions(wire.Placed(NAME, 3, 4))
        ),
        wire.Insert(JOB, NAME, "psd"),
        wire.Export(JOB, (JOB,), "ora"),
        wire.Attach(JOB, (1, 2)),
        wire.Cancel(JOB),
        wire.Discard(JOB),
        wire.Acknowledge(JOB),
        wire.ListJobs(),
        wire.ListHistory(JOB, 5),
    )
]
FRAMES = [
    pack_header(UploadPart(NAME, 0, 16)) + bytes(16),
    pack_header(UploadPart(NAME, 0, 16, "zlib")) + compress(bytes(16)),
    struct.pack(">I", 2) + b"{}",
]
WORDS = [
    "null",
    "true",
    "-1",
    "1e999",
    "NaN",
    "[]",
    "{}",
    '""',
    "99999999999999999999",
    '"\\ud800"',
    "[[[[",
    '{"a":',
    "\x00",
    "é",
    "../",
]


def mutated(source: random.Random, sample: bytes) -> bytes:
    """A few changes: flips, cuts, doublings, and words that parsers stumble over."""
    data = bytearray(sample)
    for _ in range(source.randint(1, 4)):
        at = source.randrange(len(data) + 1)
        choice = source.randrange(6)
        if choice == 0 and data:
            data[at % len(data)] ^= 1 << source.randrange(8)
        elif choice == 1:
            del data[at : at + source.randrange(1, 20)]
        elif choice == 2:
            data[at:at] = data[at : at + 30]
        elif choice == 3:
            data[at:at] = source.choice(WORDS).encode()
        elif choice == 4 and (colon := data.find(b":", at)) >= 0:
            data[colon + 1 : colon + 1 + source.randrange(8)] = source.choice(WORDS).encode()
        else:
            data[at:at] = source.randbytes(source.randrange(1, 9))
    return bytes(data)


def opened(server: Any) -> ClientConnection:
    headers = {"Authorization": f"Bearer {server.address.token}"}
    connection = connect(server.address.url, additional_headers=headers, compression=None, proxy=None, max_size=2**23)
    connection.send(json.dumps({"type": "hello", "protocol": 1, "client": "fuzz", "session": "fuzz-session"}))
    return connection


@pytest.mark.parametrize("count", INPUTS)
def test_mutated_messages_cost_nobody_else(server: Any, count: int) -> None:
    source = random.Random(20)
    with Client("artist", address=server.address) as artist:
        list(artist.run("foreground", Parameters(prompt="a kite"), timeout=120))
        memory = Peak(server.pid)
        connection, lost = opened(server), 0
        for number in range(count):
            try:
                if number % 4 == 0:
                    connection.send(mutated(source, source.choice(FRAMES)))
                else:
                    connection.send(mutated(source, source.choice(TEXTS).encode()).decode(errors="replace"))
                if number % 100 == 99:  # read what has been answered so far
                    connection.send('{"type":"jobs"}')
                    while '"type":"jobs"' not in str(connection.recv(timeout=120)):
                        pass
            except ConnectionClosed:
                lost += 1
                connection = opened(server)
            if number % 1000 == 999:
                assert isinstance(list(artist.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1], Finished)
        connection.close()

        assert artist.connected
        assert isinstance(list(artist.run("foreground", Parameters(prompt="a kite"), timeout=120))[-1], Finished)
    assert lost <= count // 100
    assert memory.growth < 50 << 20
    assert not [line for line in server.log() if line["level"] == "error"]
