"""Notices that models were added, removed or replaced, without asking an engine. Knows when to look; opens no file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


def library_stamp() -> int:
    """A number that changes with the installed files. Walks through folders, which may take seconds on a network drive."""
    from acetate.engine.files.library import Library  # not before a client is there

    return Library().stamp()


class ModelWatch:
    """Looks at the models' folders when a client comes, and every now and then while one is there."""

    def __init__(
        self,
        seconds: float,
        wanted: Callable[[], bool],
        changed: Callable[[], Awaitable[None]],
        stamp: Callable[[], int] = library_stamp,
    ) -> None:
        """`wanted` says whether anyone would hear of a change, which `changed` makes known."""
        self._seconds, self._wanted, self._changed, self._stamp = seconds, wanted, changed, stamp
        self._asked = asyncio.Event()
        self._known: int | None = None

    def look(self) -> None:
        """Look soon. However often it is called in the meantime, it is one look."""
        self._asked.set()

    async def work(self) -> None:
        """Look whenever it is time, until this task is cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._seconds if self._wanted() else None):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            await self._look()

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(self._stamp)
        except Exception:
            log.exception("the models' folders cannot be looked at")
            return
        before, self._known = self._known, found
        if before != found:  # also at first: who knows what has come since the engines looked
            await self._changed()
