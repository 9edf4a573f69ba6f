"""The engine's lane inside a worker: `submit` messages become layers, previews stay within their budget.

Knows the engine's contract and the reports; knows no pipe.
"""

from __future__ import annotations

import importlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from acetate.engine import RGBA, Picture, Progress
from acetate.protocol import Box
from acetate.protocol import messages as wire
from acetate.protocol.frames import PreviewFrame
from acetate.vocabulary.stacking import Stacking
from acetate.vocabulary.tasks import TASKS

from .layers import save
from .requests import CanvasTarget, target
from .worker_messages import ReportWithPayload, RunJob

PREVIEW_SIDE = 256
FIRST_PREVIEW_SECONDS = 0.002
"""What the first preview is assumed to cost."""


class PreviewBudget:
    """Decides when a preview may be made: not more often than every `interval` seconds, and within `share` of the time so far."""

    def __init__(self, interval: float, share: float, clock: Callable[[], float] = time.perf_counter) -> None:
        self.interval = interval
        self.share = share
        self.spent = 0.0
        self._clock = clock
        self._costs: deque[float] = deque(maxlen=4)
        """What the last previews cost, in seconds. The least is expected of the next: a pause of the machine while one was made
        says nothing about previews, and is accounted for in `spent`."""
        self.begin()

    def begin(self) -> None:
        """Start the accounts of a new job."""
        self._started = self._clock()
        self._last = self._started - self.interval
        self.spent = 0.0

    def allows(self) -> bool:
        """Whether a preview may be made now."""
        now = self._clock()
        expected = min(self._costs, default=FIRST_PREVIEW_SECONDS)
        return now - self._last >= self.interval and self.spent + expected <= self.share * (now - self._started)

    def make(self, preview: Callable[[], RGBA]) -> RGBA:
        """Make a preview, thin it to at most `PREVIEW_SIDE` pixels a side, and account for its cost."""
        self._last = self._clock()
        small = preview()
        thin = -(-max(small.shape[:2]) // PREVIEW_SIDE)
        small = np.ascontiguousarray(small[::thin, ::thin])
        cost = self._clock() - self._last
        self.spent += cost
        self._costs.append(cost)
        return small


class EngineJobs:
    """The backend that makes the engine and runs `submit`, one job at a time."""

    def __init__(
        self,
        engine: str,
        device: str | None,
        incoming: Path,
        budget: PreviewBudget,
        how: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`how` has the options of the engine that are not at their defaults: another engine may offer no choice."""
        module, _, name = engine.partition(":")
        self._engine = getattr(importlib.import_module(module), name)(device=device, **how)
        self._incoming = incoming
        self._budget = budget

    def describe(self) -> Mapping[str, Any]:
        description: Mapping[str, Any] = self._engine.describe()
        return description

    def unload(self) -> None:
        self._engine.unload()

    def preload(self, model: str) -> None:
        self._engine.open(model)

    def opened(self) -> tuple[str, ...]:
        return tuple(self._engine.opened())

    def run(self, command: RunJob) -> Iterator[ReportWithPayload]:
        """Run a job, yielding its reports. Closing the iterator stops the engine between two steps."""
        submit = command.order
        assert isinstance(submit, wire.Submit)
        aim = target(submit, command.files)
        stacking = stacking_of(submit)
        self._budget.begin()
        index = 0
        steps = self._engine.run(aim.request)
        try:
            for item in steps:
                if isinstance(item, Picture):
                    yield save(stacking, item, index, _place(aim, item), self._incoming, crop=submit.crop)
                    index += 1
                else:
                    yield wire.Progress(submit.job, item.stage, item.step, item.steps, item.fraction), b""
                    if submit.previews:
                        yield from self._preview(submit.job, item)
        finally:
            steps.close()

    def _preview(self, job: str, progress: Progress) -> Iterator[ReportWithPayload]:
        if progress.preview is not None and self._budget.allows():
            small = self._budget.make(progress.preview)
            yield PreviewFrame(job, small.shape[1], small.shape[0], small.nbytes), small.tobytes()


def stacking_of(submit: wire.Submit) -> Stacking:
    """How the layers of a job are arranged."""
    asked = submit.parameters
    return Stacking(submit.task, asked.prompt, TASKS[submit.task].makes, asked.count, submit.name, submit.job)


def _place(aim: CanvasTarget, picture: Picture) -> Box:
    """Where the picture goes on the canvas."""
    return aim.box or Box(aim.x, aim.y, picture.rgba.shape[1], picture.rgba.shape[0])
