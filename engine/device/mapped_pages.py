"""Pages of mapped weight files, which a process holds until someone says that it needs them no longer. Linux only."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor

_DONT_NEED = 4
"""MADV_DONTNEED: the process lets go of the pages, and finds them in the kernel's cache, or on the disk, when it reads again."""


def let_go(tensors: Iterable[Tensor]) -> int:
    """Let go of the pages of `tensors` on the CPU, of any shape, that are views of a mapped file; returns how many bytes.

    What was written to such a view would be lost: give only what nobody writes to.
    """
    mapped = _mapped_files() if sys.platform == "linux" else []
    done = 0
    for tensor in tensors:
        start, end = tensor.data_ptr(), tensor.data_ptr() + tensor.nbytes
        begin, finish = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE, end // mmap.PAGESIZE * mmap.PAGESIZE
        if (
            finish > begin
            and any(low <= start and end <= high for low, high in mapped)
            and _libc().madvise(ctypes.c_void_p(begin), ctypes.c_size_t(finish - begin), _DONT_NEED) == 0
        ):
            done += finish - begin
    return done


def _mapped_files() -> list[tuple[int, int]]:
    """Addresses where files of weights are mapped."""
    found = []
    for line in Path("/proc/self/maps").read_text(errors="replace").splitlines():
        if line.endswith(".safetensors"):
            low, _, high = line.partition(" ")[0].partition("-")
            found.append((int(low, 16), int(high, 16)))
    return found


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)
