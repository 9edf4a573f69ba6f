"""How long one client waits for an answer while another takes or asks as much as it can. Knows an address; knows no terminal.

The greedy client is a process of its own, so that only the server is shared.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles

from acetate.protocol import Address
from acetate.protocol.messages import VERSION
from acetate.protocol.pixels import LAYER_FORMATS
from websockets.sync.client import ClientConnection, connect

SECONDS = 3.0
"""How long each greedy client goes on; it finishes what it has begun."""

PAUSE = 0.01
"""Between two questions, in seconds."""

GREEDY = "import sys; from acetate.server.commands.bench_contention import be_greedy; be_greedy(*sys.argv[1:])"


@dataclass(frozen=True)
class Wait:
    """The round trip of one client's question, in milliseconds, while another does something."""

    meanwhile: str
    """What the other does: takes a layer in a format, asks for `history`, or nothing (`idle`)."""
    questions: int
    median: float
    p99: float


def measure(address: Address, job: str, seconds: float = SECONDS) -> tuple[Wait, ...]:
    """The waits while the job's layer is taken in each format, while history is asked for without pause, and in peace."""
    with _connected(address, "asks") as connection:
        return tuple(_wait(connection, address, what, job, seconds) for what in ("idle", *LAYER_FORMATS, "history"))


def be_greedy(url: str, token: str, what: str, job: str, seconds: str) -> None:
    """Do one thing without pause for so long, in a process of its own. Says when it begins."""
    with _connected(Address(url, token), "greedy") as connection:
        print(flush=True)
        until = time.monotonic() + float(seconds)
        while time.monotonic() < until:
            if what == "idle":
                time.sleep(PAUSE)
            elif what == "history":
                _ask(connection, {"type": "history", "limit": 100}, "history")
            else:
                _ask(connection, {"type": "attach", "job": job, "format": what}, "finished")


def _wait(connection: ClientConnection, address: Address, what: str, job: str, seconds: float) -> Wait:
    command = [sys.executable, "-c", GREEDY, address.url, address.token, what, job, str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        waits = list(_round_trips(connection, process))
    return Wait(what, len(waits), median(waits), quantiles(waits, n=100, method="inclusive")[-1])


def _round_trips(connection: ClientConnection, process: subprocess.Popen[bytes]) -> Iterator[float]:
    """Milliseconds of one question after the other, at least two, until the process ends."""
    asked = 0
    while process.poll() is None or asked < 2:
        began = time.perf_counter()
        _ask(connection, {"type": "jobs"}, "jobs")
        yield 1000 * (time.perf_counter() - began)
        asked += 1
        time.sleep(PAUSE)


def _connected(address: Address, session: str) -> ClientConnection:
    headers = {"Authorization": f"Bearer {address.token}"}
    connection = connect(address.url, additional_headers=headers, compression=None, proxy=None, max_size=None)
    hello = {"type": "hello", "protocol": VERSION, "client": "bench", "session": f"bench-{session}", "encodings": ["raw"]}
    _ask(connection, hello, "welcome")
    return connection


def _ask(connection: ClientConnection, message: dict[str, object], answer: str) -> None:
    """Send a message and wait for the answer of a type, or for what refuses it."""
    connection.send(json.dumps(message))
    while True:
        frame = connection.recv()
        if isinstance(frame, str) and json.loads(frame)["type"] in (answer, "error", "failed"):
            return


def rows(waits: tuple[Wait, ...]) -> list[tuple[str, str]]:
    """The rows of a table: name and value."""
    return [
        (f"another's answer, {_described(wait.meanwhile)}", f"{wait.median:.1f} ms; p99 {wait.p99:.0f} ms ({wait.questions})")
        for wait in waits
    ]


def _described(what: str) -> str:
    return {"idle": "in peace", "history": "while history is asked for"}.get(what, f"while a layer is taken as {what}")
