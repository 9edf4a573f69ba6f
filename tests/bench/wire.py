"""Print what the wire costs: `python tests/bench/wire.py [SIDE ...]`."""

from __future__ import annotations

import sys

from acetate.server.commands.bench_wire import SIDES, measure, rows

if __name__ == "__main__":
    for name, value in rows(measure(tuple(map(int, sys.argv[1:])) or SIDES)):
        print(f"{name:50} {value}")
