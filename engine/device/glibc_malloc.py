"""What becomes of freed memory on a CPU, where the C library is glibc; elsewhere nothing is done.

glibc gives every freed block of 32 MiB and more back to the kernel, which fills it with zeros again, page by page, when the next
layer of a network asks for as much: of 100 ms for a norm, SiLU and convolution of 32 channels at 512 x 512 that is 45.
"""

from __future__ import annotations

import ctypes
import functools
from typing import Any

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
"""Parameters of `mallopt`, as `malloc.h` numbers them."""
USUAL = {M_MMAP_MAX: 65536, M_MMAP_THRESHOLD: 2**25, M_TRIM_THRESHOLD: 2**26}
"""What glibc comes to by itself in a process that has used large blocks."""
KEPT = 2**30
"""Bytes of free memory that a process keeps at most at the end of its heap."""


def keep_freed() -> None:
    """Let freed memory be used again, in this whole process."""
    if (libc := _glibc()) is not None:
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT)


def as_usual() -> None:
    """Undo `keep_freed`: for the contestants in a benchmark, and where memory is short."""
    if (libc := _glibc()) is not None:
        for name, value in USUAL.items():
            libc.mallopt(name, value)


def give_back() -> None:
    """Give all free memory back to the kernel."""
    if (libc := _glibc()) is not None:
        libc.malloc_trim(0)


@functools.cache
def _glibc() -> Any | None:
    try:
        libc = ctypes.CDLL(None)
        return libc if libc.mallopt and libc.malloc_trim else None
    except (AttributeError, OSError, TypeError):  # another C library; TypeError on Windows
        return None
