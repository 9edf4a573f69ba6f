"""The time in which this process itself was running: what a worker's silence is measured by. Knows no worker."""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK_SECONDS = 1.0
"""How often the clock is looked at while something is measured by it."""
LONGEST_SECONDS = 2 * LOOK_SECONDS
"""What a longer stretch between two looks counts: in the rest this process did not run, and could not hear anything."""


class AwakeClock:
    """Seconds that stand still while this process does: in a paused container, after Ctrl+Z, while its event loop is held up."""

    def __init__(self, read: Callable[[], float] = time.monotonic) -> None:
        self._read = read
        self._looked = read()
        self._passed = 0.0

    def now(self) -> float:
        """Seconds since the clock was made; look at least every `LOOK_SECONDS`."""
        at = self._read()
        self._passed += min(at - self._looked, LONGEST_SECONDS)
        self._looked = at
        return self._passed
