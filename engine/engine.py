"""The engine: models stay open, requests go in, progress and pictures come out.

Knows neither socket nor file of layers. One `Engine` owns one device; it is not thread-safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from acetate.vocabulary.engine_options import Acceleration, Dtype
from acetate.vocabulary.tasks import TASKS

from . import builtin, requirements
from .description import PREVIEWS, Offer, describe
from .device import card_kernels, glibc_malloc
from .device.busy_cores import Threads
from .device.devices import pick_device
from .device.known_cards import KnownCards, card_name
from .device.memory_budget import Others, free_caches, is_out_of_memory
from .families import FAMILIES, NATIVE_FAMILIES, SKETCHPAD
from .files.installed import Installed
from .files.library import Library
from .files.previews import preview_beside
from .files.recognition import FileRole
from .models.additions import Additions, additions
from .models.base_models import open_base_model, size_in_memory
from .models.builtin_model import open_builtin
from .models.embeddings import Embedding
from .models.model import Model
from .models.model_cache import ModelCache
from .models.runtime import Runtime, settled
from .preflight import Preflight, Ready
from .sampling.installed_weights import InstalledWeights
from .sampling.pipeline import generate
from .upscaling.upscale import Networks, upscale
from .upscaling.upscalers import Upscalers
from .values.errors import BadRequest, NumericFailure, OutOfMemory
from .values.request import Picture, Progress, Request

ADDED: tuple[FileRole, ...] = ("lora", "embedding")
"""What is added to a model."""


class Engine:
    """Runs requests on one device."""

    def __init__(
        self,
        device: str | None = None,
        library: Library | None = None,
        acceleration: Acceleration = "auto",
        dtype: Dtype = "auto",
    ) -> None:
        """`acceleration` and `dtype` choose how networks are run, from which pictures differ by rounding at most.

        Raises `BadRequest` for a device or a type that is not to be had.
        """
        self.device = pick_device(device)
        self._threads: Threads | None = None
        if self.device.type == "cpu":
            glibc_malloc.keep_freed()
            self._threads = Threads()
        self.library = library or Library()
        self._cards = KnownCards(self.library.settings / "cards.json")
        if dtype == "auto" and self._cards.fails(card_name(self.device)):
            dtype = "float32"
        self._runtime = Runtime(self.device, settled(acceleration, self.device), dtype)
        self._runtime.warm_up()
        self._preflight = Preflight(self.library)
        self._weights = InstalledWeights(self._preflight.find, self._preflight.find_lora)
        self._models = ModelCache(self._weights.release)
        self._upscalers = Upscalers(self.device, self.library)

    def run(self, request: Request) -> Iterator[Progress | Picture]:
        """Check, load what is needed, generate. Close the iterator to cancel between steps. Raises an `EngineError`."""
        ready = self._preflight.look(request)
        if ready.takes_no_network:
            yield from ready.without_networks()
            return
        added = self._added(ready)
        if request.model not in self._models:
            yield Progress(stage="load", step=0, steps=1, fraction=0.0)
        try:
            events = ready.noted(self._in_numbers(lambda: self._events(ready.requests, added.embeddings)), added.notes)
            yield from events if self._threads is None else self._threads.beside(events)
        except (RuntimeError, MemoryError) as error:
            if "no kernel image" in str(error):
                raise BadRequest(*card_kernels.without_kernels(self.device)) from error
            if not is_out_of_memory(error):
                raise
            raise OutOfMemory(f"out of memory on {self.device}", "choose a smaller size or close other programs") from error

    def _added(self, ready: Ready) -> Additions:
        """What is added to the model, looked through before that is opened."""
        first = ready.requests[0]
        if not requirements.uses_model(first):
            return Additions()
        return additions(ready.requests, self._preflight.family(first.model), self._preflight.path(first.model), self.library)

    def _events(self, requests: Sequence[Request], embeddings: Mapping[str, Embedding]) -> Iterator[Progress | Picture]:
        def opened() -> Model:
            model = self.open(requests[0].model)
            model.text.embeddings = embeddings
            return model

        if TASKS[requests[0].task].enlarges:
            return upscale(requests, Networks(opened, self._weights, self._upscalers))
        return generate(opened(), requests, self._weights)

    def _in_numbers(self, draw: Callable[[], Iterator[Progress | Picture]]) -> Iterator[Progress | Picture]:
        """What `draw` yields; drawn anew in float32 where a card's half precision gave no numbers, which is remembered."""
        drawn = False
        try:
            for event in draw():
                drawn = drawn or isinstance(event, Picture)
                yield event
            return
        except NumericFailure:
            if drawn or self._runtime.dtype != "auto" or self._runtime.dtypes.unet.itemsize != 2:
                raise
        narrow, card = self._runtime, card_name(self.device)
        self._compute_in(replace(narrow, dtype="float32"))
        try:
            for event in draw():
                if isinstance(event, Picture) and not drawn:
                    drawn = True
                    self._cards.remember(card)
                    said = f"{card} gives no numbers in half precision: it computes in float32 from now on, which takes longer."
                    event = replace(event, warnings=(*event.warnings, said))
                yield event
        finally:
            if not drawn:  # then it was not the card
                self._compute_in(narrow)

    def _compute_in(self, runtime: Runtime) -> None:
        self.unload()
        self._runtime = runtime

    def open(self, name: str) -> Model:
        """The opened model `name`; raises `ModelMissing` or `ModelBroken`."""
        if name == builtin.NAME:
            return self._models.use(name, lambda others: open_builtin(builtin.FOLDER, name, self._beside(others)))
        installed = self._preflight.installed(name)
        return self._models.use(
            name,
            lambda others: self._opened(installed, self._beside(others)),
            size_in_memory(installed.path, self._runtime.dtypes),
            outdated=lambda model: (
                (model.predicts, model.caution) != (installed.kind.predicts, installed.kind.caution)
                or not all(self._preflight.lacks(model.family, role) for role in model.lacks)
            ),
        )

    def _opened(self, installed: Installed, runtime: Runtime) -> Model:
        if installed.kind.family in NATIVE_FAMILIES:
            from .native_rgba.qwen_folders import open_native_model  # seconds of importing, which other models do without

            return open_native_model(installed, runtime)
        return open_base_model(installed, self.library, runtime)

    def describe(self) -> dict[str, Any]:
        """Models and tasks as plain JSON values; opens nothing."""
        offers = [Offer(builtin.NAME, SKETCHPAD, builtin.NAME in self._models)]
        for one in self.library.installed("checkpoint"):
            if one.kind.family is not None and not one.problem:
                offers.append(Offer(one.name, FAMILIES[one.kind.family], one.name in self._models))
        added = {role: self.library.installed(role) for role in ADDED}
        pictures = {one.name: found for one in added["lora"] if (found := preview_beside(one.path)) is not None}
        more = {
            "upscalers": self._upscalers.names(),
            "loras": [{**one.described, "preview": one.name in pictures} for one in added["lora"]],
            "embeddings": [one.described for one in added["embedding"]],
            PREVIEWS: {name: str(path) for name, path in pictures.items()},
        }
        return {**describe(str(self.device), offers), **more}

    def opened(self) -> list[str]:
        """The names of the models that are kept open, the latest used last."""
        return self._models.names()

    def unload(self) -> None:
        """Free every model."""
        self._models.clear()
        self._upscalers.close()
        free_caches(self.device)

    def _beside(self, others: Others) -> Runtime:
        return replace(self._runtime, others=others)
