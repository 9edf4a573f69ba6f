"""What one connection still has to be told: answers first, then the newest progress, then layers part by part.

Knows three lanes and their bounds; knows no socket. Nothing grows with the size of pictures: a slow reader costs names,
not pixels.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque

OutgoingFrame = str | bytes | memoryview


class Frames(ABC):
    """Frames that are made one at a time, when the connection can take the next."""

    @abstractmethod
    async def next(self) -> OutgoingFrame | None:
        """The next frame, or `None` at the end. What it holds may be another when the one after it is asked for."""

    def close(self) -> None:  # noqa: B027 (most frames have nothing to let go of)
        """Let go of what the frames are made from, as nobody takes them any more."""


class Outbox:
    """What one connection is still to be sent. Entries come out in this order of preference:

    * `answer`: in order, never dropped; too many of them end the connection, as their reader does not read;
    * `live`: one slot per key, the newest wins;
    * `ordered`: in order, after each other; texts, and `Frames` that come out piece by piece between the other two lanes.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._answers: deque[OutgoingFrame] = deque()
        self._live: dict[tuple[str, str], OutgoingFrame] = {}
        self._ordered: deque[OutgoingFrame | Frames] = deque()
        self._changed = asyncio.Event()
        self.overflown = False
        """Whether the client leaves so much unread that its connection has to end."""

    def answer(self, *frames: OutgoingFrame) -> None:
        """Add frames that come before all others, in order."""
        if not self.overflown:
            self._answers.extend(frames)
            self._check()

    def live(self, job: str, kind: str, frame: OutgoingFrame) -> None:
        """Add a frame that replaces an unsent one of the same job and kind."""
        self._live[job, kind] = frame
        self._changed.set()

    def ordered(self, *entries: OutgoingFrame | Frames) -> None:
        """Add entries that come after all others, in order."""
        if not self.overflown:
            self._ordered.extend(entries)
            self._check()

    def forget_live(self, job: str) -> None:
        """Drop the progress of a job that is over."""
        for key in [key for key in self._live if key[0] == job]:
            del self._live[key]

    @property
    def is_empty(self) -> bool:
        """Whether everything that must not be lost has been taken."""
        return not (self._answers or self._ordered)

    def close(self) -> None:
        """Let go of everything that has not been sent."""
        for entry in self._ordered:
            if isinstance(entry, Frames):
                entry.close()
        self._answers.clear()
        self._live.clear()
        self._ordered.clear()

    async def take(self) -> OutgoingFrame | None:
        """The next frame to send; waits for one. `None` when the outbox has overflown."""
        while not self.overflown:
            if self._answers:
                return self._answers.popleft()
            if self._live:
                return self._live.pop(next(iter(self._live)))
            if self._ordered:
                entry = self._ordered[0]
                frame = await entry.next() if isinstance(entry, Frames) else entry
                if frame is None or not isinstance(entry, Frames):
                    self._ordered.popleft()
                if frame is not None:
                    return frame
                continue
            self._changed.clear()
            await self._changed.wait()
        return None

    def _check(self) -> None:
        self._changed.set()
        if len(self._answers) + len(self._ordered) > self._bound:
            self.overflown = True
