"""What a worker in a Ray cluster costs next to one on this machine, and how much more several of them do.

Starts a cluster of one node on this machine, and servers with the fake engine, which sleeps instead of drawing: so that workers
do not compete for the processor, which they would not do on machines of their own. Knows no terminal.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from acetate.protocol import Address, Client, Engine, Failed, Finished, Parameters

from .bench_wire import overhead_of, running_server

WORKERS = (1, 2, 4)
JOBS = 6
"""Jobs for each worker."""
SLEEPING = Parameters(prompt="@sleep:0.1 a kite", steps=8)
"""A job of about a second."""
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Ray takes 127.0.0.1 for this machine's address on its network, and so would listen there."""
STORE_BYTES = 200 << 20
START_SECONDS = 180


@dataclass(frozen=True)
class RayTimes:
    """What was measured with so many workers, on this machine (`local`) and in the cluster (`ray`)."""

    workers: int
    local_overhead: float
    """Milliseconds of a job with a layer of 1024 x 1024 that the engine has ready, from submit to the last byte; medians."""
    ray_overhead: float
    local_rate: float
    """Jobs a second, of those that sleep."""
    ray_rate: float


def measure(workers: tuple[int, ...] = WORKERS, repeats: int = 9) -> list[RayTimes]:
    """Run everything once; takes about two minutes. Raises `RuntimeError` when a job fails."""
    with _cluster(max(workers)) as address:
        return [_measured(address, count, repeats) for count in workers]


def rows(times: list[RayTimes]) -> list[tuple[str, str, str]]:
    """The rows of a table: name, this machine, the cluster."""
    first = times[0]
    found = [("job at 1024 x 1024: overhead", f"{first.local_overhead:.1f} ms", f"{first.ray_overhead:.1f} ms")]
    for one in times:
        share = one.workers / first.workers
        local = f"{one.local_rate:.2f} jobs/s = {one.local_rate / first.local_rate / share:.2f} N"
        ray = f"{one.ray_rate:.2f} jobs/s = {one.ray_rate / first.ray_rate / share:.2f} N"
        found.append((f"{one.workers} workers" if one.workers > 1 else "1 worker", local, ray))
    return found


def _measured(cluster: str, workers: int, repeats: int) -> RayTimes:
    """Both ways in turn, so that whatever else the machine does affects both."""
    here = ("--device", ",".join(["cpu"] * workers))
    there = ("--ray", cluster, "--ray-workers", str(workers))
    with _client(workers, *here) as local, _client(workers, *there) as ray:
        pairs = [(overhead_of(local), overhead_of(ray)) for _ in range(2 * repeats)]
        local_overhead, ray_overhead = (median(column) for column in zip(*pairs, strict=True))
        return RayTimes(workers, local_overhead, ray_overhead, _rate(local, workers), _rate(ray, workers))


@contextlib.contextmanager
def _client(workers: int, *words: str) -> Iterator[Client]:
    """A client of a server of its own, on whose every device the model lies."""
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder), *words) as (address, _):
        _until_ready(address, workers)
        with Client("bench", address=address) as client:
            _all_done(client, workers)
            overhead_of(client)  # the picture is in a worker's memory
            yield client


def _rate(client: Client, workers: int) -> float:
    """Jobs a second."""
    began = time.perf_counter()
    _all_done(client, workers * JOBS)
    return workers * JOBS / (time.perf_counter() - began)


def _until_ready(address: Address, workers: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    with Client("bench", address=address) as client:
        engine = client.wait_until_connected().engine
        while sum(device.state == "ready" for device in engine.devices) < workers:
            event = client.events.get(timeout=deadline - time.monotonic())
            if isinstance(event, Engine):
                engine = event


def _all_done(client: Client, jobs: int) -> None:
    waiting = {client.submit("foreground", SLEEPING, previews=False) for _ in range(jobs)}
    while waiting:
        event = client.events.get(timeout=START_SECONDS)
        if isinstance(event, Failed):
            raise RuntimeError(str(event.failure))
        if isinstance(event, Finished):
            waiting.discard(event.job)
            client.acknowledge(event.job)


def node_command(*words: str) -> list[str]:
    """`ray start` with these words, on loopback and in the foreground: it ends what it has started when it is told to end."""
    quiet = ("--block", "--disable-usage-stats", "--node-ip-address", LOOPBACK, "--object-store-memory", str(STORE_BYTES))
    return [sys.executable, "-m", "ray.scripts.scripts", "start", *quiet, *words]


def head_words(folder: str) -> tuple[str, list[str]]:
    """The address of a new cluster, and the words that start its head, whose files go into `folder`."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = str(probe.getsockname()[1])
    return f"{LOOPBACK}:{port}", ["--head", "--port", port, "--include-dashboard", "false", "--temp-dir", folder]


def own_token() -> dict[str, str]:
    """Variables of a cluster that nobody else can use, for its nodes and its users."""
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}


@contextlib.contextmanager
def _cluster(cpus: int) -> Iterator[str]:
    """The address of a cluster of one node with so many places for workers; it ends with the measurement."""
    own = own_token()
    os.environ.update(own)  # for the servers, which are to use the cluster
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        address, words = head_words(folder)
        command = node_command(*words, "--num-cpus", str(cpus))
        node = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield address
        finally:
            node.terminate()
            node.wait()
            for name in own:
                os.environ.pop(name, None)
