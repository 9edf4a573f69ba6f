"""Why a process ended by itself: no memory, killed, crashed, or an error of its own. Knows exit codes; starts nothing."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

from acetate.protocol import Failure

SIGKILL = 9  # not a name of `signal` on Windows


def failure_of(code: int | None, words: str, *, out_of_memory: bool) -> Failure:
    """What a client is told of a process that ended with `code` and these last words.

    `out_of_memory` says whether Linux has killed a process for lack of memory while it ran.
    """
    if code == -SIGKILL and out_of_memory:
        return Failure(
            "out-of-memory",
            "the operating system ended the engine's process because the computer's memory ran out",
            "Try a smaller size, close programs, or use a smaller model.",
        )
    killed = code is not None and code < 0
    how = f"was killed by signal {-code} ({_signal_name(-code)})" if killed and code is not None else f"ended with code {code}"
    said = f"; its last words: {words.splitlines()[-1]}" if words else ""
    return Failure("worker-crashed", f"the engine's process {how}{said}", "If it happens again: acetate doctor")


def last_words(path: Path, characters: int = 4000) -> str:
    """The end of what a process has written to its standard error; empty where there is no such file."""
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")[-characters:].strip()
    return ""


def oom_kills() -> int:
    """How often Linux has killed a process for lack of memory so far; 0 elsewhere."""
    total = 0
    for path in (Path("/proc/vmstat"), Path("/sys/fs/cgroup/memory.events")):
        with contextlib.suppress(OSError, ValueError):
            for line in path.read_text().splitlines():
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    total += int(value)
    return total


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
