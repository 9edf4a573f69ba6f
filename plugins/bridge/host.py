"""The port between a job and its editor: what a job wants of the open document, and what an editor does for it.

Knows no editor. Documents and layers are passed through as the editor's own handles; nothing here looks into them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from acetate.protocol import Box, Image

from .placement import Clip, Original
from .stack import Item
from .surroundings import Surroundings
from .translations import marked

if TYPE_CHECKING:
    from .pending import PendingResult

T = TypeVar("T")
Work = Generator[None, None, T]
"""A generator that does a few milliseconds of work between two `yield`s and returns its result."""
Then = Callable[[T | None, BaseException | None], None]
"""A function that is called with a result, or with what was raised instead of it."""


class RefusedError(Exception):
    """Something cannot be done; the text says why and what to do, in a sentence or two."""


class DocumentClosedError(Exception):
    """The document is not open any more."""


class UnwantedError(Exception):
    """The artist has stopped a result that waited to be put in."""


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
    """The part of it to send."""
    besides: Any = None
    """The second layer to send, for a task that takes two."""
    besides_box: Box | None = None
    anchor: Any = None
    """The layer that the result goes above."""
    below: Any = None
    """The layer that the result goes below instead."""
    title: str = ""
    """The name of the group when several layers come without one."""
    pictures: tuple[int, ...] | None = None
    """The numbers of the candidates to put in; `None` means all of them."""
    seen: bool = True
    """Whether the first of these candidates is shown at once."""
    centre: tuple[int, int] | None = None
    """The place of the canvas that the middle of the layers goes to; `None` leaves them where they were made for."""
    version_of: Any = None
    """The layer that the result is a new version of: it takes over place, name, blend mode, opacity and masks."""
    original: Original = "keep"
    """What becomes of that layer, in the same undo step."""
    mask_of: Any = None
    """The layer that gets the result's transparency as a mask; nothing else is put in."""
    clip: Clip = "no"
    """Whether the result is cut to the selection that there was at the click."""
    grows: bool = False
    """Whether the canvas is enlarged when the result reaches beyond it."""
    surroundings: Surroundings | None = None
    """Where everything lay when `box` was decided."""
    moment: Any = None
    """When that was, as the editor counts what the artist does."""
    restores: Any = None
    """The layer whose own pixels the result keeps unchanged wherever nothing was selected."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """What the editor keeps on each new layer besides what the server says about it."""

    @property
    def replaces(self) -> Any:
        """The layer to take out when the result is in."""
        return self.version_of if self.original == "replace" else None

    @property
    def hides(self) -> Any:
        """The layer to make invisible when the result is in."""
        return self.version_of if self.original == "hide" else None


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What an artist is told; an editor may say it its own way. `{name}`, `{path}` and `{reason}` are filled in.

    These are marked for translation and translated where they are used.
    """

    reading: str = marked("Reading the layer")
    sending: str = marked("Sending")
    nothing_selected: str = marked("No part of the layer is selected. Select the part that may change.")
    """Shown when a repaint's mask is empty."""
    nothing_arrived: str = marked("The server sent no layer. Its log may say why; try again.")
    """Shown when a job has finished without a layer."""
    all_transparent: str = marked("The result is empty: every pixel is transparent. Try another prompt or seed.")
    too_small: str = marked(
        "The result is empty: {width} × {height} pixels are too few to draw anything in. Choose a larger selection or canvas."
    )
    """Shown instead for a result with a side below `TOO_SMALL`."""
    foreign_file: str = marked("{name} is not a PSD, OpenRaster or PNG file. Choose one of these.")
    """Shown for a file in none of the formats that can be inserted."""
    unreadable: str = marked("{path} cannot be read: {reason}. Choose another file.")
    unwritable: str = marked("{path} cannot be written: {reason}. Choose another folder.")
    empty_file: str = ""
    """Shown for a file without bytes; an empty text leaves the verdict to the server."""


class EditorHost:
    """What an editor does for its jobs; a subclass for each. Everything is called on the editor's main thread."""

    wording = Wording()
    keeps_jobs = True
    """Whether the server keeps a result for the history when no editor is left to take it."""
    lost_seconds: float | None = None
    """How long a connection may stay lost before its jobs are given up; `None` waits for the server, however long that takes."""
    stop_seconds: float | None = None
    """How long the server may take to confirm a stop before the job counts as over; `None` waits."""

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

    def inserts_at_once(self) -> bool:
        """Whether a finished generation goes into its document by itself; else it is `ready` until `EditorJobs.insert_now`."""
        return True

    def undo_step(self, document: Any) -> AbstractContextManager[None]:
        """A context in which everything that is done to the document is one step of its undo history."""
        return nullcontext()

    def insert(self, result: PendingResult, item: Item) -> Work[Any]:
        """Put the item where the result's plan says, restore and replace what it names, and return what the editor wants back.

        An editor may wait for a good moment, with `result.held` set, until `result.chosen`; it raises `UnwantedError` when
        `result.status.stopping` says that the artist does not want it any more.
        """
        raise NotImplementedError

    def insert_elsewhere(self, result: PendingResult, item: Item) -> Work[Any]:
        """Put the item into a new document; an editor that makes none raises `DocumentClosedError`."""
        raise DocumentClosedError

    def hide(self, layer: Any) -> None:
        """Make the layer invisible; a layer that is gone is ignored."""

    def later(self, work: Work[T], then: Then[T]) -> None:
        """Do the work when the editor has time for it, which by default is at once."""
        try:
            while True:
                next(work)
        except StopIteration as stop:
            then(stop.value, None)
        except Exception as error:
            then(None, error)

    def on_thread(self, function: Callable[[], T], then: Then[T]) -> None:
        """Call a function that touches only files, on a thread where the editor has one; by default at once."""
        try:
            result, error = function(), None
        except OSError as raised:
            result, error = None, raised
        then(result, error)

    def notify(self, result: PendingResult) -> None:
        """Called when something about the job has changed; `result.over` says whether this is the last time."""
