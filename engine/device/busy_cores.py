"""How many threads a CPU computes with: as many as there are cores that other programs leave.

The threads of a parallel loop wait for the slowest of them. Beside programs that keep the cores busy one of them has always lost
its core, so two threads took longer than one there (docs/performance.md, section 4; `acetate bench neighbours`). A picture
that was drawn by another number of threads differs by rounding.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import NamedTuple

import psutil
import torch

from ..values.request import Picture, Progress

CHOSEN = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Where a person says how many threads there are to be."""
WINDOW = 0.25
"""Seconds from one look to the next at least: the system counts in hundredths of a second."""


class Usage(NamedTuple):
    """Seconds at one moment, each since some beginning of its own."""

    clock: float
    computed: float
    """By all programs, on all cores, but for those that make way for others."""
    own: float


def usage() -> Usage:
    """What the system has counted up to now."""
    counted = psutil.cpu_times()
    polite = hasattr(os, "getpriority") and os.getpriority(os.PRIO_PROCESS, 0) > 0
    computed = counted.user + counted.system + (getattr(counted, "nice", 0.0) if polite else 0.0)
    return Usage(time.monotonic(), computed, time.process_time())


class Threads:
    """The number of threads of this process; it follows what other programs leave."""

    def __init__(
        self,
        cores: int | None = None,
        read: Callable[[], Usage] = usage,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """Of `cores`, those that this process may use. Where `environment` says how many threads there are to be, it stays."""
        self._most = torch.get_num_threads()
        self._cores = cores or psutil.cpu_count() or self._most
        self._number, self._read, self._before = self._most, read, read()
        self._is_chosen = any(name in environment for name in CHOSEN)

    def beside(self, events: Iterator[Progress | Picture]) -> Iterator[Progress | Picture]:
        """`events` as they come; between them it is looked what is left."""
        if self._is_chosen or self._most == 1:
            yield from events
            return
        torch.set_num_threads(self._number)
        try:
            with closing(events):  # type: ignore[type-var]
                for event in events:
                    yield event
                    self._look()
        finally:
            torch.set_num_threads(self._most)

    def _look(self) -> None:
        now, before = self._read(), self._before
        passed = now.clock - before.clock
        if passed < WINDOW:
            return
        self._before = now
        if passed > 20 * WINDOW:  # what was going on long ago says nothing of the present
            return
        others = max(0.0, (now.computed - before.computed) - (now.own - before.own)) / passed
        self._number = min(self._most, max(1, round(self._cores - others)))
        torch.set_num_threads(self._number)
