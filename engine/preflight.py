"""What can be known of a request before torch is imported: whether it is right, what its prompts say, and whether the models and
files that it names are there.

Knows requests, the library and headers of files; opens no model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from acetate.vocabulary.tasks import TASKS

from . import builtin, requirements, validation
from .families import FAMILIES, ONE_OF_TITLES, SKETCHPAD, Family, NativeFamily, few_steps
from .files import catalogue
from .files.installed import Installed
from .files.library import Library
from .files.own_folders import wildcards_folder
from .prompt_language.dynamic_prompts import Wildcards
from .prompt_language.reading import read
from .upscaling.upscale import interpolates, target_size, upscale
from .upscaling.upscaler_files import file_of
from .values.errors import BadRequest, ModelMissing
from .values.request import Picture, Progress, Request


@dataclass(frozen=True)
class Ready:
    """A request that was looked through."""

    requests: tuple[Request, ...]
    """One for each picture, of count 1, with the words and LoRAs that are its own."""
    notes: tuple[str, ...]
    """What a person should know of every picture."""

    @property
    def takes_no_network(self) -> bool:
        """Whether it can be done without torch."""
        first = self.requests[0]
        return TASKS[first.task].enlarges and interpolates(first)

    def without_networks(self) -> Iterator[Progress | Picture]:
        """Run what takes no network; the bytes are `Engine.run`'s."""
        return self.noted(upscale(self.requests))

    def noted(self, events: Iterable[Progress | Picture], more: Iterable[str] = ()) -> Iterator[Progress | Picture]:
        """The events, with the notes on every picture."""
        notes = (*self.notes, *more)
        for event in events:
            yield replace(event, warnings=(*notes, *event.warnings)) if isinstance(event, Picture) else event


class Preflight:
    """Looks through requests with a library of installed models."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def look(self, request: Request) -> Ready:
        """Everything that can be wrong, before anything is loaded. Raises an `EngineError`."""
        validation.check(request)
        requests, notes = read(request, Wildcards(wildcards_folder()))
        if request.fast and requirements.uses_model(request):
            requests = tuple(map(self._fast, requests))
        for one in requests:
            validation.check(one)
        if TASKS[request.task].enlarges:
            target_size(request)
        if request.upscaler is not None:
            file_of(request.upscaler, self.library)
        if requirements.uses_model(request):
            self._check_files(requests)
            notes += tuple(dict.fromkeys(caution for one in requests for caution in self._cautions(one)))
        return Ready(requests, notes)

    def installed(self, name: str) -> Installed:
        """The checkpoint `name`. Raises `ModelMissing`, whose hint also names the built-in model, or `ModelBroken`."""
        try:
            return self.library.find(name, "checkpoint")
        except ModelMissing as error:
            raise ModelMissing(f"there is no model {name!r}", f"{error.hint} Built in is {builtin.NAME}.") from None

    def family(self, model: str) -> Family:
        """The family of the built-in or an installed model. Raises `ModelMissing` or `ModelBroken`."""
        if model == builtin.NAME:
            return SKETCHPAD
        family = self.installed(model).kind.family
        assert family is not None  # unusable files have been refused before
        return FAMILIES[family]

    def path(self, model: str) -> Path:
        """The model's checkpoint or folder; raises what `family` does."""
        return builtin.FOLDER if model == builtin.NAME else self.installed(model).path

    def lacks(self, family: Family, role: str) -> bool:
        """Whether the family's weights of that role are not installed."""
        try:
            self.find(family, role)
        except ModelMissing:
            return True
        return False

    def find_lora(self, family: Family, name: str) -> Path:
        """The file of a LoRA; raises what `Library.lora` does."""
        return self.library.lora(family, name).path

    def find(self, family: Family, role: str) -> Path:
        """The file of the family's weights of that role; raises what `Library.weights` does."""
        if not family.bundled:
            return self.library.weights(family.name, role).path
        path = builtin.FOLDER / "layers" / f"{role}.safetensors"
        if not path.exists():
            raise ModelMissing(f"the built-in model has no weights {role!r}", f"choose {ONE_OF_TITLES} model: acetate models")
        return path

    def _check_files(self, requests: tuple[Request, ...]) -> None:
        """Report files that are missing or do not fit now, not after minutes of loading."""
        first = requests[0]  # the others have other words and LoRAs
        family = self.family(first.model)
        for name in dict.fromkeys(name for request in requests for name, *_ in request.loras):
            self.library.lora(family, name)
        requirements.check(family, requirements.roles_of(first, family), self.find)

    def _fast(self, request: Request) -> Request:
        """The request drawn in few steps. Raises `ModelMissing` where nothing installed can do it."""
        family = self.family(request.model)
        if isinstance(family, NativeFamily):
            raise BadRequest(f"{family.title} models have no LoRA that draws in few steps", "leave fast out, or take its Turbo")
        loras = [one.name for one in self.library.installed("lora") if one.family == family.name and not one.kind.problem]
        found = few_steps.settled_fast(request, family, loras, lambda name: self._distilled(request, name))
        if found is None:
            row = catalogue.candidates(family.name, few_steps.ROLE)[0]
            message = f"no LoRA that draws in few steps is installed for {family.name}"
            raise ModelMissing(message, f"acetate models pull {row.name}")
        return found

    def _cautions(self, request: Request) -> Iterator[str]:
        defaults = self.family(request.model).defaults
        yield from few_steps.cautions(request, defaults, lambda name: self._distilled(request, name))

    def _distilled(self, request: Request, name: str) -> str:
        """How the model of `request`, or a LoRA for it, was distilled."""
        if request.model == builtin.NAME:
            return ""
        if name == request.model:
            return self.installed(name).kind.distilled
        return self.library.lora(self.family(request.model), name).kind.distilled
