"""How far a job has come: encodes, denoising steps and decoder passes, counted alike. Knows numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..values.request import Progress


@dataclass
class Meter:
    """Counts the steps of a whole job."""

    total: int
    done: int = 0

    def skip(self, steps: int) -> None:
        """Count steps that were not needed."""
        self.done += steps

    def progress(self, stage: str, step: int, steps: int, preview: Any = None) -> Progress:
        """The next event, and the share of the job that is done by then."""
        self.done += 1
        return Progress(stage=stage, step=step, steps=steps, fraction=min(1.0, self.done / self.total), preview=preview)
