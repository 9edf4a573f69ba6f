"""In processes of their own: what is set holds for the whole process."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import torch
from acetate.engine.device import glibc_malloc
getattr(glibc_malloc, sys.argv[1])()
{after}
x = torch.ones(2**24)
for _ in range(20): y = x + x  # an aligned block does not fit into the hole of its like until several are one
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5): y = x + x
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 2**26 // 4096
"""Of one result of 64 MiB."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc's")


def faults(setting: str, after: str = "") -> int:
    """Pages that five sums of 64 MiB needed from the kernel."""
    code = FAULTS.format(after=after)
    return int(subprocess.run([sys.executable, "-c", code, setting], capture_output=True, text=True, check=True).stdout)


def test_freed_memory_is_used_again() -> None:
    assert faults("keep_freed") < PAGES / 10


def test_by_itself_every_result_needs_new_pages() -> None:
    """Else `glibc_malloc` could go. Huge pages need one fault for 512 pages."""
    assert faults("as_usual") > 5 * PAGES / 600
    assert faults("keep_freed", after="glibc_malloc.as_usual()") > 5 * PAGES / 600


def test_what_is_given_back_is_the_kernels() -> None:
    code = (
        "import torch, psutil; from acetate.engine.device import glibc_malloc\n"
        "glibc_malloc.keep_freed(); own = psutil.Process()\n"
        "x = torch.ones(2**27); y = torch.ones(2**20); del x; kept = own.memory_info().rss; glibc_malloc.give_back()\n"
        "print(kept - own.memory_info().rss)"
    )
    given = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert given > 0.9 * 2**29
