"""Opened models, kept as long as there is memory: on the device, then in host memory; the one used longest ago goes first.

Knows models and sizes; does not know how a model is opened.
"""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..device import devices, glibc_malloc
from ..device.memory_budget import Others
from ..device.memory_plans import GIB
from .model import Model

HOST_RESERVE = GIB
"""Bytes of host memory that are left to other programs."""


class ModelCache:
    """The opened models of one device by name."""

    def __init__(self, drop: Callable[[Model], None], host_free: Callable[[], int] = lambda: devices.memory("cpu")[0]) -> None:
        """`drop` is called with every model that is given up."""
        self._models: OrderedDict[str, Model] = OrderedDict()
        self._drop, self._host_free = drop, host_free

    def __contains__(self, name: str) -> bool:
        return name in self._models

    def __iter__(self) -> Iterator[Model]:
        """The models, from the one used longest ago to the latest."""
        return iter(self._models.values())

    def names(self) -> list[str]:
        """Their names, in the same order."""
        return list(self._models)

    def use(
        self,
        name: str,
        open_model: Callable[[Others], Model],
        expected: int = 0,
        outdated: Callable[[Model], bool] = lambda model: False,
    ) -> Model:
        """The model `name`, now the latest used; opening it may take `expected` bytes of host memory, for which others go.

        `open_model` is given the other models on the device. A model that is `outdated` is opened again.
        """
        if name in self._models and outdated(self._models[name]):
            self._give_up(name)
        if name not in self._models:
            glibc_malloc.give_back()
            while self._models and self._host_free() < expected + HOST_RESERVE:
                self._give_up(next(iter(self._models)))
            self._models[name] = open_model(_OtherModels(self, name))
        self._models.move_to_end(name)
        return self._models[name]

    def clear(self) -> None:
        """Give up every model."""
        for name in list(self._models):
            self._give_up(name)

    def besides(self, name: str) -> list[Model]:
        """All models except `name`, the one used longest ago first."""
        return [model for key, model in self._models.items() if key != name]

    def _give_up(self, name: str) -> None:
        self._drop(self._models.pop(name))
        gc.collect()  # a model refers to itself by its hooks; without this its weights would stay for a while
        glibc_malloc.give_back()


@dataclass(frozen=True)
class _OtherModels:
    """What one model's memory budget sees of the other models."""

    cache: ModelCache
    name: str

    def bytes_on_device(self) -> int:
        return sum(model.memory.placement.bytes_on_device() for model in self.cache.besides(self.name))

    def leave(self, wanted: int) -> int:
        """Send models to host memory until `wanted` bytes are free there; returns how many that freed."""
        freed = 0
        for model in self.cache.besides(self.name):
            if freed >= wanted:
                break
            before = model.memory.placement.bytes_on_device()
            model.memory.placement.leave()
            freed += before - model.memory.placement.bytes_on_device()
        return freed
