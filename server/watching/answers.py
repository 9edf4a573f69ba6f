"""Answers to what a file asks for: drawn, put above the asking layers, and written unless somebody else is at the file.

What was drawn is kept until it is in: a file that is saved or held open meanwhile gets it later, and a program that saves without
having loaded an answer does not lose it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acetate import document
from acetate.engine import EngineError, Picture, Request
from acetate.engine.pixels.alpha import resize_padded
from acetate.protocol import ProtocolError
from acetate.vocabulary.stacking import Stacking

from ..command_line.exit_codes import UsageError
from ..command_line.outputs import as_layer
from ..worker.layers import position
from . import held_open
from .asks import Ask, asks
from .folder import Folder, Stamp, stamp

Key = tuple[str, int]
FAILURES = (UsageError, EngineError, ProtocolError, document.DocumentError)
"""What can be wrong with one layer, and does not keep the others from being drawn."""
KEPT = 16
"""Versions of one layer that are put back where a program saved without them."""


class SavedMeanwhile(Exception):
    """The file is not the one that was read."""


@dataclass(frozen=True)
class Answer:
    """What was drawn for one layer, or why nothing was."""

    layers: tuple[document.Layer, ...] = ()
    """Bottom to top, at their places."""
    warnings: tuple[str, ...] = ()
    error: Exception | None = None


@dataclass(frozen=True)
class Said:
    """What became of one layer, or of a file."""

    file: Path
    layer: str = ""
    """The asking layer's full name."""
    made: tuple[str, ...] = ()
    """The names of the layers that are in the file now."""
    notes: tuple[str, ...] = ()
    error: Exception | None = None


class Answers:
    """Answers the files of a folder."""

    def __init__(
        self, folder: Folder, draw: Callable[[Request], Iterable[Picture]], parameters: Mapping[str, Any], seed: int = 0
    ) -> None:
        """`parameters` are those of every request; the first version of a layer has the `seed`, each later one the next."""
        self._folder, self._draw, self._parameters, self._seed = folder, draw, dict(parameters), seed
        self._waiting: dict[Path, dict[Key, Answer]] = {}
        self._made: dict[tuple[Path, Key], list[document.Layer]] = {}

    def answer(self, path: Path) -> Iterator[Said]:
        """Answer all layers of one file that ask, and say what became of each.

        Raises `HeldOpen` and `SavedMeanwhile` where it has to be tried again; what was drawn by then is kept.
        """
        try:
            seen = stamp(path)
        except OSError:  # deleted or renamed since it was listed
            return
        try:
            held_open.check(path)
            wanted = [ask.key for ask in asks(document.outline(path))]
            if wanted:
                yield from self._answered(path, seen, wanted)
        except (document.DocumentError, OSError) as error:
            yield Said(path, error=error)
        self._folder.done(path, seen)

    def _answered(self, path: Path, seen: Stamp, wanted: list[Key]) -> Iterator[Said]:
        data = document.load(path)
        waiting = self._waiting.setdefault(path, {})
        said = []
        for key in wanted:
            ask = self._found(data, path, key)
            if key not in waiting:
                waiting[key] = self._drawn(ask, data, path)
            answer, notes = waiting[key], list(waiting[key].warnings)
            if answer.layers:
                data = self._inserted(data, path, ask, answer, notes)
            made = tuple(layer.name for layer in answer.layers)
            said.append(Said(path, key[0], made, tuple(dict.fromkeys(notes)), answer.error))
        if any(one.made for one in said):
            written: list[Stamp] = []
            document.write_whole(path, lambda file: file.write(data), self._replacing(path, seen, written))
            self._folder.answered(path, written[0])
        for key, answer in self._waiting.pop(path).items():
            kept = self._made.setdefault((path, key), [])
            kept += answer.layers
            del kept[:-KEPT]
        yield from said

    def _found(self, data: bytes, path: Path, key: Key) -> Ask:
        return next(ask for ask in asks(document.outline_bytes(data, name=path.name)) if ask.key == key)

    def _drawn(self, ask: Ask, data: bytes, path: Path) -> Answer:
        unseen = [layer.parameters.get("seed", -1) + 1 for layer in self._made.get((path, ask.key), ())]
        seed = max((self._seed, ask.free_seed, *unseen))
        try:
            read = document.read_bytes(data, name_or_format=path.name)
            area = ask.area(read)
            request = ask.request(read, area, seed=seed, **self._parameters)
            pictures = [one for one in self._draw(request) if not one.hidden]
        except FAILURES as error:
            return Answer(error=error)
        makes = tuple(dict.fromkeys(one.role for one in pictures))
        stacking = Stacking(*ask.words, makes, pictures[-1].index + 1)
        layers = []
        for picture in sorted(pictures, key=lambda one: position(stacking, one).order):
            rgba = resize_padded(picture.rgba, area.width, area.height)
            layer = as_layer(picture, position(stacking, picture).name_alone, visible=picture.index == 0)
            layers.append(document.trim(replace(layer, rgba=rgba, x=area.x, y=area.y)))
        return Answer(tuple(layers), tuple(dict.fromkeys(warning for one in pictures for warning in one.warnings)))

    def _inserted(self, data: bytes, path: Path, ask: Ask, answer: Answer, notes: list[str]) -> bytes:
        """The file with an answer above the asking layer and its earlier versions, which are hidden."""
        there = {version.entry.name for version in ask.versions}
        unseen: list[document.Layer] = []
        if ask.entry.visible:  # else the file has been loaded since, and what is missing was thrown away
            unseen = [replace(layer, visible=False) for layer in self._made.get((path, ask.key), ()) if layer.name not in there]
        above = ask.versions[-1].path if ask.versions else ask.path
        hide = [ask.path, *(version.path for version in ask.versions)]
        for layer in reversed([*unseen, *(replace(layer, **ask.look) for layer in answer.layers)]):
            data = document.insert_into_bytes(data, layer, name=path.name, above=above, hide=hide, notes=notes)
            hide = []
        return data

    @contextlib.contextmanager
    def _replacing(self, path: Path, seen: Stamp, written: list[Stamp]) -> Iterator[None]:
        """Let the file be replaced if nobody has it open and it is as it was `seen`; `written` gets the stamp of the new one."""
        with held_open.reserved(path):
            if stamp(path) != seen:
                self._waiting[path] = {key: one for key, one in self._waiting[path].items() if one.error is None}
                raise SavedMeanwhile(f"{path.name} was saved while its layers were drawn")
            yield
            written.append(stamp(path))
