"""Pages of mapped weight files, which a process holds until someone says that it needs them no longer. Linux only."""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor

_DONT_NEED = 4
"""MADV_DONTNEED: the process lets go of the pages, and finds them in the kernel's cache, or on the disk, when it reads again."""


@dataclass(frozen=True, eq=False)
class MappedView:
    """A tensor in a mapped file, to which nobody writes: what was written would be lost."""

    tensor: Tensor
    """Of any shape, on the CPU; the file stays mapped as long as this is held, so that no other memory comes to its place."""

    def let_go(self) -> int:
        """Let go of the pages that are the tensor's alone; returns their bytes."""
        start, end = self.tensor.data_ptr(), self.tensor.data_ptr() + self.tensor.nbytes
        first, last = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE, end // mmap.PAGESIZE * mmap.PAGESIZE
        size = max(0, last - first)
        done = size and _libc().madvise(ctypes.c_void_p(first), ctypes.c_size_t(size), _DONT_NEED) == 0
        return size if done else 0


def views_of(tensors: Sequence[Tensor]) -> list[MappedView | None]:
    """For each tensor of any shape its view of a mapped file; `None` for those that lie elsewhere."""
    mapped = _mapped_files() if sys.platform == "linux" else []
    return [MappedView(one.detach()) if _is_inside(one, mapped) else None for one in tensors]


def _is_inside(tensor: Tensor, mapped: Sequence[tuple[int, int]]) -> bool:
    if tensor.device.type != "cpu":
        return False
    start = tensor.data_ptr()
    return any(low <= start and start + tensor.nbytes <= high for low, high in mapped)


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
