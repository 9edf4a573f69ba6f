"""Peaks of memory are seen whatever ran before."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
