"""How long a running job will still take: from its own steps, and from what the same work took before. Knows no clock and no
queue.

Loading is no step: however long it takes, nothing after it goes at that pace, and the first step after it may be slow as well
(kernels are chosen, graphs captured). So the pace is measured from the end of that step on, and until there is enough of it, the
pace of the last time counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from acetate.protocol import messages as wire
from acetate.protocol.schema import encode

from ..storage.store import Store

NOTE = "paces"
REMEMBERED = 200
"""How many kinds of work are remembered, the latest used last."""
FREE = ("prompt", "negative_prompt", "prompts", "layer_prompts", "seed")
"""The parameters that take no time."""


@dataclass
class Course:
    """The steps of one attempt at a job. `expected` are the seconds that the whole of such a job has taken, without loading."""

    expected: float | None = None
    _since: tuple[float, float] | None = None
    """The time and share at which the first step after loading had ended."""

    def take(self, step: wire.Progress, now: float) -> float | None:
        """Note a step that has ended at `now`, in seconds; returns how many are left, or `None` while nobody can tell."""
        if step.stage == "load":
            self._since = None
            return None
        if self._since is None:
            self._since = now, step.fraction
        since, first = self._since
        done = step.fraction - first
        if done > 0:
            measured = (now - since) / done
            trust = 1.0 if self.expected is None else done / (1 - first)
            pace = trust * measured + (1 - trust) * (self.expected or 0.0)
        elif self.expected is not None:
            pace = self.expected
        else:
            return None
        return round(pace * (1 - step.fraction), 1)

    def whole(self, now: float) -> float | None:
        """What the whole job has taken at its pace, now that it is over; `None` if that was never measured."""
        if self._since is None or self._since[1] >= 1:
            return None
        since, first = self._since
        return (now - since) / (1 - first)


class Paces:
    """What each kind of work took the last time, remembered over restarts of the server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        known = store.note(NOTE)
        self._seconds: dict[str, float] = {
            str(work): float(seconds)
            for work, seconds in (known.items() if isinstance(known, dict) else ())
            if isinstance(seconds, (int, float))
        }

    def course(self, work: str) -> Course:
        """A new attempt at such work."""
        return Course(self._seconds.get(work))

    def learn(self, work: str, course: Course, now: float) -> None:
        """Note that the work is done."""
        seconds = course.whole(now)
        if seconds is None:
            return
        self._seconds.pop(work, None)
        self._seconds[work] = round(seconds, 3)
        for oldest in list(self._seconds)[:-REMEMBERED]:
            del self._seconds[oldest]
        self._store.set_note(NOTE, self._seconds)


def work_of(device: str, order: wire.Submit) -> str:
    """What takes the same time on a device: the same task at the same size with the same parameters but for words and seed."""
    asked = {name: value for name, value in encode(order.parameters).items() if name not in FREE}
    size = (order.box.width, order.box.height) if order.box is not None else None
    return json.dumps([device, order.task, size, asked], sort_keys=True)
