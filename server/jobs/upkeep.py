"""What comes after a job: its end is stored, at once or as soon as that can be, and history and uploads keep within their limits.

Knows the store and the blobs; knows no queue. Nothing here fails: it comes after what clients were told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time

from ..delivery.subscriber import Subscriber
from ..settings import Settings
from ..storage.blobs import Blobs
from ..storage.faults import is_damage
from ..storage.retention import Retention
from ..storage.rows import End
from ..storage.store import Store

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0
"""How often ends that are held are tried again."""


class Upkeep:
    """Stores ends and makes room."""

    def __init__(self, settings: Settings, store: Store, blobs: Blobs) -> None:
        self._settings, self._store, self._blobs = settings, store, blobs
        self._retry: asyncio.TimerHandle | None = None
        self.present: set[Subscriber] = set()
        """The clients that are connected and have asked for a job: their newest results stay in any case."""

    def end(self, job: str, end: End) -> None:
        """Store the end of a job. One that cannot be stored is held: every answer says it from now on, and the next start too."""
        try:
            self._store.end(job, end.state, end.seconds, end.failure, end.notes)
        except Exception as error:
            log.exception("the end of a job could not be stored", extra={"job": job})
            if is_damage(error):
                self._store.distrust()
            self._store.hold_end(job, end)
            self._try_later()

    def evict(self) -> None:
        """Keep history and uploads within their limits."""
        settings, now = self._settings, time.time()
        kept = Retention(
            history_bytes=settings.history_bytes,
            upload_bytes=settings.upload_bytes,
            unacknowledged_bytes=settings.unacknowledged_bytes,
            unacknowledged_before=now - settings.unacknowledged_seconds,
            fresh_after=now - settings.fresh_seconds,
            recent_after=now - settings.recent_seconds,
            connected=frozenset(watcher.session for watcher in self.present),
        )
        try:
            self._store.store_held()
            for sha256 in self._store.evict(kept):
                self._blobs.remove(sha256)
        except sqlite3.Error as error:
            log.warning("nothing can be evicted", extra={"reason": str(error)})

    def _try_later(self) -> None:
        """Try to store what is held, again and again until nothing is."""
        with contextlib.suppress(RuntimeError):  # no event loop: the server is starting, or it is a test
            if self._retry is None or self._retry.when() < asyncio.get_running_loop().time():
                self._retry = asyncio.get_running_loop().call_later(RETRY_SECONDS, self._try_now)

    def _try_now(self) -> None:
        self._retry = None
        if not self._store.store_held():
            self._try_later()
