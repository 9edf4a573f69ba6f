"""Wakes everyone who waits, each time that something has changed. Knows nobody."""

from __future__ import annotations

import asyncio


class WakeUp:
    """Take `next` before looking at how things are, then wait for it: no change is missed in between."""

    def __init__(self) -> None:
        self.next = asyncio.Event()
        """Set at the next change."""

    def set(self) -> None:
        """Something has changed."""
        self.next.set()
        self.next = asyncio.Event()
