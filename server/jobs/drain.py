"""The last jobs before the server stops: none is started any more, and those that run come to their end. Knows ids only."""

from __future__ import annotations

import asyncio


class Drain:
    """What runs, and whether anything may still be started. Waiting jobs stay in the store and run after the next start."""

    def __init__(self) -> None:
        self.begun = False
        """Whether no job is started any more."""
        self.at_rest = asyncio.Event()
        """Set once it has begun and nothing runs."""
        self.running: set[str] = set()

    def begin(self) -> None:
        """Let no job start from now on."""
        self.begun = True
        self._look()

    def started(self, job: str) -> None:
        self.running.add(job)

    def ended(self, job: str) -> None:
        """Note that a job has ended, or waits again as its runner was lost."""
        self.running.discard(job)
        self._look()

    def _look(self) -> None:
        if self.begun and not self.running:
            self.at_rest.set()
