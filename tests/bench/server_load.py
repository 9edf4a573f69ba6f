"""What one server process carries, with the fake engine: connections, jobs and bytes, in processor time of the server alone.

Processor time says on a shared machine what a clock does not. `python tests/bench/server_load.py` prints the numbers of
docs/scaling.md ("On paper"); every one is the median of `ROUNDS`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from websockets.asyncio.client import ClientConnection, connect

ROUNDS = 5
SERVE = """
import dataclasses, json, pathlib, sys
from acetate.server.http.serve import run
from acetate.server.settings import Settings
values = json.loads(sys.argv[1])
known = {field.name for field in dataclasses.fields(Settings)}
sys.exit(run(Settings(folder=pathlib.Path(values.pop("folder")), **{name: one for name, one in values.items() if name in known})))
"""
MANY = 5000
SETTINGS = {
    "port": 0,
    "engine": "acetate.server.worker.fake_engine:FakeEngine",
    **dict.fromkeys(("connections", "connections_per_person", "sockets", "jobs", "jobs_per_person"), MANY),
}
ENDS = ("finished", "failed", "cancelled", "error")


class Server:
    """A server process in a folder of its own."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        command = [sys.executable, "-c", SERVE, json.dumps({**SETTINGS, "folder": folder})]
        self.process = psutil.Popen(command, stdout=subprocess.DEVNULL)
        while not (self._folder / "server.json").exists():
            assert self.process.poll() is None, "the server did not start"
            time.sleep(0.05)
        self._state = json.loads((self._folder / "server.json").read_text())

    async def client(self, **hello: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {self._state['token']}"}
        socket = await connect(self._state["url"], additional_headers=headers, max_size=2**23, proxy=None)
        said = {"type": "hello", "protocol": 1, "client": "load", "session": secrets.token_hex(8), **hello}
        await socket.send(json.dumps(said))
        await socket.recv()
        return socket

    @property
    def seconds(self) -> float:
        """The processor time that the server itself has taken, without its workers."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    @property
    def megabytes(self) -> float:
        return float(self.process.memory_info().rss / 2**20)


async def job(socket: ClientConnection, prompt: str, **parameters: Any) -> tuple[str, int, int]:
    """Run a job; its id, and how many frames and bytes it took."""
    name, frames, size = secrets.token_hex(8), 0, 0
    asked = {"prompt": prompt, "seed": secrets.randbits(16), **parameters}
    await socket.send(json.dumps({"type": "submit", "job": name, "task": "foreground", "parameters": asked}))
    while True:
        frame = await socket.recv()
        frames, size = frames + 1, size + len(frame)
        if isinstance(frame, str):
            said = json.loads(frame)
            if said["type"] in ENDS and said.get("job") == name:
                await socket.send(json.dumps({"type": "acknowledge", "job": name}))
                return name, frames, size


async def taken(server: Server, work: Callable[[], Awaitable[Any]]) -> tuple[float, float, Any]:
    """Processor seconds of the server and seconds of the clock that some work takes, and what it returns."""
    before, began = server.seconds, time.perf_counter()
    result = await work()
    await asyncio.sleep(0.2)  # what is left to do after the last answer
    return server.seconds - before, time.perf_counter() - began - 0.2, result


async def connections(server: Server) -> None:
    """What clients cost that only listen."""
    empty = server.megabytes
    for count in (100, 400, 500):
        clients: list[ClientConnection] = []
        spent, clock, clients = await taken(server, lambda count=count: _open(server, count))  # type: ignore[misc]
        grown = server.megabytes - empty
        idle = server.seconds
        await asyncio.sleep(25)  # a ping each
        idle = (server.seconds - idle) / 25
        each = f"{1000 * spent / count:.1f} ms each to connect, {grown / count * 1024:.0f} KiB each"
        print(f"{count} idle clients: {each}, {100 * idle:.1f} % of a core", flush=True)
        await asyncio.gather(*(client.close() for client in clients))


async def _open(server: Server, count: int) -> list[ClientConnection]:
    found: list[ClientConnection] = []
    for _ in range(0, count, 20):
        found += await asyncio.gather(*(server.client() for _ in range(20)))
    return found


async def jobs(server: Server) -> None:
    """Small jobs one after the other; jobs as an artist has them; fifty artists at once."""
    client = await server.client()
    await job(client, "warm @big:1024")
    costs = {"small, one after the other": [], "1024 x 1024, 20 steps, previews": []}  # type: dict[str, list[float]]
    for _ in range(ROUNDS):
        spent, _, _ = await taken(server, lambda: _in_turn(client, 40, "a kite"))
        costs["small, one after the other"].append(spent / 40)
        spent, clock, found = await taken(server, lambda: _in_turn(client, 3, "a kite @big:1024 @sleep:0.1", steps=20))
        costs["1024 x 1024, 20 steps, previews"].append(spent / 3)
    for name, each in costs.items():
        least, middle, most = (1000 * one for one in (min(each), median(each), max(each)))
        print(f"{name}: {middle:.1f} ms of the server's processor each ({least:.1f} to {most:.1f})", flush=True)
    print(f"   {found[-1][1]} frames, {found[-1][2] / 2**20:.1f} MiB a job of the second kind")
    clients = [await server.client() for _ in range(50)]
    rates, spents, frames = [], [], []
    for _ in range(ROUNDS):
        spent, clock, found = await taken(server, lambda: asyncio.gather(*(_in_turn(one, 4, "a kite") for one in clients)))
        rates.append(200 / clock)
        spents.append(spent / 200)
        frames.append(sum(count for lot in found for _, count, _ in lot) / 200)
    each_job = f"{1000 * median(spents):.1f} ms each, {median(frames):.0f} frames each"
    print(f"fifty clients, four small jobs each: {median(rates):.0f}/s, {each_job}", flush=True)
    await asyncio.gather(*(one.close() for one in (*clients, client)))


async def _in_turn(client: ClientConnection, count: int, prompt: str, **parameters: Any) -> list[tuple[str, int, int]]:
    return [await job(client, prompt, **parameters) for _ in range(count)]


async def pixels(server: Server) -> None:
    """A layer of 4096 x 4096 sent again, as it is stored and converted, raw and compressed."""
    client = await server.client()
    name, *_ = await job(client, "a square @big:4096")
    for format, encoding in (("rgba8", "raw"), ("bgra8", "raw"), ("rgba8", "zlib")):
        reader = await server.client(formats=[format], encodings=[encoding])
        spents, rates = [], []
        for _ in range(ROUNDS):
            spent, clock, size = await taken(server, lambda reader=reader: _again(reader, name))  # type: ignore[misc]
            spents.append(spent / (64 / 1024))
            rates.append(64 / clock)
        cost = f"{median(spents):.2f} s of processor a GiB of pixels, {median(rates):.0f} MiB/s here"
        print(f"{format} {encoding}: {cost} ({size / 2**20:.0f} MiB sent)", flush=True)
        await reader.close()
    await client.close()


async def _again(client: ClientConnection, name: str) -> int:
    size = 0
    await client.send(json.dumps({"type": "attach", "job": name}))
    while True:
        frame = await client.recv()
        size += len(frame)
        if isinstance(frame, str) and json.loads(frame)["type"] in ENDS:
            return size


async def main() -> None:
    """Print all numbers."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            print(f"at rest: {server.megabytes:.0f} MiB; load of the machine: {psutil.getloadavg()[0]:.1f}")
            await jobs(server)
            await pixels(server)
            await connections(server)
            print(f"at the end: {server.megabytes:.0f} MiB; load of the machine: {psutil.getloadavg()[0]:.1f}")
        finally:
            server.process.terminate()
            server.process.wait()


if __name__ == "__main__":
    asyncio.run(main())
