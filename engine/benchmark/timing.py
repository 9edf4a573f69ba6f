"""Time several ways of doing the same thing in turn, so that a busy machine slows all of them alike."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psutil
import torch

from ..device import glibc_malloc

Action = Callable[[], object]


@dataclass
class Times:
    """Repeated measurements of one action, in seconds."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """CPU seconds of all threads of this process: on a CPU shared with others they are the steadier of the two."""

    @property
    def seconds(self) -> float:
        """The median wall time."""
        return statistics.median(self.wall)

    @property
    def cpu_seconds(self) -> float:
        return statistics.median(self.cpu)

    def steady(self, device: torch.device) -> float:
        """For ratios: CPU time where the CPU is the device, wall time elsewhere."""
        return self.cpu_seconds if device.type == "cpu" else self.seconds


@dataclass(frozen=True)
class Contestant:
    """One way of doing things: named stages that are timed, and what has to be true before."""

    name: str
    stages: Mapping[str, Action]
    prepare: Action = lambda: None
    """Untimed, before every round: for example another memory layout of the shared weights."""
    finish: Action = lambda: None
    """Untimed, after every round: the networks as the engine believes them to be."""


def alternate(contestants: Sequence[Contestant], repeats: int, device: torch.device) -> dict[str, dict[str, Times]]:
    """Times by contestant and stage. Every round runs all stages of each in turn; one untimed round comes first."""
    times = {one.name: {stage: Times() for stage in one.stages} for one in contestants}
    for round_ in range(repeats + 1):
        for one in contestants:
            one.prepare()
            for stage, action in one.stages.items():
                measure(action, device, times[one.name][stage] if round_ else Times())
            one.finish()
    return times


def measure(action: Action, device: torch.device, times: Times) -> None:
    """Append one run of `action`, with the device's queue empty at both ends."""
    synchronize(device)
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    synchronize(device)
    times.wall.append(time.perf_counter() - wall)
    times.cpu.append(time.process_time() - cpu)


def synchronize(device: torch.device) -> None:
    """Wait until the device has done everything that was queued."""
    if device.type != "cpu":
        torch.accelerator.synchronize()


def peak_memory(action: Action, device: torch.device) -> int:
    """Bytes at the highest point of `action`: what the allocator holds of an accelerator; on the CPU the growth, sampled."""
    if device.type == "cpu":
        glibc_malloc.give_back()  # memory that earlier runs freed would be reused without being counted
        with _Sampler() as sampler:
            action()
        return sampler.growth
    torch.accelerator.empty_cache()
    torch.accelerator.reset_peak_memory_stats()
    action()
    return int(torch.accelerator.max_memory_reserved())


class _Sampler:
    """Reads the process's resident size every few milliseconds."""

    def __init__(self, interval: float = 0.005) -> None:
        self._process, self._interval, self._stop = psutil.Process(), interval, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> _Sampler:
        self._before = self._highest = self._resident()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def growth(self) -> int:
        return self._highest - self._before

    def _watch(self) -> None:
        while not self._stop.wait(self._interval):
            self._highest = max(self._highest, self._resident())

    def _resident(self) -> int:
        return int(self._process.memory_info().rss)
