"""How far an enlargement has come: phases, each with its share of the job. Knows numbers."""

from __future__ import annotations

from collections.abc import Callable

from acetate.raster import RGBA

from ..values.request import Progress


class Meter:
    """How much of a job is done, phase by phase; it never decreases."""

    def __init__(self) -> None:
        self._start = self._end = 0.0
        self.fraction = 0.0
        """Share of the whole job that is done, in [0, 1]."""

    def begin(self, end: float) -> None:
        """Begin a phase that brings the job to `end`, in [0, 1]."""
        self._start, self._end = self._end, end

    def at(
        self, stage: str, step: int, steps: int, share: float | None = None, preview: Callable[[], RGBA] | None = None
    ) -> Progress:
        """Progress within the phase: `share` of it in [0, 1], or `step` of `steps`. `preview` makes an `(h, w, 4)` picture."""
        share = step / steps if share is None else share
        self.fraction = max(self.fraction, min(1.0, self._start + (self._end - self._start) * share))
        return Progress(stage=stage, step=step, steps=steps, fraction=self.fraction, preview=preview)
