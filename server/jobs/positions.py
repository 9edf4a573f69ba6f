"""What waiting jobs' watchers are told of their places: the first at once, changes now and then. Knows watchers; knows no queue.

When the first of 200 jobs begins, 199 places change. Told one by one as it happens, filling and emptying a queue costs
messages by the square of its length. So only the newest places are told, a few at a time: those first that have changed most,
in proportion.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from weakref import WeakKeyDictionary

from acetate.protocol import messages as wire

from ..delivery.subscriber import Subscriber
from .job import Job


class Positions:
    """Tells places. `waiting` lists all waiting jobs with their places; `most` is what one client is told every `seconds`."""

    def __init__(self, waiting: Callable[[], Iterable[tuple[Job, int]]], seconds: float, most: int) -> None:
        self._waiting, self._seconds, self._most = waiting, seconds, most
        self._told: WeakKeyDictionary[Subscriber, dict[str, int]] = WeakKeyDictionary()
        self._changed = asyncio.Event()

    def tell(self, job: Job, watchers: Iterable[Subscriber]) -> None:
        """Tell these watchers the place of a job now."""
        place = next((place for other, place in self._waiting() if other is job), 0)
        for watcher in watchers:
            self._say(watcher, job, place)

    def changed(self) -> None:
        """Places have changed; who watches will be told."""
        self._changed.set()

    async def work(self) -> None:
        """Tell changed places until this task is cancelled: at once after a silence, else every `seconds`."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            if self.tell_changed():
                self._changed.set()
            await asyncio.sleep(self._seconds)

    def tell_changed(self) -> bool:
        """Tell each client its most changed places; true if some are left for the next time."""
        due: defaultdict[Subscriber, list[tuple[float, int, Job]]] = defaultdict(list)
        waits: set[str] = set()
        for job, place in self._waiting():
            waits.add(job.id)
            for watcher in job.watchers:
                told = self._told.get(watcher, {}).get(job.id)
                if told != place:
                    change = 1.0 if told is None else abs(told - place) / (place + 1)
                    due[watcher].append((-change, place, job))
        for told_places in self._told.values():
            for gone in told_places.keys() - waits:
                del told_places[gone]
        for watcher, places in due.items():
            for _, place, job in sorted(places, key=lambda entry: entry[:2])[: self._most]:
                self._say(watcher, job, place)
        return any(len(places) > self._most for places in due.values())

    def _say(self, watcher: Subscriber, job: Job, place: int) -> None:
        self._told.setdefault(watcher, {})[job.id] = place
        watcher.tell(wire.Queued(job.id, place))
