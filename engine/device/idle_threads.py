"""How long a thread of a parallel loop spins while it waits for the next loop, before it sleeps. Knows environment variables.

OpenMP's defaults are for machines that do nothing else: threads burn the processor for milliseconds after each loop, so beside
an editor and a browser a layer took 2 to 60 times as long. With a bound it takes what its share of the machine asks for
(docs/performance.md, section 4; `acetate bench neighbours`).
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SPINS = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
"""GNU's OpenMP counts turns (its default is 300000), Intel's and LLVM's milliseconds (200)."""


def bound_spinning(environment: MutableMapping[str, str] = os.environ) -> None:
    """Bound it in this process and those that it starts. Comes before torch is loaded; what a person has set stays."""
    if "OMP_WAIT_POLICY" not in environment:
        for name, value in SPINS.items():
            environment.setdefault(name, value)
