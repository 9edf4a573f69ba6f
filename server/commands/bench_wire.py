"""What the wire costs, next to two baselines: a plain loopback copy, and PNG over HTTP as a web interface does it.

Runs a real server process with the fake engine, so that everything but the drawing is measured. Knows no terminal.
"""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from acetate.engine import RGBA, Request
from acetate.protocol import Address, Client, Connected, Failed, Finished, LayerReady, Parameters

SIDES = (1024, 2048, 4096, 8192)
PNG_SIDES = (1024, 2048)
"""The sides that are measured as PNG too, which takes many seconds for larger ones."""

SERVE = "import sys; from acetate.server.__main__ import main; sys.exit(main(['serve', '--port', '0', '--engine', 'fake']))"


@dataclass(frozen=True)
class Transfer:
    """A whole opaque layer, server to client. Milliseconds; medians of several, layer and copy in turn, so that
    whatever else the machine does affects both."""

    side: int
    layer: float
    """The time from asking for a finished layer until its last byte is in the client's queue."""
    copy: float
    """The time of as many bytes through a plain loopback socket into memory."""
    png: float | None
    """The time of the same picture as PNG over HTTP: encoded, fetched, decoded."""

    @property
    def ratio(self) -> float:
        return self.layer / self.copy


@dataclass(frozen=True)
class WireTimes:
    """The times that were measured, in milliseconds; medians of several."""

    connect: float
    """How long it takes to connect, up to the server's greeting."""
    overhead: float
    """The time of a job with a 1024 x 1024 layer, from submit to the last byte, less the engine's own."""
    start: float
    """The time from a cold start of the server until it listens."""
    transfers: tuple[Transfer, ...]


def measure(sides: tuple[int, ...] = SIDES, repeats: int = 9) -> WireTimes:
    """Run everything once; takes about a minute."""
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (address, start):
        connect = median(_timed(lambda: _connect(address)) for _ in range(repeats))
        with Client("bench", address=address) as client:
            _job(client, 1024)  # the worker has started, the picture is in its memory
            overhead = median(_overhead(client) for _ in range(2 * repeats))
            transfers = tuple(_transfer(client, side, repeats) for side in sides)
    return WireTimes(connect, overhead, start, transfers)


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[Address, float]]:
    """A server for this measurement, and the milliseconds until it listened."""
    began = time.perf_counter()
    environment = {**os.environ, "ACETATE_HOME": str(folder)}
    process = subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        start = 1000 * (time.perf_counter() - began)
        said = json.loads((folder / "server.json").read_text())
        yield Address(said["url"], said["token"]), start
    finally:
        process.terminate()
        process.communicate()


def _connect(address: Address) -> None:
    client = Client("bench", address=address)
    client.connect()
    while not isinstance(client.events.get(timeout=60), Connected):
        pass
    client.close()


def _job(client: Client, side: int) -> str:
    last = None
    for last in client.run("foreground", Parameters(prompt=f"@big:{side}"), keep=True):
        if isinstance(last, Failed):
            raise RuntimeError(str(last.failure))
    assert isinstance(last, Finished)
    return last.job


def _overhead(client: Client) -> float:
    """Milliseconds from submit to the last byte of a picture that the fake engine has ready."""
    began = time.perf_counter()
    arrived = began
    for event in client.run("foreground", Parameters(prompt="@big:1024", steps=1), keep=True):
        if isinstance(event, LayerReady):
            arrived = time.perf_counter()
    return 1000 * (arrived - began)


def _transfer(client: Client, side: int, repeats: int) -> Transfer:
    job = _job(client, side)
    size = side * side * 4
    layer, copy = map(median, zip(*((_fetch(client, job), loopback_copy(size)) for _ in range(repeats)), strict=True))
    png = None
    if side in PNG_SIDES:
        picture = _picture(side)
        png = median(_png_over_http(picture) for _ in range(min(repeats, 3)))
    return Transfer(side, layer, copy, png)


def _fetch(client: Client, job: str) -> float:
    """Milliseconds until the layer is whole. The job is followed to its end, or the next fetch would meet this one's end."""
    began = time.perf_counter()
    arrived = None
    for event in client.follow(job):
        if isinstance(event, LayerReady):
            arrived = time.perf_counter()
    if arrived is None:
        raise RuntimeError(f"job {job} has brought no layer")
    return 1000 * (arrived - began)


def loopback_copy(size: int) -> float:
    """Milliseconds for `size` bytes from one process's memory through a socket into another's: the floor of any transport."""
    program = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True);"
        f"data = b'x' * {size}; c = s.accept()[0]; c.recv(1); c.sendall(data); c.recv(1)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as source:

            def fetch() -> None:
                target = memoryview(bytearray(size))
                source.send(b"?")
                while target:
                    target = target[source.recv_into(target) :]

            taken = _timed(fetch)
            source.send(b"!")
    return taken


def _picture(side: int) -> RGBA:
    """The fake engine's opaque square, which the transfer also carries."""
    from ..worker.fake_engine import draw

    return draw(Request(prompt=f"@big:{side}"), "foreground", 0)


def _png_over_http(picture: RGBA) -> float:
    """Milliseconds of the usual route: Pillow's PNG encoder at its level 4, one HTTP response, Pillow's decoder."""
    from PIL import Image

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            packed = io.BytesIO()
            Image.fromarray(picture).save(packed, "PNG", compress_level=4)
            self.send_response(200)
            self.send_header("Content-Length", str(packed.tell()))
            self.end_headers()
            self.wfile.write(packed.getvalue())

        def log_message(self, format: str, *arguments: object) -> None:
            """Print nothing, which would cost time."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()

        def fetch() -> None:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/") as answer:
                np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGBA"))

        return _timed(fetch)


def _timed(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - began)


def rows(times: WireTimes) -> list[tuple[str, str]]:
    """The rows of a table: name and value."""
    found = [
        ("server: cold start until it listens", f"{times.start:.0f} ms"),
        ("client: connect to first byte", f"{times.connect:.1f} ms"),
        ("job at 1024 x 1024: overhead beyond the engine", f"{times.overhead:.1f} ms"),
    ]
    for transfer in times.transfers:
        value = f"{transfer.layer:.0f} ms = {transfer.ratio:.2f} x a loopback copy ({transfer.copy:.0f} ms)"
        if transfer.png is not None:
            value += f"; PNG over HTTP {transfer.png:.0f} ms = {transfer.png / transfer.layer:.0f} x"
        found.append((f"layer of {transfer.side} x {transfer.side}", value))
    return found
