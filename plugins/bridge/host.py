"""The port between a job and its editor: what a job wants of the open document, and what an editor does for it.

Knows no editor. Documents and layers are passed through as the editor's own handles; nothing here looks into them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from acetate.protocol import Box, Image

from .stack import Item

if TYPE_CHECKING:
    from .pending import PendingResult

T = TypeVar("T")
Work = Generator[None, None, T]
"""Does a few milliseconds of work between two `yield`s and returns its result."""
Then = Callable[[T | None, BaseException | None], None]
"""Called with a result, or with what was raised instead of it."""


class RefusedError(Exception):
    """This cannot be done; the text says why and what to do, in a sentence or two."""


class DocumentClosedError(Exception):
    """The document is not open any more."""


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """Decided when the artist presses the button, before anything is read: what to send, and where the result goes."""

    box: Box | None = None
    """Where the result of a generation goes; `None` leaves place and size to the model."""
    name: str = ""
    """What the server is to call the result."""
    format: str = "rgba8"
    """The pixel format in which the layers are wanted."""
    source: Any = None
    """The layer to send."""
    source_box: Box | None = None
    """What of it to send."""
    anchor: Any = None
    """The layer that the result goes above."""
    below: Any = None
    """The layer that it goes below instead."""
    title: str = ""
    """The name of the group when several layers come without one."""
    replaces: Any = None
    """The layer to take out when the result is in."""
    hides: Any = None
    """The layer to hide when the result is in."""
    restores: Any = None
    """The layer whose own pixels the result keeps to the bit wherever nothing was selected."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """What the editor keeps on each new layer beside what the server says about it."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """An editor's own texts. `{name}`, `{path}`, `{error}` and `{reason}` (the error without its number) are filled in."""

    reading: str = "Reading the layer"
    sending: str = "Sending"
    nothing_selected: str
    """A repaint's mask is empty."""
    nothing_arrived: str
    """A job has finished without a layer."""
    all_transparent: str
    foreign_file: str
    """A file of none of the formats that can be inserted."""
    unreadable: str
    unwritable: str
    empty_file: str = ""
    """A file without bytes; without a text the server judges it."""


class EditorHost:
    """What an editor does for its jobs; a subclass for each. Everything is called on the editor's main thread."""

    wording: Wording
    keeps_jobs = True
    """Whether the server keeps a result that nobody could take, for the history."""
    lost_seconds: float | None = None
    """How long a connection may stay lost before its jobs are given up; `None` waits for the server, however long that takes."""
    stop_seconds: float | None = None
    """How long the server may take to confirm a stop before nobody waits for it any more; `None` waits."""

    def check(self, document: Any) -> None:
        """Raise `RefusedError` when no layer can be put into the document, before anything is asked for."""

    def is_open(self, document: Any) -> bool:
        """Whether layers can still go into the document; `None` is a document that was never there."""
        raise NotImplementedError

    def read_layer(self, document: Any, layer: Any, box: Box) -> Work[Image]:
        """How the layer looks by itself under the box, straight alpha."""
        raise NotImplementedError

    def read_selection(self, document: Any, box: Box) -> Work[Image]:
        """The selection under the box as `gray8`, 255 = selected; all 0 without a selection."""
        raise NotImplementedError

    def undo_step(self, document: Any) -> AbstractContextManager[None]:
        """Everything that is done to the document inside the block is one step of its undo history."""
        return nullcontext()

    def insert(self, result: PendingResult, item: Item) -> Work[Any]:
        """Put the item where the result's plan says, restoring and replacing what it says; returns what the editor wants back."""
        raise NotImplementedError

    def insert_elsewhere(self, result: PendingResult, item: Item) -> Work[Any]:
        """Put the item into a document of its own, in an editor that makes one."""
        raise DocumentClosedError

    def hide(self, layer: Any) -> None:
        """Make the layer invisible; one that is gone is passed over."""

    def later(self, work: Work[T], then: Then[T]) -> None:
        """Do the work as soon as the editor has time for it, in an editor that is not asked: at once."""
        try:
            while True:
                next(work)
        except StopIteration as stop:
            then(stop.value, None)
        except Exception as error:
            then(None, error)

    def on_thread(self, function: Callable[[], T], then: Then[T]) -> None:
        """Call a function that touches only files, in an editor that has no thread for it: at once."""
        try:
            result, error = function(), None
        except OSError as raised:
            result, error = None, raised
        then(result, error)

    def notify(self, result: PendingResult) -> None:
        """Something about the job has changed; `result.over` says whether that was the last time."""
