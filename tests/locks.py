"""A lock that makes a race certain: a thread that holds it can wait until another one wants it."""

from __future__ import annotations

import threading


class ContendedLock:
    """Stands in for a `threading.Lock`; `wanted` is set as soon as somebody has to wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.wanted = threading.Event()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.wanted.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
