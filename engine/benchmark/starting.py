"""How long the program takes to start, and to make its first layer: processes of its own, from their beginning to their end.

Knows no torch: what is measured includes whether torch is imported.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence

PROGRAMS: Mapping[str, Sequence[str]] = {
    "python itself": ("-c", ""),
    "import acetate.protocol.client.client": ("-c", "import acetate.protocol.client.client"),
    "import acetate.engine": ("-c", "import acetate.engine"),
    "import acetate.engine.engine (with torch)": ("-c", "import acetate.engine.engine"),
    "acetate --help": ("-m", "acetate.server", "--help"),
    "acetate generate --help": ("-m", "acetate.server", "generate", "--help"),
    "acetate serve --help": ("-m", "acetate.server", "serve", "--help"),
    "acetate generate, cold": ("-m", "acetate.server", "generate", "a red apple", "-o", "apple.png", "--alone"),
}


def measure(repeats: int = 5, programs: Mapping[str, Sequence[str]] = PROGRAMS) -> dict[str, float]:
    """Median seconds by program; they run in turn, so that a busy machine slows all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in list(programs.items()) * repeats:
            began = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=folder)
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}
