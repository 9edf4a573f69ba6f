"""What a layered file asks for: layers whose names begin with `acetate:`. Knows lists of layers; knows no pixels and no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from acetate import document
from acetate.document import PASS_THROUGH, Box, Entry, NodePath, Outline
from acetate.engine import Request
from acetate.vocabulary.stacking import Stacking
from acetate.vocabulary.tasks import DEFAULT, TASKS, Task

from ..command_line.exit_codes import UsageError

ASKING = re.compile(r"\s*acetate(?:\s+(?P<task>[^\s:：]+))?\s*[:：]\s*(?P<prompt>.*?)\s*", re.IGNORECASE | re.DOTALL)
"""`acetate: a glass bottle` or `acetate refine: a glass bottle`; Chinese and Japanese keyboards have a wide colon."""
VERSION = r"(?:, (?:background|foreground|blended))? \((\d+)\)"
"""What follows the words in the name of a layer that was made for them: its seed."""
OWN, BENEATH = "source", "background"
"""The pictures that an asking layer gives: its own pixels, and what lies below it."""
TASKS_BY_NAME = tuple(
    name
    for name, task in TASKS.items()
    if not task.enlarges and "prompt" in task.parameters and set(task.conditions) <= {OWN, BENEATH} and len(task.conditions) < 2
)
"""The tasks that one layer, with what lies below it, can ask for."""


@dataclass(frozen=True)
class Version:
    """A layer that was made for an asking one before."""

    path: NodePath
    entry: Entry


@dataclass(frozen=True)
class Ask:
    """A layer, or a group, that asks for another one in its place."""

    path: NodePath
    entry: Entry
    key: tuple[str, int]
    """Its full name, and how many of that name lie below it: what it is found by again in a file that was saved meanwhile."""
    versions: tuple[Version, ...]
    """What was made for it before and lies above it, bottom to top."""
    free_seed: int
    """One more than any seed in the file that its words were drawn with; 0 where there is none."""

    @property
    def words(self) -> tuple[str, str]:
        """The task and the prompt that its name holds."""
        return _words(self.entry.name) or ("", "")

    @property
    def task(self) -> Task:
        """The task that it asks for. Raises `UsageError` for one that is none or that a name cannot ask for."""
        name, prompt = self.words
        if name not in TASKS_BY_NAME:
            choices = ", ".join(TASKS_BY_NAME)
            raise UsageError(f"the layer {self.entry.name!r} asks for {name!r}", f"a layer's name can ask for {choices}")
        if not prompt and TASKS[name].needs_prompt:
            raise UsageError(f"the layer {self.entry.name!r} does not say what to draw", "write it after the colon")
        return TASKS[name]

    @property
    def look(self) -> dict[str, Any]:
        """The opacity and the blend mode of what comes in its place: those of the newest version, which may have been chosen
        since, else its own."""
        model = self.versions[-1].entry if self.versions else self.entry
        return {"opacity": model.opacity, "blend_mode": "normal" if model.blend_mode == PASS_THROUGH else model.blend_mode}

    def area(self, read: document.Document) -> Box:
        """The place and the size of what it asks for, in the document that was read: where it has pixels and its mask shows them;
        of one without pixels what its mask shows, else the whole canvas."""
        node = document.find(read, self.path)
        layers = [one for one in document.walk([node]) if isinstance(one, document.Layer)]
        pixels = reduce(Box.union, (document.trim(layer).box for layer in layers), Box(0, 0, 0, 0))
        boxes = [box for box in (pixels, self.entry.mask) if box is not None and not box.empty]
        area = reduce(Box.intersection, boxes, read.box)
        return read.box if area.empty else area

    def request(self, read: document.Document, area: Box, **parameters: Any) -> Request:
        """The request for what it asks in an `area`; `parameters` that its task does not heed are left out.

        Raises `UsageError` for what cannot be asked for, and where the layer lacks the picture that its task is given.
        """
        task, (_, prompt) = self.task, self.words
        asked: dict[str, Any] = {"width": area.width, "height": area.height, **parameters, "prompt": prompt}
        pictures: dict[str, Any] = {}
        for given in task.conditions:
            picture = document.alone(read, self.path) if given == OWN else document.below(read, self.path)
            pictures[given] = picture[area.slices]
            if not pictures[given][..., 3].any():
                what = "has no pixels that could be changed" if given == OWN else "has nothing below it to fit"
                raise UsageError(f"the layer {self.entry.name!r} {what}", "paint something, or ask without the task's name")
        return Request(task=task.name, **{name: asked[name] for name in asked if name in task.parameters}, **pictures)


def asks(outline: Outline) -> tuple[Ask, ...]:
    """All layers and groups of a list that ask, bottom to top."""
    everything = [siblings[path[-1]] for path, siblings, _ in _walk(outline.entries)]
    found: list[Ask] = []
    for path, siblings, full in _walk(outline.entries):
        entry = siblings[path[-1]]
        words = _words(entry.name)
        if words is None:
            continue
        versions = tuple(Version((*path[:-1], index), siblings[index]) for index in _answers(siblings, path[-1]))
        seeds = (seed for one in everything if (seed := _seed(one.name, words)) is not None)
        twins = sum(other.key[0] == full for other in found)
        found.append(Ask(path, entry, (full, twins), versions, max(seeds, default=-1) + 1))
    return tuple(found)


def _walk(entries: Sequence[Entry], path: NodePath = (), prefix: str = "") -> Iterator[tuple[NodePath, Sequence[Entry], str]]:
    """Path, siblings and full name of every entry, bottom to top."""
    for index, entry in enumerate(entries):
        yield (*path, index), entries, prefix + entry.name
        yield from _walk(entry.children or (), (*path, index), f"{prefix}{entry.name}/")


def _answers(siblings: Sequence[Entry], asking: int) -> Iterator[int]:
    """The indices of the layers above an asking one that were made for it: those up to the next that asks for the same."""
    words = _words(siblings[asking].name)
    for index in range(asking + 1, len(siblings)):
        if words is None or _words(siblings[index].name) == words:
            return
        if _seed(siblings[index].name, words) is not None:
            yield index


def _words(name: str) -> tuple[str, str] | None:
    """The task and the prompt that a name asks for, if it does."""
    found = ASKING.fullmatch(name)
    return found and ((found["task"] or DEFAULT).lower(), found["prompt"])


def _seed(name: str, words: tuple[str, str]) -> int | None:
    """The seed in the name of a layer that was made for these words; `None` for any other."""
    found = re.fullmatch(re.escape(Stacking(*words, ()).title) + VERSION, name)
    return found and int(found[1])
