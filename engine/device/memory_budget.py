"""The memory that one model may use: a plan chosen by prediction, and a smaller one when a device runs out all the same.

Every use of a network goes through `attempt`. Knows plans, placement and failures; does not know what an action computes.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import sys
from collections.abc import Callable
from typing import Protocol, TypeVar

import torch

from ..values.errors import OutOfMemory
from . import devices, glibc_malloc, memory_plans
from .memory_plans import GIB, MemoryPlan, NetworkSizes, Stage, Workload
from .placement import NetworkGroup, Placement

log = logging.getLogger(__name__)

Result = TypeVar("Result")

GROUPS: dict[Stage, NetworkGroup] = {"text": "text", "encode": "pixels", "denoise": "unet", "decode": "pixels"}

PLENTIFUL = 4
"""How many times the memory that a job needs is plenty."""

ALLOCATOR_WORDS = ("out of memory", "can't allocate memory", "not enough memory")
"""How the allocators of MPS and of the CPU say it, in a plain RuntimeError."""


class Others(Protocol):
    """The other models on the same device."""

    def bytes_on_device(self) -> int: ...

    def leave(self, wanted: int) -> int:
        """Free up to `wanted` bytes; returns what was freed."""
        ...


class Memory:
    """The memory that networks may use; without limit here, for a codec without a model."""

    plan = MemoryPlan()
    plentiful = False
    """Whether there is so much memory that graphs of whole decodes and copies of weights may be kept."""

    def attempt(self, stage: Stage, action: Callable[[], Result]) -> Result:
        """Run `action`, which may be repeated, with the stage's networks in place."""
        return action()


class MemoryBudget(Memory):
    """One model's share of a device. Not thread-safe."""

    def __init__(self, placement: Placement, sizes: NetworkSizes, others: Others | None = None) -> None:
        self.placement, self.sizes = placement, sizes
        self.plans = plans_for(placement.device, sizes)
        self.plan = self.plans[0]
        self.others = others or _Nobody()
        self._work = Workload(0, 1)

    @property
    def device(self) -> torch.device:
        return self.placement.device

    def prepare(self, width: int, height: int, samples: int, shown: int = 0) -> None:
        """Choose the best plan predicted to fit, before a job on a canvas of that size with `samples` in a UNet call.

        `shown` counts the pixels of all pictures that the model is shown beside what it draws.
        """
        self._work = Workload(width * height, samples, shown)
        free = self._own() + self.others.bytes_on_device() - self._reserve
        host = devices.memory("cpu")[0] if self.placement.moves else sys.maxsize  # a mapped file waits where it is
        self.use(memory_plans.choose(self.plans, self.sizes, self._work, free, host))
        needed, own = memory_plans.peak(self.plan, self.sizes, self._work) + self._reserve, self._own()
        self.plentiful = self.plan.whole and PLENTIFUL * needed <= own
        shortfall = needed - own
        if shortfall > 0:
            self.others.leave(shortfall)

    def use(self, plan: MemoryPlan) -> None:
        """Change to `plan`; parts of a picture that are done already stay valid."""
        if plan != self.plan:
            log.info("memory plan on %s: %s", self.device, plan)
        self.plan = plan
        self.placement.arrange(plan.offload, fp8=plan.fp8)

    def attempt(self, stage: Stage, action: Callable[[], Result]) -> Result:
        """Run `action` as `Memory` does, by a smaller plan whenever memory runs out. Raises `OutOfMemory` after the last."""
        while True:
            try:
                self.placement.need(GROUPS[stage])
                return action()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                log.warning("out of memory at stage %s on %s: %s", stage, self.device, str(error))  # the error holds frames
            # The frames that hold what did not fit are freed only after the except block.
            self._shrink(stage)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of pictures made by the present plan."""
        if self.plan.exact(self.sizes.pixel_work):
            return ()
        return ("Memory was short, so this layer was made by approximation: a smaller size gives the exact one.",)

    def _shrink(self, stage: Stage) -> None:
        """Free what can be freed, else take the next plan."""
        self.plentiful = False
        self.placement.accelerator.release()
        gc.collect()
        free_caches(self.device)
        if self.others.leave(memory_plans.need(self.plan, stage, self.sizes, self._work)):
            return
        smaller = memory_plans.after(self.plans, self.plan, stage, self.sizes, self._work)
        if smaller is None:
            wanted = memory_plans.need(self.plan, stage, self.sizes, self._work) + self._reserve
            raise OutOfMemory(
                f"out of memory on {self.device} at stage {stage}: about {wanted / GIB:.1f} GiB are needed, "
                f"{self._own() / GIB:.1f} GiB are available",
                "Choose a smaller size, or close other programs that use the device.",
            )
        self.use(smaller)

    def _own(self) -> int:
        """Free bytes of the device and those that this model has already."""
        return devices.free_bytes(self.device) + self.placement.bytes_on_device()

    @property
    def _reserve(self) -> int:
        return 0 if self.device.type == "cpu" else memory_plans.RESERVE


class _Nobody:
    """Other models, when there are none."""

    def bytes_on_device(self) -> int:
        return 0

    def leave(self, wanted: int) -> int:
        return 0


def plans_for(device: torch.device, sizes: NetworkSizes) -> tuple[MemoryPlan, ...]:
    """CUDA, ROCm and XPU have memory of their own; MPS shares the host's, and decodes pass by pass (layerdiffuse.md 7.2).

    The CPU's plans were tried, and on an H200 those that offload nothing, `stages` (8 GB) and `layers` (6 GB).
    """
    if device.type in ("cuda", "xpu"):
        return memory_plans.accelerator_plans(sizes.pixel_work)
    return memory_plans.host_plans(narrow=sizes.narrow)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocator gave up, on any device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in ALLOCATOR_WORDS)


def free_caches(device: torch.device) -> None:
    """Give the allocator's unused blocks back to the device."""
    if device.type == "cpu":
        glibc_malloc.give_back()
    else:
        with contextlib.suppress(AttributeError, RuntimeError):
            torch.accelerator.empty_cache()
