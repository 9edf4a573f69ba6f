"""How long a warm layer takes on an idle machine, and beside programs that keep it busy: with idle threads that spin as long as
OpenMP's default has them, and with those that soon sleep (`engine/device/idle_threads.py`).

Processes of their own, as the environment counts when torch is loaded. Knows no torch.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping

from ..device.idle_threads import SPINS

BUSY = 2
"""Neighbours that each keep a core busy."""

DEFAULTS: Mapping[str, str] = {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "200"}
"""What OpenMP takes where nothing is set."""

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
    ways = {"idle threads spin": DEFAULTS, "idle threads sleep": SPINS}
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        for busy in (0, BUSY):
            for way, spins in ways.items():
                with _neighbours(busy):
                    seconds.setdefault(f"{way}, {busy} busy neighbours", []).extend(_warm_layers(spins))
    return {name: statistics.median(values) for name, values in seconds.items()}


def _warm_layers(spins: Mapping[str, str]) -> list[float]:
    done = subprocess.run([sys.executable, "-c", LAYERS], env={**os.environ, **spins}, check=True, capture_output=True, text=True)
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
