"""The pictures of one Krita: those of the present run, the history, what is thrown away, what is looked at large.

Shared by the dockers of all windows. Knows the session and candidates; knows no widget.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from acetate.plugins.bridge.candidates import Candidate, CandidateStrip, Key, without
from acetate.plugins.bridge.pending import PendingResult
from acetate.plugins.bridge.pictures.wastebasket import Wastebasket
from acetate.protocol import Event, LayerReady, LayerSummary

from .. import canvas
from ..qt import Qt, QtCore, Signal, guarded
from .images import SMALL_SIDE, Large, picture_of, thumbnail_of

UNDO_MS = 15_000
"""How long what was thrown away can be taken back."""
LARGEST_LOOK = 64_000_000
"""The most pixels that are fetched for a large look; larger ones are shown by their thumbnails."""


class PictureDesk(QtCore.QObject):
    """Follows the session's events; asks it for what an artist wants done with a picture."""

    changed = Signal()
    """Other pictures are there, or one has another mark."""
    enlarged = Signal(object)
    """The large picture of this `Candidate`'s key is there."""
    thrown = Signal()
    """Something was thrown away, taken back or deleted for good."""

    def __init__(self, app: Any, session: Any) -> None:
        super().__init__()
        self._app, self._session = app, session
        self.strip = CandidateStrip()
        self.large = Large()
        self.small: dict[Key, Any] = {}
        """Thumbnails as QImages."""
        self._fetching: set[Key] = set()
        self._layers: dict[Key, str] = {}
        """The identities of the layers that pictures were put into."""
        self.basket = Wastebasket(lambda job, pictures: session.discard(job, pictures))
        self._emptying = QtCore.QTimer(self, singleShot=True, interval=UNDO_MS)
        self._emptying.timeout.connect(guarded(self.empty_basket))
        session.told.connect(self._take)
        session.history_changed.connect(self._history_changed)
        session.inserted.connect(self._inserted)
        session.closing.connect(guarded(self.empty_basket))

    # --- what is there -----------------------------------------------------------------------------------------------

    def candidates(self) -> list[Candidate]:
        """The pictures of the present run."""
        return [one for one in self.strip.candidates if not self.basket.hides(one)]

    def history(self) -> list[Candidate]:
        """Every picture of the history, newest job first."""
        return [one for one in self._session.history.candidates() if not self.basket.hides(one)]

    def inserted(self) -> Collection[Key]:
        """The pictures that lie in an open document, as far as this Krita has put them there."""
        there = {layer for document in self._app.documents() for layer in canvas.identities(document)} if self._layers else set()
        return {key for key, layer in self._layers.items() if layer in there}

    def layer_of(self, candidate: Candidate) -> str | None:
        """The identity of the layer that the picture was put into last."""
        return self._layers.get(candidate.key)

    # --- what an artist asks for -------------------------------------------------------------------------------------

    def insert(self, candidates: Sequence[Candidate], document: Any, **how: Any) -> None:
        """Put pictures of one job into the document, `how` as `Session.insert_again` takes it; several as a group whose first is
        shown, unless one of the run is there already."""
        job, first = candidates[0].job, candidates[0]
        there = self.inserted()
        self._session.insert_again(
            job,
            document,
            title=first.title,
            pictures=tuple(one.number for one in candidates),
            seen=len(candidates) == 1 or not any(one.key in there for one in self._of(job)),
            without=without(self._layers_of(job), candidates),
            **how,
        )

    def star(self, candidate: Candidate) -> None:
        """Mark the picture, or take its mark away."""
        self._session.star(candidate.job, candidate.number, not candidate.starred)

    def throw_away(self, candidates: Sequence[Candidate]) -> None:
        """Hide the pictures; they are deleted in a while."""
        self.basket.throw(candidates)
        self._emptying.start()
        if self.strip.candidate in candidates:
            self.step(1)
        self._tell()

    def take_back(self) -> None:
        """Show again what was thrown away last."""
        back = self.basket.take_back()
        self._emptying.stop()
        for one in back:
            if one.job == self.strip.job:
                self.strip.choose(one.number)
        self._tell()

    def empty_basket(self) -> None:
        """Delete for good what was thrown away."""
        self._emptying.stop()
        self.basket.empty()
        self.thrown.emit()

    def step(self, by: int) -> Candidate | None:
        """Look at the next picture of the run, or with -1 the previous one; returns it."""
        for _ in self.strip.candidates:
            candidate = self.strip.step(by)
            if candidate is not None and not self.basket.hides(candidate):
                self.changed.emit()
                return candidate
        return None

    def fetch(self, candidate: Candidate) -> None:
        """Get the picture for a large look; `enlarged` says when it is there."""
        key, shown = candidate.key, candidate.shown
        too_large = not 0 < shown.width * shown.height <= LARGEST_LOOK
        if key in self._fetching or self.large.get(key) is not None or too_large:
            return
        self._fetching.add(key)
        others = tuple(layer.index for layer in self._layers_of(candidate.job) if layer.index != shown.index)
        self._session.look(candidate.job, self._fetched(key), without=others)

    # --- what happens ------------------------------------------------------------------------------------------------

    def begin(self, result: PendingResult) -> None:
        """Show the pictures of this generation from now on."""
        form = result.form
        if form is not None:
            self.strip.begin(result.job, form.task, form.prompt)
            self.changed.emit()

    @guarded
    def _take(self, event: Event) -> None:
        running = {one.job: one for one in self._session.jobs.generations}
        if isinstance(event, LayerReady) and event.job in running and event.job != self.strip.job:
            self.begin(running[event.job])
        if not self.strip.take(event):
            return
        if isinstance(event, LayerReady) and event.data:
            self._arrived(event)
        self.changed.emit()

    def _arrived(self, ready: LayerReady) -> None:
        key = (ready.job, ready.layer.picture)
        candidate = next((one for one in self.strip.candidates if one.key == key), None)
        if candidate is not None and candidate.shown.index == ready.layer.index:
            large = picture_of(ready)
            self.large.keep(key, large)
            self.small[key] = thumbnail(large)

    def _fetched(self, key: Key) -> Callable[[Sequence[LayerReady]], None]:
        def take(layers: Sequence[LayerReady]) -> None:
            self._fetching.discard(key)
            for ready in layers:
                if ready.data:
                    self.large.keep(key, picture_of(ready))
                    self.enlarged.emit(key)

        return take

    @guarded
    def _history_changed(self) -> None:
        history = self._session.history
        for one in history.candidates():
            if one.key not in self.small and one.thumbnail in history.thumbnails:
                self.small[one.key] = thumbnail_of(history.thumbnails[one.thumbnail])
        self.changed.emit()

    @guarded
    def _inserted(self, result: PendingResult) -> None:
        numbers = {ready.layer.picture for ready in result.status.layers}
        wanted = numbers if result.plan.pictures is None else numbers.intersection(result.plan.pictures)
        for number in wanted:
            self._layers[result.job, number] = canvas.identity(result.made)
        self.changed.emit()

    def _of(self, job: str) -> list[Candidate]:
        return [one for one in (*self.strip.candidates, *self._session.history.candidates()) if one.job == job]

    def _layers_of(self, job: str) -> Sequence[LayerSummary]:
        entry = self._session.history.entries.get(job)
        return self.strip.layers if job == self.strip.job else entry.layers if entry is not None else ()

    def _tell(self) -> None:
        self.thrown.emit()
        self.changed.emit()


def thumbnail(large: Any) -> Any:
    """A small copy of a large picture."""
    if max(large.width(), large.height()) <= SMALL_SIDE:
        return large
    return large.scaled(SMALL_SIDE, SMALL_SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
