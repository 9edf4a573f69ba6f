"""The engine: models stay open, requests go in, progress and pictures come out.

Knows neither socket nor file of layers. One `Engine` owns one device; it is not thread-safe.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from . import builtin, validation
from .description import Offer, describe
from .devices import pick_device
from .errors import ModelMissing, OutOfMemory
from .loading import open_builtin
from .model import Model
from .pipeline import generate
from .recipes import Family
from .request import Picture, Progress, Request
from .weights import Weights


class Engine:
    """Runs requests on one device."""

    def __init__(self, device: str | None = None) -> None:
        self.device = pick_device(device)
        self._models: dict[str, Model] = {}
        self._weights = Weights(self._find)

    def run(self, request: Request) -> Iterator[Progress | Picture]:
        """Check, load what is needed, generate. Closing the iterator cancels between two steps.

        Raises a subclass of `EngineError`. Cancelling raises nothing.
        """
        validation.check(request)
        if request.model not in self._models:
            yield Progress(stage="load", step=0, steps=1, fraction=0.0)
        try:
            model = self.open(request.model)
            yield from generate(model, request, self._weights)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(f"out of memory on {self.device}", "choose a smaller size or close other programs") from error
        except MemoryError as error:
            raise OutOfMemory("out of memory", "choose a smaller size or close other programs") from error

    def open(self, name: str) -> Model:
        """The opened model `name`; raises `ModelMissing` or `ModelBroken`."""
        if name not in self._models:
            if name != builtin.NAME:
                raise ModelMissing(f"there is no model {name!r}", f"installed are: {builtin.NAME}")
            self._models[name] = open_builtin(builtin.FOLDER, name, self.device)
        return self._models[name]

    def describe(self) -> dict[str, Any]:
        """Models and tasks as plain JSON values; opens nothing."""
        offers = [Offer(builtin.NAME, "sketchpad", 128, builtin.NAME in self._models)]
        return describe(str(self.device), offers)

    def unload(self) -> None:
        """Free every model."""
        for model in self._models.values():
            self._weights.release(model)
        self._models.clear()
        with contextlib.suppress(AttributeError):
            torch.accelerator.empty_cache()

    def _find(self, family: Family, role: str) -> Any:
        if family == "sketchpad":
            path = builtin.FOLDER / "layers" / f"{role}.safetensors"
            if path.exists():
                return path
        raise ModelMissing(f"the {family} weights {role!r} are not installed", f"acetate models pull {family}-{role}")
