"""How long a warm layer takes on an idle machine, and beside programs that keep it busy: with idle threads that spin as long as
OpenMP's default has them, with those that soon sleep (`engine/device/idle_threads.py`), and with no more of them than other
programs leave cores (`engine/device/busy_cores.py`).

Processes of their own, as the environment counts when torch is loaded. Knows no torch.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping

import psutil

from ..device.idle_threads import SPINS

BUSY = 2
"""Neighbours that each keep a core busy."""

DEFAULTS: Mapping[str, str] = {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "200"}
"""What OpenMP takes where nothing is set."""
ALL_CORES: Mapping[str, str] = {"OMP_NUM_THREADS": str(psutil.cpu_count(logical=False) or 1)}
WAYS: Mapping[str, Mapping[str, str]] = {
    "idle threads spin": {**DEFAULTS, **ALL_CORES},
    "idle threads sleep": {**SPINS, **ALL_CORES},
    "as many threads as cores are left": SPINS,
}
"""The environment of each way. The last is how the engine runs where a person has set nothing."""

LAYERS = """
import sys, time
from acetate.engine import Engine, Request
engine = Engine("cpu")
for _ in range(4):
    began = time.perf_counter()
    list(engine.run(Request(prompt="a red apple")))
    print(time.perf_counter() - began, flush=True)
"""


def measure(rounds: int = 3) -> dict[str, float]:
    """Median seconds of a warm layer by way and neighbours; the ways take turns, so that what else runs slows them alike."""
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        for busy in (0, BUSY):
            for way, environment in WAYS.items():
                with _neighbours(busy):
                    seconds.setdefault(f"{way}, {busy} busy neighbours", []).extend(_warm_layers(environment))
    return {name: statistics.median(values) for name, values in seconds.items()}


def _warm_layers(environment: Mapping[str, str]) -> list[float]:
    inherited = {name: value for name, value in os.environ.items() if name not in ALL_CORES}
    words = [sys.executable, "-c", LAYERS]
    done = subprocess.run(words, env={**inherited, **environment}, check=True, capture_output=True, text=True)
    return [float(line) for line in done.stdout.split()][1:]


@contextlib.contextmanager
def _neighbours(count: int) -> Iterator[None]:
    """Programs that do nothing but compute."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
