"""`docs/protocol.md` is true: its transcripts are replayed, in order, against one real server; its tables are complete."""

from __future__ import annotations

import dataclasses
import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from acetate.protocol import BYTES_PER_PIXEL, CODES
from acetate.protocol import messages as wire
from websockets.sync.client import ClientConnection, connect

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
TRANSCRIPTS = re.findall(r"```transcript\n(.*?)```", PAGE, re.DOTALL)
ANY = "…"
NEWS = ("progress", "preview", "engine")


def matches(written: Any, real: Any) -> bool:
    """Equal, where the page does not say that any value will do."""
    if written == ANY:
        return True
    if isinstance(written, dict) and isinstance(real, dict):
        if ANY in written:  # {"type": "welcome", "…": "…"}: and whatever else
            return all(matches(value, real.get(key)) for key, value in written.items() if key != ANY)
        return written.keys() == real.keys() and all(matches(value, real[key]) for key, value in written.items())
    if isinstance(written, list) and isinstance(real, list):
        return len(written) == len(real) and all(map(matches, written, real))
    return bool(written == real)


def header_of(frame: str | bytes) -> dict[str, Any]:
    if isinstance(frame, str):
        return dict(json.loads(frame))
    (size,) = struct.unpack_from(">I", frame)
    return dict(json.loads(frame[4 : 4 + size]))


def send(connection: ClientConnection, line: str) -> None:
    header, plus, payload = line.partition(" + ")
    if not plus:
        connection.send(line)
        return
    count, value = re.fullmatch(r"(\d+) bytes of (\d+)", payload).groups()  # type: ignore[union-attr]
    packed = header.encode()
    connection.send(struct.pack(">I", len(packed)) + packed + bytes([int(value)]) * int(count))


def receive(connection: ClientConnection, *, skip_news: bool) -> tuple[dict[str, Any], bool]:
    """The next message that is no news about the engine (or, where the page says so, no news at all); whether it is binary."""
    while True:
        frame = connection.recv(timeout=60)
        found = header_of(frame)
        if found["type"] == "engine" or skip_news and found["type"] in NEWS:
            continue
        return found, isinstance(frame, bytes)


def replay(server: Any, transcript: str) -> None:
    headers = {"Authorization": f"Bearer {server.address.token}"}
    with connect(server.address.url, additional_headers=headers, compression=None, proxy=None, max_size=2**23) as connection:
        skip = False
        for line in transcript.strip().splitlines():
            direction, text = line[0], line[2:]
            if text == "...":
                skip = True
            elif direction == "→":
                send(connection, text)
            else:
                written, plus, _ = text.partition(" + ")
                found, binary = receive(connection, skip_news=skip)
                assert matches(json.loads(written), found), f"\nthe page: {written}\nthe server: {json.dumps(found)}"
                assert binary == bool(plus)


def test_the_transcripts_are_what_a_server_says(server: Any) -> None:
    assert len(TRANSCRIPTS) >= 9
    for transcript in TRANSCRIPTS:
        replay(server, transcript)


def test_every_code_is_in_the_table() -> None:
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.*) \|$", PAGE, re.MULTILINE)) == CODES


def test_every_pixel_format_is_in_the_table() -> None:
    table = {name: int(size) for name, size in re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)}
    assert table == BYTES_PER_PIXEL


@pytest.mark.parametrize(
    "cls", [*wire.FROM_CLIENT.values(), *wire.FROM_SERVER.values(), wire.Parameters, wire.Group, wire.JobLine]
)
def test_every_message_and_field_is_mentioned(cls: Any) -> None:
    names = {field.name for field in dataclasses.fields(cls)} | ({cls.TYPE} if hasattr(cls, "TYPE") else set())
    missing = {name for name in names if not re.search(rf"[`\"*]{name}[`\"*s]", PAGE)}

    assert not missing
