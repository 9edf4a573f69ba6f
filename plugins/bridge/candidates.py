"""The pictures that a job has made, one by one: what an artist looks at, chooses, marks and throws away.

Knows the protocol's values; knows no editor, no widget, and asks for nothing.

    candidates_of(entry)             the pictures of a finished job, for the history
    CandidateStrip                   the pictures of the run that is going on, as they arrive, and which of them is chosen
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from acetate.protocol import Discarded, Drawn, Event, HistoryEntry, LayerReady, LayerSummary, Starred, summary_of
from acetate.vocabulary.stacking import BOTTOM_UP

from .tasks import BY_NAME
from .translations import _
from .words import short_prompt

Key = tuple[str, int]
"""The name of a picture: its job, and its number among the job's candidates."""

SAME_SIZE = 0.02
"""By how much a picture may have been enlarged without a word about it."""


@dataclass(frozen=True)
class Candidate:
    """One picture of a job: a layer, or the layers that belong together, such as an object and its background."""

    job: str
    number: int
    """Which of the job's candidates it is, from 0, as `LayerSummary.picture` says."""
    task: str
    prompt: str
    layers: tuple[LayerSummary, ...]
    """In the order of their arrival; at least one."""

    @property
    def key(self) -> Key:
        return self.job, self.number

    @property
    def shown(self) -> LayerSummary:
        """The layer whose thumbnail stands for the picture: all of it together where there is such a layer."""
        there = [layer for layer in self.layers if layer.width and layer.height] or list(self.layers)
        return max(there, key=lambda layer: BOTTOM_UP.index(layer.role) if layer.role in BOTTOM_UP else -1)

    @property
    def empty(self) -> bool:
        """Whether every pixel of it is transparent."""
        return not (self.shown.width and self.shown.height)

    @property
    def thumbnail(self) -> tuple[str, int]:
        """The name of its thumbnail in `JobHistory.thumbnails`."""
        return self.job, self.shown.index

    @property
    def indices(self) -> tuple[int, ...]:
        """The numbers of its layers among those of the job."""
        return tuple(layer.index for layer in self.layers)

    @property
    def seed(self) -> int:
        return self.shown.seed

    @property
    def starred(self) -> bool:
        return any(layer.starred for layer in self.layers)

    @property
    def drawn(self) -> Drawn | None:
        """How large it was drawn; `None` where nothing was drawn, or where the server does not say."""
        return self.shown.drawn

    @property
    def title(self) -> str:
        """Its prompt on one line, or its task's name."""
        return short_prompt(self.prompt) or (_(BY_NAME[self.task].label) if self.task in BY_NAME else self.task.capitalize())


def candidates_of(entry: HistoryEntry) -> tuple[Candidate, ...]:
    """The pictures of a finished job, the first one first."""
    return _pictures(entry.job, entry.task, str(entry.parameters.get("prompt", "")), entry.layers)


def size_words(drawn: Drawn) -> str:
    """How large a picture was or will be drawn, such as `1024 × 1024, enlarged 4 ×`."""
    size = f"{drawn.width} × {drawn.height}"
    if abs(drawn.enlarged - 1) <= SAME_SIZE:
        return size
    if drawn.enlarged < 1:
        return _("{size}, reduced to {percent} %").format(size=size, percent=round(100 * drawn.enlarged))
    factor = f"{drawn.enlarged:.2g}" if drawn.enlarged < 10 else str(round(drawn.enlarged))
    return _("{size}, enlarged {factor} ×").format(size=size, factor=factor)


def without(entry_layers: Iterable[LayerSummary], wanted: Sequence[Candidate]) -> tuple[int, ...]:
    """The numbers of the layers of a job that do not belong to these pictures: what is not to be sent again."""
    kept = {index for one in wanted for index in one.indices}
    return tuple(sorted(layer.index for layer in entry_layers if layer.index not in kept))


@dataclass
class CandidateStrip:
    """The pictures of one run, in the order of their numbers. Feed it every event with `take`; read the rest."""

    job: str = ""
    task: str = ""
    prompt: str = ""
    layers: list[LayerSummary] = field(default_factory=list)
    chosen: int | None = None
    """The number of the picture that is looked at."""

    def begin(self, job: str, task: str, prompt: str) -> None:
        """Show the pictures of this run from now on, as they arrive."""
        self.job, self.task, self.prompt, self.layers, self.chosen = job, task, prompt, [], None

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return _pictures(self.job, self.task, self.prompt, self.layers)

    @property
    def candidate(self) -> Candidate | None:
        """The chosen one."""
        return next((one for one in self.candidates if one.number == self.chosen), None)

    def take(self, event: Event) -> bool:
        """Take in an event; returns whether it changed anything here."""
        if isinstance(event, LayerReady) and event.job == self.job:
            return self._arrived(summary_of(event.layer))
        if isinstance(event, Discarded) and event.job == self.job:
            return self._discarded(event)
        if isinstance(event, Starred) and event.job == self.job:
            self.layers = marked(self.layers, event)
            return True
        return False

    def choose(self, number: int) -> None:
        """Look at the picture of that number; one that is not there changes nothing."""
        if any(one.number == number for one in self.candidates):
            self.chosen = number

    def step(self, by: int) -> Candidate | None:
        """Look at the next picture (or with -1 the previous one), round in a circle; returns it."""
        numbers = [one.number for one in self.candidates]
        if not numbers:
            return None
        at = numbers.index(self.chosen) + by if self.chosen in numbers else (0 if by > 0 else -1)
        self.chosen = numbers[at % len(numbers)]
        return self.candidate

    def _arrived(self, layer: LayerSummary) -> bool:
        if any(layer.index == known.index for known in self.layers):  # sent again, to be inserted
            return False
        self.layers.append(layer)
        if self.chosen is None:
            self.chosen = layer.picture
        return True

    def _discarded(self, event: Discarded) -> bool:
        numbers = [one.number for one in self.candidates]
        self.layers = [layer for layer in self.layers if event.pictures and layer.picture not in event.pictures]
        left = [one.number for one in self.candidates]
        if self.chosen not in left:  # its neighbour takes its place
            at = numbers.index(self.chosen) if self.chosen in numbers else 0
            self.chosen = left[min(at, len(left) - 1)] if left else None
        return True


def marked(layers: Iterable[LayerSummary], event: Starred) -> list[LayerSummary]:
    """The layers after the server has said that a picture is marked, or is so no more."""
    return [replace(one, starred=event.starred) if one.picture == event.picture else one for one in layers]


def _pictures(job: str, task: str, prompt: str, layers: Iterable[LayerSummary]) -> tuple[Candidate, ...]:
    by_number: dict[int, list[LayerSummary]] = {}
    for layer in layers:
        by_number.setdefault(layer.picture, []).append(layer)
    return tuple(Candidate(job, number, task, prompt, tuple(by_number[number])) for number in sorted(by_number))
