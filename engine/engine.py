"""The engine: models stay open, requests go in, progress and pictures come out.

Knows neither socket nor file of layers. One `Engine` owns one device; it is not thread-safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from acetate.vocabulary.acceleration import Acceleration
from acetate.vocabulary.tasks import TASKS

from . import builtin, requirements, validation
from .description import Offer, describe
from .device import glibc_malloc
from .device.devices import pick_device
from .device.memory_budget import Others, free_caches, is_out_of_memory
from .families import FAMILIES, ONE_OF_TITLES, SKETCHPAD, Family, few_steps
from .files import catalogue
from .files.installed import Installed
from .files.library import Library
from .files.own_folders import wildcards_folder
from .models.additions import Additions, additions
from .models.base_models import open_base_model, size_in_memory
from .models.builtin_model import open_builtin
from .models.embeddings import Embedding
from .models.model import Model
from .models.model_cache import ModelCache
from .models.runtime import Runtime, settled
from .prompt_language.dynamic_prompts import Wildcards
from .prompt_language.reading import read
from .sampling.installed_weights import InstalledWeights
from .sampling.pipeline import generate
from .upscaling.upscale import upscale
from .upscaling.upscalers import Upscalers
from .values.errors import ModelMissing, OutOfMemory
from .values.request import Picture, Progress, Request


class Engine:
    """Runs requests on one device."""

    def __init__(self, device: str | None = None, library: Library | None = None, acceleration: Acceleration = "auto") -> None:
        """`acceleration` chooses how networks are run, from which pictures differ by rounding at most."""
        self.device = pick_device(device)
        if self.device.type == "cpu":
            glibc_malloc.keep_freed()
        self._runtime = Runtime(self.device, settled(acceleration, self.device))
        self._runtime.warm_up()
        self.library = library or Library()
        self._weights = InstalledWeights(self._find, self._find_lora)
        self._models = ModelCache(self._weights.release)
        self._upscalers = Upscalers(self.device, self.library)

    def run(self, request: Request) -> Iterator[Progress | Picture]:
        """Check, load what is needed, generate. Close the iterator to cancel between steps. Raises an `EngineError`."""
        validation.check(request)
        requests, notes = read(request, Wildcards(wildcards_folder()))
        if request.fast and requirements.uses_model(request):
            requests = tuple(map(self._fast, requests))
        for one in requests:
            validation.check(one)
        added = self._check_files(requests)
        cautions = dict.fromkeys(note for one in requests for note in self._cautions(one))
        notes = (*notes, *added.notes, *cautions)
        if request.model not in self._models:
            yield Progress(stage="load", step=0, steps=1, fraction=0.0)
        try:
            for event in self._events(requests, added.embeddings):
                yield replace(event, warnings=(*notes, *event.warnings)) if isinstance(event, Picture) else event
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise OutOfMemory(f"out of memory on {self.device}", "choose a smaller size or close other programs") from error

    def _events(self, requests: Sequence[Request], embeddings: Mapping[str, Embedding]) -> Iterator[Progress | Picture]:
        def opened() -> Model:
            model = self.open(requests[0].model)
            model.text.embeddings = embeddings
            return model

        if TASKS[requests[0].task].enlarges:
            return upscale(requests, opened, self._weights, self._upscalers)
        return generate(opened(), requests, self._weights)

    def _fast(self, request: Request) -> Request:
        """The request drawn in few steps. Raises `ModelMissing` where nothing installed can do it."""
        family = self._family(request.model)
        loras = [one.name for one in self.library.installed("lora") if one.family == family.name and not one.kind.problem]
        found = few_steps.settled_fast(request, family, loras)
        if found is None:
            row = catalogue.candidates(family.name, few_steps.ROLE)[0]
            message = f"no LoRA that draws in few steps is installed for {family.name}"
            raise ModelMissing(message, f"acetate models pull {row.name}")
        return found

    def _cautions(self, request: Request) -> Iterator[str]:
        if requirements.uses_model(request):
            yield from few_steps.cautions(request, self._family(request.model).defaults)

    def open(self, name: str) -> Model:
        """The opened model `name`; raises `ModelMissing` or `ModelBroken`."""
        if name == builtin.NAME:
            return self._models.use(name, lambda others: open_builtin(builtin.FOLDER, name, self._beside(others)))
        installed = self._installed(name)
        return self._models.use(
            name,
            lambda others: open_base_model(installed, self.library, self._beside(others)),
            size_in_memory(installed.path, self.device),
            outdated=lambda model: (
                model.predicts != installed.kind.predicts or not all(self._lacks(model.family, role) for role in model.lacks)
            ),
        )

    def describe(self) -> dict[str, Any]:
        """Models and tasks as plain JSON values; opens nothing."""
        offers = [Offer(builtin.NAME, SKETCHPAD, builtin.NAME in self._models)]
        for one in self.library.installed("checkpoint"):
            if one.kind.family is not None and not one.problem:
                offers.append(Offer(one.name, FAMILIES[one.kind.family], one.name in self._models))
        loras, embeddings = ([one.described for one in self.library.installed(role)] for role in ("lora", "embedding"))
        more = {"upscalers": self._upscalers.names(), "loras": loras, "embeddings": embeddings}
        return {**describe(str(self.device), offers), **more}

    def unload(self) -> None:
        """Free every model."""
        self._models.clear()
        self._upscalers.close()
        free_caches(self.device)

    def _beside(self, others: Others) -> Runtime:
        return replace(self._runtime, others=others)

    def _installed(self, name: str) -> Installed:
        """The checkpoint `name`; the hint of a refusal also names the built-in model."""
        try:
            return self.library.find(name, "checkpoint")
        except ModelMissing as error:
            raise ModelMissing(f"there is no model {name!r}", f"{error.hint} Built in is {builtin.NAME}.") from None

    def _check_files(self, requests: Sequence[Request]) -> Additions:
        """Report files that are missing or do not fit now, not after minutes of loading; what is added to the model."""
        first = requests[0]  # the others have other words and LoRAs
        if not requirements.uses_model(first):
            return Additions()
        family = self._family(first.model)
        path = builtin.FOLDER if first.model == builtin.NAME else self._installed(first.model).path
        found = additions(requests, family, path, self.library)
        requirements.check(family, requirements.roles_of(first, family), self._find)
        return found

    def _family(self, model: str) -> Family:
        if model == builtin.NAME:
            return SKETCHPAD
        family = self._installed(model).kind.family
        assert family is not None  # unusable files have been refused before
        return FAMILIES[family]

    def _lacks(self, family: Family, role: str) -> bool:
        try:
            self._find(family, role)
        except ModelMissing:
            return True
        return False

    def _find_lora(self, family: Family, name: str) -> Path:
        return self.library.lora(family, name).path

    def _find(self, family: Family, role: str) -> Path:
        if not family.bundled:
            return self.library.weights(family.name, role).path
        path = builtin.FOLDER / "layers" / f"{role}.safetensors"
        if not path.exists():
            raise ModelMissing(f"the built-in model has no weights {role!r}", f"choose {ONE_OF_TITLES} model: acetate models")
        return path
