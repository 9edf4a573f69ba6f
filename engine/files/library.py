"""What is installed: the program's own models folder, and the folders of other programs that a person has added.

Knows files and what their headers say; opens no model. Existing folders are read where they lie, nothing is copied.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from ..checkpoints.prediction import PREDICTIONS, Predicts
from ..families import ONE_OF_TITLES, BaseFamily, Family
from ..values.errors import BadRequest, ModelBroken, ModelMissing
from . import catalogue, extra_model_paths
from .catalogue import CatalogueRow
from .checksums import FirstUse
from .companions import completed
from .foreign_model_folders import model_files, names_of
from .gguf_headers import SUFFIX as GGUF
from .header_cache import DAMAGED, HeaderCache, stamp_of
from .installed import Installed
from .json_files import read_json, write_json
from .own_folders import cache_folder, models_folder, settings_folder
from .recognition import FileRole

PROGRAMS = "ComfyUI, A1111, Forge, StabilityMatrix, SwarmUI, InvokeAI or Fooocus"
"""Programs whose folders of models are known."""

Find = Callable[[Family, str], Path]
"""(family, catalogue role or name of a LoRA) -> file; raises `ModelMissing` with what would help."""

Auto = Literal["auto"]


class Library:
    """The installed models. Every call looks at the disk again; unchanged files are answered from a cache of headers."""

    def __init__(self, models: Path | None = None, settings: Path | None = None, cache: Path | None = None) -> None:
        self.models = models or models_folder()
        self.settings = settings or settings_folder()
        """The folder of what is remembered of this machine."""
        self._settings = self.settings / "library.json"
        self.first_use = FirstUse(self._settings.with_name("first_use.json"))
        self._cache = HeaderCache((cache or cache_folder()) / "headers.json")

    def folders(self) -> list[Path]:
        """The folders and files that were added, in that order."""
        return [Path(folder) for folder in self._content()["folders"]]

    def add(self, path: Path) -> list[Installed]:
        """Search `path` from now on, a folder of any program or one model file. Raises `BadRequest` or `ModelBroken` for others.

        Returns what is in it.
        """
        path = path.expanduser().absolute()
        if not path.exists():
            raise BadRequest(f"{path} does not exist")
        inside = list(self._installed_in([path]))
        found = completed([*inside, *self.installed()])[: len(inside)]
        named = path if path.name in extra_model_paths.NAMES else extra_model_paths.lies_in(path)
        elsewhere = extra_model_paths.named_folders(named) if named else []
        if path.is_file() and not named and (not found or found[0].kind.problem):
            other = f"{path.name} cannot be used: models are .safetensors or .gguf files, upscalers also .pth files"
            raise ModelBroken(found[0].refusal if found else other)
        if not found:
            places = [str(folder) for _, folder in elsewhere]
            also = f", nor in what {named.name} names: {', '.join(places)}" if named and places else ""
            raise BadRequest(
                f"there is no model in {path}{also}", f"Add a folder with .safetensors files, or that of {PROGRAMS}."
            )
        if path not in self.folders():
            self._remember([*self.folders(), path])
        return found

    def remove(self, path: Path) -> None:
        """Stop searching `path`; nothing is deleted. Raises `BadRequest` for a path that was not added."""
        path = path.expanduser().absolute()
        folders = self.folders()
        if path not in folders:
            known = ", ".join(map(str, folders)) or "none"
            raise BadRequest(f"{path} was not added", f"Added are: {known}.")
        self._remember([folder for folder in folders if folder != path])

    def installed(self, role: FileRole | None = None) -> list[Installed]:
        """Everything installed, the program's own folder first; for unusable files, `kind.problem` says why."""
        everything = completed(list(self._installed_in([self.models, *self.folders()])))
        return [one for one in everything if role is None or one.kind.role == role]

    def stamp(self) -> int:
        """A number that changes when a file is added, removed or replaced; reads no file but the list of folders."""
        found = (stamp_of(path) for root in (self.models, *self.folders()) for path in model_files(root))
        return hash(tuple(found))

    def find(self, name: str, role: FileRole, family: BaseFamily | None = None) -> Installed:
        """The installed file of this role that requests call `name`, of `family` if given.

        Raises `ModelMissing`, `ModelBroken`, or `BadRequest` for a file of another family.
        """
        everything = self.installed()
        installed = [one for one in everything if one.kind.role == role]
        wanted = name.removesuffix(".safetensors").removesuffix(GGUF)
        called = sorted((one for one in installed if one.is_called(wanted)), key=lambda one: one.name != wanted)
        fitting = [one for one in called if one.suits(family)]
        unusable = [one for one in everything if one.kind.role == "other" and one.is_called(wanted)]
        for one in fitting or called or unusable:
            if one.refusal:
                raise ModelBroken(one.refusal) if one.kind.problem else ModelMissing(one.refusal, one.hint)
            if family is not None and not fitting:
                raise BadRequest(f"{one.path.name} is {one.kind.what}; one for {family.title} is needed")
            return one
        names = [one.name for one in installed if not one.problem and one.suits(family)]
        close = difflib.get_close_matches(wanted, names, n=3) or names[:5]
        hint = f"Installed are: {', '.join(close)}." if close else "None is installed; see `acetate models`."
        raise ModelMissing(f"there is no {'LoRA' if role == 'lora' else role} {name!r}", hint)

    def lora(self, family: Family, name: str) -> Installed:
        """The LoRA that requests call `name`, for models of `family`; raises what `find` does."""
        if not isinstance(family, BaseFamily):
            raise BadRequest(f"LoRA {name!r} cannot be used: {family.name} models take none", f"choose {ONE_OF_TITLES} model")
        return self.find(name, "lora", family)

    def weights(self, family: str, role: str) -> Installed:
        """The LayerDiffuse file of this family and role, known by its name, or else by its size and checksum.

        Raises `ModelMissing` with the command that downloads it, `ModelBroken` for a damaged file, `BadRequest` where none
        exists.
        """
        rows = catalogue.candidates(family, role)
        if not rows:
            raise BadRequest(f"there are no weights of role {role!r} for {family} models")
        installed = self.installed()
        for row in rows:
            for one in installed:
                if one.row == row and one.kind.what == DAMAGED:
                    raise ModelBroken(one.kind.problem, f"Delete the file, then: acetate models pull {row.name}")
                if one.row == row:
                    return one
        for one in installed:
            found = self._by_content(one.path, rows) if one.row is None and one.kind.role == "layerdiffuse" else None
            if found is not None:
                return replace(one, row=found)
        raise ModelMissing(f"the {family} weights {role!r} are not installed", f"acetate models pull {rows[0].name}")

    def _installed_in(self, roots: list[Path]) -> Iterator[Installed]:
        taken: set[str] = set()
        seen: set[Path] = set()
        told, problems = self._told(), self.first_use.problems()
        for root in roots:
            for path in model_files(root):
                real = path.resolve()
                if real in seen:
                    continue
                seen.add(real)
                name = next(name for name in names_of(path) if name not in taken)
                taken.add(name)
                kind = self._cache.kind(path)
                if kind.role == "checkpoint" and str(path) in told:
                    kind = kind.told(*told[str(path)])
                if path in problems and not kind.problem:
                    kind = replace(kind, problem=problems[path])
                yield Installed(name, path, kind, catalogue.by_file(path.name))
        self._cache.save()

    def _by_content(self, path: Path, rows: tuple[CatalogueRow, ...]) -> CatalogueRow | None:
        size = path.stat().st_size
        for row in rows:
            if row.sha256 is not None and row.bytes == size and self._cache.sha256(path) == row.sha256:
                return row
        return None

    def tell(self, name: str, *, predicts: Predicts | Auto | None = None, distilled: bool | Auto | None = None) -> Installed:
        """Remember what a person says of the checkpoint `name`, against what its file says: what it predicts, whether it is
        distilled. `auto` forgets what was said, `None` leaves it.

        Raises what `find` does.
        """
        path = str(self.find(name, "checkpoint").path)
        content = self._content()
        for key, value in (("predictions", predicts), ("distilled", distilled)):
            known = {other: said for other, said in content.get(key, {}).items() if value is None or other != path}
            content[key] = known if value in (None, "auto") else {**known, path: value}
        self._write(content)
        return self.find(name, "checkpoint")

    def _told(self) -> dict[str, tuple[Predicts | None, bool | None]]:
        """What people said of checkpoints, by path."""
        content = self._content()
        predicts, distilled = content.get("predictions", {}), content.get("distilled", {})
        return {path: (predicts.get(path), distilled.get(path)) for path in {*predicts, *distilled}}

    def _remember(self, folders: list[Path]) -> None:
        self._write({**self._content(), "folders": [str(folder) for folder in folders]})

    def _write(self, content: dict[str, Any]) -> None:
        write_json(self._settings, {key: value for key, value in content.items() if value or key == "folders"})

    def _content(self) -> dict[str, Any]:
        """The settings; what is no right value in them is left out."""
        found = read_json(self._settings) if self._settings.exists() else {}
        folders = found.get("folders")
        content: dict[str, Any] = {
            "folders": [each for each in folders if isinstance(each, str)] if isinstance(folders, list) else []
        }
        for key, right in (("predictions", PREDICTIONS), ("distilled", (True, False))):
            told = found.get(key)
            content[key] = {path: value for path, value in told.items() if value in right} if isinstance(told, dict) else {}
        return content
