"""What a process's memory came to at its highest: what is read when all is over has been freed again, and shows nothing."""

from __future__ import annotations

from pathlib import Path

import psutil


class Peak:
    """Follows how far a process's resident memory rises from now on. The kernel keeps the highest value; nothing is sampled."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._status.with_name("clear_refs").write_text("5")  # proc(5): the highest value begins again with the present one
        self._before = psutil.Process(pid).memory_info().rss

    @property
    def bytes(self) -> int:
        """The most since this was made."""
        line = next(line for line in self._status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) << 10

    @property
    def growth(self) -> int:
        """By how many bytes it has risen above what it was, at its highest."""
        return self.bytes - self._before
