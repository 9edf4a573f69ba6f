"""The engine: models stay open, requests go in, progress and pictures come out.

Knows neither socket nor file of layers. One `Engine` owns one device; it is not thread-safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from . import builtin, validation
from .base_models import NATIVE, open_base_model
from .description import Offer, describe
from .devices import pick_device
from .errors import ModelMissing, OutOfMemory
from .library import Installed, Library
from .loading import open_builtin
from .model import Model
from .pipeline import generate
from .recipes import Family
from .request import Picture, Progress, Request
from .upscale import upscale
from .upscalers import Upscalers
from .weights import Weights


class Engine:
    """Runs requests on one device."""

    def __init__(self, device: str | None = None, library: Library | None = None) -> None:
        self.device = pick_device(device)
        self.library = library or Library()
        self._models: dict[str, Model] = {}
        self._weights = Weights(self._find)
        self._upscalers = Upscalers(self.device, self.library)

    def run(self, request: Request) -> Iterator[Progress | Picture]:
        """Check, load what is needed, generate. Closing the iterator cancels between two steps.

        Raises a subclass of `EngineError`. Cancelling raises nothing.
        """
        validation.check(request)
        if request.model not in self._models:
            yield Progress(stage="load", step=0, steps=1, fraction=0.0)
        try:
            if request.task == "upscale":
                yield from upscale(request, lambda: self.open(request.model), self._weights, self._upscalers)
            else:
                yield from generate(self.open(request.model), request, self._weights)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(f"out of memory on {self.device}", "choose a smaller size or close other programs") from error
        except MemoryError as error:
            raise OutOfMemory("out of memory", "choose a smaller size or close other programs") from error

    def open(self, name: str) -> Model:
        """The opened model `name`; raises `ModelMissing` or `ModelBroken`."""
        if name not in self._models:
            if name == builtin.NAME:
                self._models[name] = open_builtin(builtin.FOLDER, name, self.device)
            else:
                self._models[name] = open_base_model(self._installed(name), self.library, self.device)
        return self._models[name]

    def describe(self) -> dict[str, Any]:
        """Models and tasks as plain JSON values; opens nothing."""
        offers = [Offer(builtin.NAME, "sketchpad", builtin.NATIVE, builtin.NAME in self._models)]
        for one in self.library.installed("checkpoint"):
            if one.kind.family is not None and not one.kind.problem:
                offers.append(Offer(one.name, one.kind.family, NATIVE[one.kind.family], one.name in self._models))
        return {**describe(str(self.device), offers), "upscalers": self._upscalers.names()}

    def unload(self) -> None:
        """Free every model."""
        for model in self._models.values():
            self._weights.release(model)
        self._models.clear()
        self._upscalers.close()
        if torch.accelerator.is_available():
            torch.accelerator.empty_cache()

    def _installed(self, name: str) -> Installed:
        """The checkpoint `name`; the built-in model is named among what there is."""
        try:
            return self.library.find(name, "checkpoint")
        except ModelMissing as error:
            raise ModelMissing(f"there is no model {name!r}", f"{error.hint} Built in is {builtin.NAME}.") from None

    def _find(self, family: Family, role: str) -> Path:
        if family != "sketchpad":
            return self.library.weights(family, role).path
        path = builtin.FOLDER / "layers" / f"{role}.safetensors"
        if not path.exists():
            raise ModelMissing(f"the built-in model has no weights {role!r}", "choose an SD 1.5 or SDXL model: acetate models")
        return path
