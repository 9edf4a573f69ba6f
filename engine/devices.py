"""Which device runs the networks."""

from __future__ import annotations

from collections.abc import Callable

import torch

from .errors import BadRequest

KINDS = ("cuda", "xpu", "mps", "cpu")
"""In order of preference; `cuda` is also ROCm's name."""


def pick_device(name: str | None = None) -> torch.device:
    """The device asked for, else the best there is; raises `BadRequest` for one that is not there."""
    present = available()
    if name is None or name == "auto":
        return torch.device(present[0])
    kind = name.split(":")[0]
    if kind not in KINDS:
        raise BadRequest(f"unknown device {name!r}", f"one of {', '.join(KINDS)}, with an index such as cuda:1")
    if kind not in present:
        raise BadRequest(f"device {name!r} is not there", f"this machine has {', '.join(present)}")
    return torch.device(name)


def available() -> list[str]:
    """Kinds of device that this machine and this build of torch have, best first."""
    checks: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "xpu": torch.xpu.is_available,
        "mps": torch.backends.mps.is_available,
    }
    return [kind for kind in KINDS if kind == "cpu" or checks[kind]()]


def memory(kind: str) -> tuple[int, int]:
    """Free and total bytes of a device; zeros where they cannot be known."""
    if kind == "cuda":
        return torch.cuda.mem_get_info()
    if kind == "xpu":
        return torch.xpu.mem_get_info()
    if kind == "mps":
        total = int(torch.mps.recommended_max_memory())
        return max(0, total - int(torch.mps.driver_allocated_memory())), total
    import psutil

    system = psutil.virtual_memory()
    return int(system.available), int(system.total)
