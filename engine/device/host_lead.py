"""Keeps the host close behind its device: a step is queued far faster than it is done.

Left alone the host queues all steps of a picture at once. Progress would then be told before it is made, and a cancel would find
everything queued already: up to a second of work on an H200, many on smaller cards.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch

IMMEDIATE = ("cpu", "meta")
"""Kinds of device whose work is done when the call returns."""


class Mark(Protocol):
    """A place in the device's queue, such as `torch.Event`."""

    def record(self) -> None: ...

    def synchronize(self) -> None: ...


class OneStepAhead:
    """Paces one loop of steps on `device`; `mark` makes a mark in its queue."""

    def __init__(self, device: torch.device, mark: Callable[[torch.device], Mark] = torch.Event) -> None:
        self._device, self._mark = device, mark
        self._before: Mark | None = None

    def step(self) -> None:
        """Call it when a step has been queued: it waits until the step before is done, so the device never waits for the host."""
        if self._device.type in IMMEDIATE:
            return
        mark = self._mark(self._device)
        mark.record()
        if self._before is not None:
            self._before.synchronize()
        self._before = mark
