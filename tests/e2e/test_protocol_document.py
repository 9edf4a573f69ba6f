"""`docs/protocol.md` is true: its transcripts are replayed, in order, against one real server; its tables are complete."""

from __future__ import annotations

import dataclasses
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acetate.engine.pixels import quality
from acetate.protocol import BYTES_PER_PIXEL, CODES, frames
from acetate.protocol import messages as wire
from acetate.server.schemas import json_schema
from acetate.server.settings import Settings
from acetate.vocabulary.tasks import TASKS
from jsonschema import Draft202012Validator
from websockets.sync.client import ClientConnection, connect

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
TRANSCRIPTS = re.findall(r"```transcript\n(.*?)```", PAGE, re.DOTALL)
ANY = "…"
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
NEWS = ("progress", "preview", "engine")
DEFINITIONS = json_schema.document()["$defs"]
SCHEMAS = {
    name: Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": DEFINITIONS})
    for name in ("FromClient", "FromServer", "HeaderFromClient", "HeaderFromServer")
}


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


def send(connection: ClientConnection, line: str) -> bool:
    """Send a message of the page; returns whether the schema takes it."""
    header, plus, payload = line.partition(" + ")
    right = SCHEMAS["HeaderFromClient" if plus else "FromClient"].is_valid(json.loads(header))
    if not plus:
        connection.send(line)
        return right
    count, value = re.fullmatch(r"(\d+) bytes of (\d+)", payload).groups()  # type: ignore[union-attr]
    packed = header.encode()
    connection.send(struct.pack(">I", len(packed)) + packed + bytes([int(value)]) * int(count))
    return right


def receive(connection: ClientConnection, *, skip_news: bool) -> tuple[dict[str, Any], bool]:
    """The next message that is no news about the engine (or, where the page says so, no news at all); whether it is binary."""
    while True:
        frame = connection.recv(timeout=60)
        found = header_of(frame)
        SCHEMAS["HeaderFromServer" if isinstance(frame, bytes) else "FromServer"].validate(found)
        if found["type"] == "engine" or skip_news and found["type"] in NEWS:
            continue
        return found, isinstance(frame, bytes)


def replay(server: Any, transcript: str) -> None:
    """Play a transcript with the library's default options, as a stranger would, and hold every frame against the schema."""
    headers = {"Authorization": f"Bearer {server.address.token}"}
    with connect(server.address.url, additional_headers=headers, proxy=None) as connection:
        skip, right = False, True
        for line in transcript.strip().splitlines():
            direction, text = line[0], line[2:]
            if text == "...":
                skip = True
            elif direction == "→":
                right = send(connection, text)
            else:
                written, plus, _ = text.partition(" + ")
                found, binary = receive(connection, skip_news=skip)
                assert matches(json.loads(written), found), f"\nthe page: {written}\nthe server: {json.dumps(found)}"
                assert binary == bool(plus)
                assert right or found["failure"]["code"] in ("bad-message", "server-too-old"), "what no schema takes is refused"


def test_the_transcripts_are_what_a_server_says(server: Any) -> None:
    assert len(TRANSCRIPTS) >= 9
    for transcript in TRANSCRIPTS:
        replay(server, transcript)


def test_the_whole_examples_are_messages_of_the_server() -> None:
    engine, layer = EXAMPLES
    for example in EXAMPLES:
        SCHEMAS["FromServer"].validate(example)
        understood = wire.from_server(json.dumps(example))
        assert understood is not None and json.loads(wire.to_text(understood)) == example, "as it would come: without defaults"

    for name, told in engine["tasks"].items():
        assert (set(told["parameters"]), told["conditions"]) == (set(TASKS[name].parameters), list(TASKS[name].conditions))
    assert layer["quality"].keys() == quality.measure(np.zeros((9, 9, 4), np.uint8)).keys()
    assert all(f"`{measure}`" in PAGE for measure in layer["quality"])


def test_the_sizes_of_frames_are_those_that_are_kept() -> None:
    sizes = re.findall(r"^\| (?:text|binary) of .*? \| (\d+)", PAGE, re.MULTILINE)
    limits = [wire.MAX_TEXT_BYTES, frames.MAX_FRAME_BYTES, frames.SERVER_FRAME_BYTES, wire.MAX_REPLY_BYTES]
    assert [int(size) for size in sizes] == limits
    assert f"a header of at most {frames.MAX_HEADER_BYTES}, a part of at most {frames.PART_BYTES} decoded bytes" in PAGE


def test_a_client_with_its_librarys_defaults_gets_every_page(server: Any) -> None:
    """1 MiB a frame: 40 jobs with the longest prompts would not go into one."""
    prompts = [f"{number} " + "🍎" * 9900 for number in range(40)]
    headers = {"Authorization": f"Bearer {server.address.token}"}
    with connect(server.address.url, additional_headers=headers, proxy=None) as connection:
        send(connection, '{"type": "hello", "protocol": 1, "client": "a stranger", "session": "8c2f6d1e5a904b7f"}')
        for number, prompt in enumerate(prompts):
            order = {"type": "submit", "job": f"long-{number:04}", "task": "foreground", "parameters": {"prompt": prompt}}
            send(connection, json.dumps(order, ensure_ascii=False))
        over: set[str] = set()
        while len(over) < len(prompts):
            found, _ = receive(connection, skip_news=True)
            over |= {found["job"]} if found["type"] == "finished" else set()
        seen, before, more = [], None, True
        while more:
            send(connection, json.dumps({"type": "history", "limit": 100, "thumbnails": False, "before": before}))
            page, _ = receive(connection, skip_news=True)
            seen += [entry["parameters"]["prompt"] for entry in page["entries"]]
            before, more = page["entries"][-1]["job"], page.get("more", False)

    assert sorted(seen) == sorted(prompts)


def test_the_keep_alive_is_that_of_the_server() -> None:
    said = " ".join(PAGE.split())
    assert f"sends a ping every {Settings().ping_seconds:g} seconds" in said
    assert f"no byte of what it is being sent for {Settings().send_seconds} seconds" in said
    assert f"nothing is heard for {Settings().client_silence_seconds} seconds" in said


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
