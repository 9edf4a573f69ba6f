"""How many files the server may hold open, how many of them may be sockets, and what is said when none is left.

Knows the system's limit; knows no connection. Strangers' sockets must not use up what database, blobs and workers need.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from .settings import Settings

log = logging.getLogger(__name__)

WANTED = 8192
OWN = 32
"""What the server itself holds open: database, log, listening sockets, pipes to its workers, and some to spare."""

NONE_LEFT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
SAID_AGAIN_SECONDS = 60.0


def raise_limit() -> int | None:
    """Ask for as many as are wanted; how many there may be then. `None` where there is no such limit."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = hard == resource.RLIM_INFINITY
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, WANTED if unlimited else min(hard, WANTED)), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def within(limit: int | None, settings: Settings) -> Settings:
    """The settings with no more sockets than fit: two thirds of what the server does not need itself, as clients may have layers
    open as well. Of these a quarter is for those who are still at the door, so that who is one too many is told."""
    if limit is None:
        return settings
    sockets = min(settings.sockets, max(4, (limit - OWN) * 2 // 3))
    return replace(settings, sockets=sockets, connections=min(settings.connections, max(1, sockets * 3 // 4)))


class Complaints:
    """Says once a minute that no file is left, where asyncio would log a traceback for every client that knocks."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._said_at = clock, float("-inf")

    def take(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A handler for `loop.set_exception_handler`."""
        error = context.get("exception")
        if not isinstance(error, OSError) or error.errno not in NONE_LEFT or "socket" not in context:
            loop.default_exception_handler(context)
        elif self._clock() - self._said_at >= SAID_AGAIN_SECONDS:
            self._said_at = self._clock()
            log.warning("a client cannot be let in", extra={"reason": error.strerror})
