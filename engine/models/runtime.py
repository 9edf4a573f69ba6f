"""What a model runs on and with: its device, the way its networks are called, and the other models on the device.

This is the one place that knows `acceleration`: without that folder the way `eager` still works.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from acetate.vocabulary.engine_options import Acceleration, Dtype

from ..device.accelerator import EAGER, Accelerator
from ..device.dtypes import Dtypes, dtypes
from ..values.errors import BadRequest

if TYPE_CHECKING:
    from ..device.memory_budget import Others


@dataclass(frozen=True)
class Runtime:
    """Given by the engine to every model that it opens."""

    device: torch.device
    acceleration: Acceleration = "auto"
    dtype: Dtype = "auto"
    others: Others | None = None
    """The other models on the device; `None` where there are none."""

    @property
    def dtypes(self) -> Dtypes:
        """The types of a model's networks. Raises `BadRequest` for one that the device does not compute in."""
        return dtypes(self.device, self.dtype)

    def accelerator(self) -> Accelerator:
        """A new accelerator, for one model."""
        if self.acceleration == "eager":
            return EAGER
        from .. import acceleration

        if self.acceleration == "check":
            return acceleration.Checked(acceleration.Recorded())
        return acceleration.Compiled() if self.acceleration == "compiled" else acceleration.Recorded()

    def warm_up(self) -> None:
        """Start in the background what would keep the first picture waiting."""
        if self.acceleration != "eager":
            from .. import acceleration

            acceleration.compile_ahead(self.device, self.dtypes)

    @property
    def noted(self) -> dict[str, str]:
        """What a picture's parameters say of how it was run: nothing where the picture has the bits that `auto` gives."""
        rounds_otherwise = self.device.type == "cuda" and self.acceleration in ("eager", "check")
        way = {"acceleration": self.acceleration} if rounds_otherwise or self.acceleration == "compiled" else {}
        own = self.dtype == "auto" or self.dtypes == dtypes(self.device)
        return {**way, **({} if own else {"dtype": self.dtype})}


def settled(asked: Acceleration, device: torch.device) -> Acceleration:
    """The way that a choice means on `device`: `eager`, `recorded`, `compiled` or `check`; without that folder `auto` is `eager`.

    Blocks are compiled only where no kernels are joined: on an H200 a step of SDXL took 40 ms compiled, and 32 with joined ones.
    Raises `BadRequest` for a faster way that is asked for by name and is not there.
    """
    if asked == "eager":
        return asked
    if (faster := _faster()) is None:
        if asked == "auto":
            return "eager"
        raise BadRequest(f"acceleration {asked!r} is not installed", "choose eager, or install the program again")
    if asked == "compiled":
        return "recorded" if faster.joins_kernels(device) else "compiled"
    return "recorded" if asked == "auto" else asked


def described(device: torch.device) -> str:
    """Describes to a person what `auto` means on `device`."""
    if (faster := _faster()) is None:
        return "auto is eager: the faster ways are not installed"
    joined = "with joined kernels, which round differently from" if faster.joins_kernels(device) else "with the very bits of"
    return f"auto is {settled('auto', device)}, {joined} eager; --acceleration check compares them"


def _faster() -> ModuleType | None:
    """The folder with the faster ways; `None` where it is missing or cannot be imported with this version of torch."""
    try:
        from .. import acceleration
    except ImportError:
        return None
    return acceleration
