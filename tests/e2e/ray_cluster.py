"""A real Ray cluster on loopback: a head and nodes that are processes of this machine, each ended by its id."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from acetate.server.commands.bench_ray import head_words, node_command, own_token

DEADLINE = 240.0
"""Seconds after which a test gives up; nothing here takes longer unless it is broken."""


class Node:
    """`ray start` in the foreground, with everything that it has started."""

    def __init__(self, *words: str, **environment: str) -> None:
        quiet = subprocess.DEVNULL
        env = {**os.environ, **environment}
        self.process = psutil.Popen(node_command(*words), env=env, stdin=quiet, stdout=quiet, stderr=quiet)

    def actors(self) -> list[psutil.Process]:
        """The processes of the actors that run on it."""
        return [one for one in self._family() if "DeviceActor" in _title(one)]

    def kill(self) -> None:
        """As a power cut does, all at once."""
        family = [*self._family(), self.process]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(family, timeout=60)

    def _family(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return list(self.process.children(recursive=True))
        return []


class LocalCluster:
    """A head without devices, and the nodes that were added."""

    def __init__(self, folder: str, **environment: str) -> None:
        self.environment = {**own_token(), **environment}
        """What a process needs that joins the cluster, or is to use it."""
        self.address, head = head_words(folder)
        self.nodes = [Node(*head, "--num-cpus", "0", "--num-gpus", "0", **self.environment)]
        host, _, port = self.address.partition(":")
        _until(lambda: _answers(host, int(port)))

    def add(self, *, cpus: int = 0, gpus: int = 0) -> Node:
        """A machine joins, with so many devices; returns before it has."""
        words = ("--address", self.address, "--num-cpus", str(cpus), "--num-gpus", str(gpus))
        node = Node(*words, **self.environment)
        self.nodes.append(node)
        return node


@contextlib.contextmanager
def local_cluster(**environment: str) -> Iterator[LocalCluster]:
    """A cluster whose processes have these variables; it is ended afterwards."""
    folder = tempfile.mkdtemp(prefix="ray-")  # a short path: sockets lie in it
    cluster = LocalCluster(folder, **environment)
    try:
        yield cluster
    finally:
        for node in reversed(cluster.nodes):
            node.kill()
        shutil.rmtree(Path(folder), ignore_errors=True)


def _title(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.1)
