"""Contestants take turns, and peaks of memory are seen whatever ran before."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import pytest
import torch
from acetate.engine.benchmark.timing import Contestant, alternate

TWICE = """
import torch
from acetate.engine.device import glibc_malloc
from acetate.engine.benchmark.timing import peak_memory
glibc_malloc.keep_freed()
cpu = torch.device("cpu")
for _ in range(2):
    print(peak_memory(lambda: [torch.ones(2**24).mul_(2) for _ in range(8)], cpu))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_freed_memory_that_is_used_again_counts() -> None:
    found = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, check=True).stdout
    for peak in found.split():
        assert 0.7 * 2**29 < int(peak) < 1.2 * 2**29


def test_contestants_take_turns_and_the_first_round_does_not_count() -> None:
    said: list[str] = []
    contestants = [
        Contestant(name, {"stage": partial(said.append, name)}, partial(said.append, "+"), partial(said.append, "-"))
        for name in "ab"
    ]
    times = alternate(contestants, 2, torch.device("cpu"))
    assert "".join(said) == "+a-+b-" * 3
    assert [len(times[name]["stage"].wall) for name in "ab"] == [2, 2]
