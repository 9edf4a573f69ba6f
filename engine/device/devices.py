"""Which device runs the networks."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ..values.errors import BadRequest
from . import card_kernels, device_names
from .device_names import KINDS


def pick_device(name: str | None = None) -> torch.device:
    """The device asked for, else the best one available.

    Raises `BadRequest` for one that is unknown or not available, or that this build of torch has no kernels for.
    """
    device_names.check(name)
    device = _present(name)
    card_kernels.check(device)
    return device


def _present(name: str | None) -> torch.device:
    present = available()
    if name is None or name == "auto":
        return torch.device(present[0])
    kind, colon, index = name.partition(":")
    if kind not in present:
        raise BadRequest(f"device {name!r} is not available", f"this machine has {', '.join(present)}")
    if colon and int(index) >= count(kind):
        raise BadRequest(f"device {name!r} is not available", f"this machine has {count(kind)} of that kind, counted from 0")
    return torch.device(name)


def count(kind: str) -> int:
    """How many devices of a kind that is available there are."""
    return {"cuda": torch.cuda.device_count, "xpu": torch.xpu.device_count}.get(kind, lambda: 1)()


def available() -> list[str]:
    """Kinds of device that this machine and this build of torch have, best first."""
    checks: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "xpu": torch.xpu.is_available,
        "mps": torch.backends.mps.is_available,
    }
    return [kind for kind in KINDS if kind == "cpu" or checks[kind]()]


def memory(device: str | torch.device) -> tuple[int, int]:
    """Free and total bytes of a device; zeros where they cannot be known."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.mem_get_info(device)
    if kind == "xpu":
        return torch.xpu.mem_get_info(device)
    if kind == "mps":
        total = int(torch.mps.recommended_max_memory())
        return max(0, total - int(torch.mps.driver_allocated_memory())), total
    import psutil

    system = psutil.virtual_memory()
    return int(system.available), int(system.total)


def limit_memory(device: torch.device, gib: float) -> None:
    """Let this process use at most `gib` GiB of a CUDA device, like a smaller card. Raises `BadRequest` for other devices."""
    if device.type != "cuda":
        raise BadRequest(f"memory of {device} cannot be limited", "only that of a cuda device can")
    torch.cuda.set_per_process_memory_fraction(min(1.0, gib * 2**30 / memory(device)[1]), _index(device))


def free_bytes(device: torch.device) -> int:
    """What this process can still take of `device`, the allocator's unused blocks and a limit set for this process included."""
    free, total = memory(device)
    if device.type not in ("cuda", "xpu"):
        return free
    used = torch.accelerator.memory_allocated(device)
    free += torch.accelerator.memory_reserved(device) - used
    if device.type == "cuda":
        free = min(free, int(torch.cuda.get_per_process_memory_fraction(_index(device)) * total) - used)
    return free


def _index(device: torch.device) -> int:
    """The number of a CUDA device: torch limits memory by number, and `cuda` alone has none."""
    return torch.cuda.current_device() if device.index is None else device.index
