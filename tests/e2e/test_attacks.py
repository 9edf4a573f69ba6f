"""What broken and hostile programs send once they are in: each is refused by name, and everybody else goes on."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from acetate.protocol import Client, Condition, Failed, Finished, Image, Parameters, content_id
from acetate.protocol.frames import UploadPart, pack_header
from PIL import Image as Pillow
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from .peaks import Peak
from .strangers import UPGRADE, hello, is_alive, open_raw, receive, refusal


@pytest.fixture
def server(shared_server: Any) -> Any:
    return shared_server


@pytest.fixture
def raw(server: Any) -> Iterator[ClientConnection]:
    """A connection that has said hello and says what it likes."""
    with open_raw(server) as connection:
        hello(connection)
        yield connection


# --- messages --------------------------------------------------------------------------------------------------------

SUBMIT = {"type": "submit", "job": "attack-job", "task": "foreground"}


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("[" * 100_000, "65536"),
        ("[" * 30_000, "nested"),
        ('{"a":' * 10_000 + "1" + "}" * 10_000, "nested"),
        ('{"type":"submit","job":' + "9" * 10_000 + "}", "64 bits"),
        ('{"type":"submit","parameters":{"strength":NaN}}', "NaN"),
        ('{"type":"submit","parameters":{"strength":1e999}}', "1e999"),
        ('{"type":"submit","type":"jobs"}', "twice"),
        ('{"type":"install","pip":"evil"}', "install"),
        ("null", "None"),
        (json.dumps({**SUBMIT, "path": "/etc/passwd"}), "path"),
        (json.dumps({**SUBMIT, "parameters": {"prompt": "x" * 10_001}}), "10001"),
        (json.dumps({**SUBMIT, "parameters": {"prompt": "\ud800"}}), "surrogate"),
        (json.dumps({**SUBMIT, "parameters": {"width": 10**6}}), "width"),
        (json.dumps({**SUBMIT, "parameters": {"count": 65}}), "count"),
        (json.dumps({**SUBMIT, "parameters": {"model": "../../secret.safetensors"}}), "model"),
        (json.dumps({**SUBMIT, "parameters": {"model": "C:\\secret"}}), "model"),
        (json.dumps({**SUBMIT, "parameters": {"loras": [["/etc/passwd", 1]]}}), "loras"),
        (json.dumps({**SUBMIT, "job": "../../etc"}), "job"),
        (json.dumps({**SUBMIT, "task": "rm -rf"}), "rm -rf"),
        (json.dumps({**SUBMIT, "box": {"x": 0, "y": 0, "width": 32768, "height": 32768}}), "32768 x 32768"),
        (json.dumps({**SUBMIT, "box": {"x": 0, "y": 0, "width": 0, "height": 5}}), "width"),
        (json.dumps({"type": "attach", "job": "no-such-job"}), "no-such-job"),
        (json.dumps({"type": "discard", "job": "../blobs"}), "job"),
        (json.dumps({"type": "upload", "sha256": "../../../etc", "format": "file", "bytes": 5}), "sha256"),
        (json.dumps({"type": "upload", "sha256": "0" * 64, "format": "pickle", "bytes": 5}), "pickle"),
        (json.dumps({"type": "upload", "sha256": "0" * 64, "format": "file", "bytes": 10 * 2**30}), str(10 * 2**30)),
        (
            json.dumps({"type": "upload", "sha256": "0" * 64, "format": "rgba8", "bytes": 8, "width": 1, "height": 1}),
            "bytes is 8",
        ),
        (
            json.dumps({"type": "upload", "sha256": "0" * 64, "format": "rgba8", "bytes": 4, "width": 32768, "height": 32768}),
            "32768 x 32768",
        ),
    ],
    ids=range(28),
)
def test_a_bad_message_is_refused_by_name_and_costs_nobody_else(raw: ClientConnection, message: str, named: str) -> None:
    _, said = refusal(raw, message)

    assert named in said
    raw.send('{"type":"jobs"}')
    assert receive(raw)["type"] == "jobs"


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xff\xff\xff",
        struct.pack(">I", 4000) + b"{}",
        struct.pack(">I", 2) + b"{}",
        struct.pack(">I", 2) + b"\xff\xfe",
        pack_header(UploadPart("0" * 64, 0, 5)) + b"12345",
        pack_header(UploadPart("0" * 64, 0, 5)) + b"1234",
        pack_header(UploadPart("0" * 64, 0, 5, "zlib")) + b"no zlib",
        pack_header(UploadPart("0" * 64, 0, 2**40)) + b"1234",
    ],
    ids=range(9),
)
def test_a_bad_binary_frame_is_refused_and_costs_nobody_else(raw: ClientConnection, frame: bytes) -> None:
    refusal(raw, frame)

    raw.send('{"type":"jobs"}')
    assert receive(raw)["type"] == "jobs"


def test_a_declared_length_of_10_gb_ends_the_connection_before_it_is_read(server: Any) -> None:
    memory = Peak(server.pid)
    with open_raw(server) as connection:
        hello(connection)
        connection.socket.sendall(b"\x82\xff" + struct.pack(">Q", 10 * 2**30) + b"\0\0\0\0" + b"x" * 65536)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                connection.recv(timeout=60)

    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1009
    assert memory.growth < 20 << 20
    assert is_alive(server)


def test_a_zlib_bomb_inflates_no_further_than_it_declares(raw: ClientConnection, server: Any) -> None:
    bomb = zlib.compress(b"\0" * (100 << 20), 9)
    memory = Peak(server.pid)
    content = "1" * 64
    raw.send(json.dumps({"type": "upload", "sha256": content, "format": "file", "bytes": 1 << 20}))
    assert receive(raw)["type"] == "have"
    _, said = refusal(raw, pack_header(UploadPart(content, 0, 1 << 20, "zlib")) + bomb)

    assert "inflate" in said
    assert memory.growth < 20 << 20


def test_content_that_is_not_what_it_was_announced_as_is_thrown_away(raw: ClientConnection, server: Any) -> None:
    name = hashlib.sha256(b"something else").hexdigest()
    raw.send(json.dumps({"type": "upload", "sha256": name, "format": "rgba8", "bytes": 4, "width": 1, "height": 1}))
    assert receive(raw)["offset"] == 0
    _, said = refusal(raw, pack_header(UploadPart(name, 0, 4)) + b"1234")

    assert name in said
    assert not list((server.folder / "blobs").glob(f"**/*{name}*"))


def test_too_many_uploads_at_once_are_refused(raw: ClientConnection) -> None:
    for number in range(16):
        raw.send(json.dumps({"type": "upload", "sha256": f"{number:064x}", "format": "file", "bytes": 5}))
        assert receive(raw)["type"] == "have"
    code, _ = refusal(raw, json.dumps({"type": "upload", "sha256": "f" * 64, "format": "file", "bytes": 5}))

    assert code == "too-many"


def test_more_announced_bytes_than_the_disk_may_take_are_refused(start_server: Any) -> None:
    """Of all connections together; what is given up makes room again."""
    server = start_server(unfinished_bytes=10)

    def announcement(name: str) -> str:
        return json.dumps({"type": "upload", "sha256": name * 64, "format": "file", "bytes": 6})

    with open_raw(server) as second:
        hello(second)
        with open_raw(server) as first:
            hello(first)
            first.send(announcement("a"))
            assert receive(first)["type"] == "have"
            code, said = refusal(second, announcement("b"))
            assert code == "too-many" and "6 bytes" in said
        deadline = time.monotonic() + 60
        answer = "error"
        while answer == "error" and time.monotonic() < deadline:  # until the server has seen the first one go
            second.send(announcement("b"))
            answer = receive(second)["type"]
    assert answer == "have"


def test_a_mask_where_a_picture_belongs_is_refused(server: Any) -> None:
    with Client("test", address=server.address) as client:
        given = {"source": Condition(Image(2, 2, "gray8", b"\0" * 4))}
        last = list(client.run("refine", Parameters(), given, timeout=120))[-1]

    assert isinstance(last, Failed) and "source" in last.failure.message


# --- files -----------------------------------------------------------------------------------------------------------


def png_bomb() -> bytes:
    """50,000 x 50,000 pixels in a few kilobytes."""
    whole = io.BytesIO()
    Pillow.new("1", (1, 1)).save(whole, "PNG")
    data = bytearray(whole.getvalue())
    data[16:24] = struct.pack(">II", 50_000, 50_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def zip_bomb() -> bytes:
    """An OpenRaster whose one layer inflates to 128 MiB of nothing."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "image/openraster", zipfile.ZIP_STORED)
        archive.writestr("stack.xml", '<image w="10" h="10"><stack><layer name="a" src="data/a.png"/></stack></image>')
        with archive.open("data/a.png", "w") as member:
            for _ in range(32):
                member.write(b"\0" * (4 << 20))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "psd"),
        (b"8BPS", "psd"),
        (b"8BPS" + os.urandom(5000), "psd"),
        (b"PK\3\4" + os.urandom(500), "ora"),
        (b"GIF89a", "png"),
    ],
    ids=["empty", "truncated", "random-psd", "random-ora", "gif"],
)
def test_a_broken_file_fails_its_job_only(server: Any, data: bytes, kind: str) -> None:
    assert_refused(server, data or b"\0", kind)


@pytest.mark.parametrize(("make", "kind"), [(png_bomb, "png"), (zip_bomb, "ora")], ids=["png", "zip"])
def test_a_decompression_bomb_is_refused(server: Any, make: Any, kind: str) -> None:
    assert_refused(server, make(), kind)


def assert_refused(server: Any, data: bytes, kind: str) -> None:
    with Client("test", address=server.address) as client:
        job = client.insert_file(data, kind)  # type: ignore[arg-type]
        while not isinstance(event := client.events.get(timeout=120), (Finished, Failed)):
            pass
    assert isinstance(event, Failed) and event.job == job
    assert event.failure.code == "bad-request" and event.failure.message, event.failure


# --- those who do not read -------------------------------------------------------------------------------------------


class Deaf:
    """A websocket on a plain socket that never reads after its handshake."""

    def __init__(self, server: Any) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {server.address.token}\r\n{UPGRADE}\r\n"
        self.socket.sendall(request.encode())
        assert b"101" in self.socket.recv(15)
        self.say({"type": "hello", "protocol": 1, "client": "deaf", "session": "deaf-session"})

    def say(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        self.socket.sendall(struct.pack(">BBH", 0x81, 0x80 | 126, len(body)) + bytes(4) + body)  # a mask of zeros


def test_a_reader_that_stalls_costs_little_memory_and_in_the_end_its_connection(start_server: Any) -> None:
    server = start_server(send_seconds=3)
    with Client("artist", address=server.address) as artist:
        events = list(artist.run("foreground", Parameters(prompt="@big:2048"), keep=True, timeout=120))
        assert isinstance(events[-1], Finished)
        job = events[-1].job
    memory = Peak(server.pid)
    deaf = Deaf(server)
    for _ in range(200):  # 200 x 16 MiB are asked for
        deaf.say({"type": "attach", "job": job})
    deadline = time.monotonic() + 120
    while not any(line["event"] == "gave up on a client" for line in server.log()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.05)
    deaf.socket.close()

    assert memory.growth < 40 << 20
    assert is_alive(server)


def test_a_client_that_asks_and_never_reads_is_dropped(start_server: Any) -> None:
    server = start_server(unanswered=100)
    memory = Peak(server.pid)
    greedy = Deaf(server)
    with pytest.raises(OSError):
        for _ in range(1_000_000):
            greedy.say({"type": "history"})
    greedy.socket.close()

    assert memory.growth < 20 << 20
    assert is_alive(server)


def test_names_of_files_are_harmless(server: Any) -> None:
    with Client("test", address=server.address) as client:
        done = list(client.run("foreground", Parameters(prompt="../../etc/passwd\n\x1b $(rm)"), timeout=120))[-1]
        assert isinstance(done, Finished)
        client.export([done.job], "ora")
        while not hasattr(event := client.events.get(timeout=120), "file"):
            pass

    assert "/" not in event.file.name and not event.file.name.startswith(".")  # type: ignore[union-attr]
    assert content_id(event.data) == event.file.sha256  # type: ignore[union-attr]


def test_uploads_that_no_job_uses_stay_within_their_limit(start_server: Any) -> None:
    """Also while nothing runs, and after a start."""
    server = start_server(upload_bytes=3 * 2**20, fresh_seconds=0)
    with open_raw(server) as connection:
        hello(connection)
        for number in range(8):
            data = bytes([number]) * 2**20
            sha256 = content_id(data)
            connection.send(json.dumps({"type": "upload", "sha256": sha256, "format": "file", "bytes": len(data)}))
            connection.send(pack_header(UploadPart(sha256, 0, len(data))) + data)
            while not (said := receive(connection)).get("complete"):
                assert said["type"] in ("have", "engine"), said
    kept = sum(path.stat().st_size for path in (server.folder / "blobs").rglob("*") if path.is_file())
    assert kept <= 3 * 2**20
