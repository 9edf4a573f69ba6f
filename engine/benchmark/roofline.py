"""The least time that a device could take: per operation the slower of arithmetic and memory traffic. Knows no network."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch

from .counts import Operation
from .timing import synchronize


@dataclass(frozen=True)
class Peak:
    """What a device can do at best."""

    name: str
    flop_rate: float
    """FLOP per second, dense, 16 bit with 32-bit accumulation; on the CPU float32."""
    byte_rate: float
    """Bytes per second from and to its memory."""


CARDS = (
    Peak("H200", 790e12, 4.3e12),
    Peak("RTX 4090", 165.2e12, 1.008e12),
    Peak("RTX 3090", 71e12, 0.936e12),
    Peak("RTX 3060", 25.4e12, 0.36e12),
)
"""performance.md 7: the first measured, the others from the makers' papers."""


def peak_of(device: torch.device) -> Peak | None:
    """The device's peak: from the table by its name, measured for a CPU and other CUDA cards, unknown elsewhere."""
    if device.type == "cpu":
        return _measured(f"this CPU with {torch.get_num_threads()} threads", device, torch.float32, side=768, megabytes=96)
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device).removeprefix("NVIDIA ").removeprefix("GeForce ")
    known = next((card for card in CARDS if card.name == name), None)
    return known or _measured(name, device, torch.float16, side=8192, megabytes=1024)


def floor_seconds(operations: Iterable[Operation], peak: Peak, *, fused: bool = False) -> float:
    """Sum over the operations; `fused` leaves only matrix products, convolutions and attention."""
    chosen = (one for one in operations if one.heavy or not fused)
    return sum(max(one.flop / peak.flop_rate, one.bytes / peak.byte_rate) for one in chosen)


def _measured(name: str, device: torch.device, dtype: torch.dtype, side: int, megabytes: int, tries: int = 30) -> Peak:
    """The best of many matrix products and copies, on a CPU with the threads that torch uses; takes about a second."""
    square = torch.rand(side, side, device=device, dtype=dtype)
    block = torch.rand(megabytes * 2**18, device=device)
    target = torch.empty_like(block)
    product = min(_seconds(lambda: square @ square, device) for _ in range(tries))
    copy = min(_seconds(lambda: target.copy_(block), device) for _ in range(tries))
    return Peak(f"{name}, measured", 2 * side**3 / product, 2 * block.numel() * 4 / copy)


def _seconds(action: Callable[[], object], device: torch.device) -> float:
    begin = time.perf_counter()
    action()
    synchronize(device)
    return time.perf_counter() - begin
