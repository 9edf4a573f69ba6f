"""What a docker shows of pictures, and what becomes of a hand's gesture: strip, history, large look, undo, drag, files.

Knows the desk and the widgets; the docker gives them their places.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from acetate.plugins.bridge.candidates import Candidate, Key, size_words
from acetate.plugins.bridge.host import RefusedError
from acetate.plugins.bridge.pending import refusal
from acetate.plugins.bridge.translations import _
from krita import Krita

from .. import canvas
from ..qt import QtCore, Signal, guarded
from . import file_dialogs
from .desk import PictureDesk
from .dragging import CanvasTarget, place_on_canvas
from .history_list import HistoryList
from .large_preview import LargePreview
from .strip import CandidateBar, UndoBar

SURROUNDINGS = 0.15
"""How much of the canvas around a picture is seen with it, as a share of its longer side."""
BACKDROP_SIDE = 900
ACTIVATION_MS = 100
REFRESH_MS = 20
"""Several changes at once are shown once."""
AGES_MS = 30_000
"""How often the ages of results are told anew."""


class PicturePanel(QtCore.QObject):
    """The widgets of one docker, and their way to the desk."""

    copied = Signal(object)
    """The parameters of a picture, for the form."""
    sharpened = Signal(object)
    """A `Candidate` that is to be drawn anew at its full size."""
    acting = Signal()
    """Something is asked for: what was said before may go."""

    def __init__(self, parent: Any, session: Any, desk: PictureDesk) -> None:
        super().__init__(parent)
        self._parent, self._session, self.desk = parent, session, desk
        self.strip = CandidateBar(Krita.instance().icon)
        self.history = HistoryList()
        self.undo_bar = UndoBar()
        self.preview = LargePreview(parent)
        self._pinned = False
        """Whether the large look was asked for by a key and stays."""
        self._on_canvas = False
        self._forming = False
        """Whether the picture that forms is shown large."""
        self._pane: Any = None
        self._shown: Candidate | None = None
        for one in (self.strip.list, self.history):
            one.hovered.connect(guarded(self._hovered))
            one.looked.connect(guarded(self._looked))
        self.strip.acted.connect(guarded(self._act))
        self.history.acted.connect(guarded(self._act))
        self.history.reached_end.connect(guarded(session.more_history))
        self.undo_bar.undone.connect(guarded(desk.take_back))
        # The desk outlives a window: Qt lets go of a closed one's methods, but would go on calling plain functions.
        self._stale = QtCore.QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._stale.timeout.connect(self.refresh)
        desk.changed.connect(self._stale.start)
        desk.enlarged.connect(self._enlarged)
        desk.thrown.connect(self._thrown)
        self._ages = QtCore.QTimer(self)
        self._ages.timeout.connect(self.tell_ages)
        self._ages.start(AGES_MS)
        self.refresh()

    @guarded
    def refresh(self) -> None:
        """Show what the desk has."""
        inserted = self.desk.inserted()
        chosen = self.desk.strip.candidate
        self.strip.show_candidates(self.desk.candidates(), self.desk.small, inserted, chosen.key if chosen else None)
        self.history.show_history(self._session.history, self.desk.history(), self.desk.small, inserted)

    @guarded
    def tell_ages(self) -> None:
        """Say how old the results are now."""
        if self._parent.isVisible():
            self.history.tell_ages(self._session.history)

    def step(self, by: int) -> None:
        """Look at the next candidate, or with -1 the previous one, in large."""
        candidate = self.desk.step(by)
        if candidate is not None:
            self._pinned = True
            self._looked(candidate)

    def activate(self, candidate: Candidate, then: Callable[[], None]) -> None:
        """Make the picture's layer the active one, which Krita does when it gets to it, and go on; without one say so."""
        document, layer = self._document(), self.desk.layer_of(candidate)
        node = canvas.find(document, layer) if document is not None and layer is not None else None
        if node is None:
            self._session.failed.emit(refusal(RefusedError(_("This picture is not in the document. Insert it first."))))
            return
        document.setActiveNode(node)
        QtCore.QTimer.singleShot(ACTIVATION_MS, guarded(then))

    def insert_chosen(self) -> None:
        """Insert the candidate that is looked at."""
        if (chosen := self.desk.strip.candidate) is not None:
            self._act("insert", chosen)

    def replace_chosen(self) -> None:
        """Put the candidate that is looked at in the place of the active layer."""
        if (chosen := self.desk.strip.candidate) is not None:
            self._act("replace", chosen)

    def insert_files(self, paths: list[Path]) -> None:
        """Insert the layers of files that were dropped."""
        self.acting.emit()
        for path in paths:
            self._session.insert_file(self._document(), path)

    def follow(self, pane: Any) -> None:
        """Show what forms in the pane large, while that was asked for by a click."""
        self._pane = pane
        pane.pressed.connect(guarded(self._toggle_forming))
        pane.changed.connect(guarded(self._show_forming))

    # --- gestures ----------------------------------------------------------------------------------------------------

    def _act(self, what: str, candidate: Any) -> None:
        does: dict[str, Callable[[], Any]] = {
            "insert": lambda: self._insert([candidate]),
            "replace": lambda: self._insert([candidate], instead=True),
            "mask": lambda: self._insert([candidate], as_mask=True),
            "all": self._insert_all,
            "star": lambda: self.desk.star(candidate),
            "delete": lambda: self.desk.throw_away([candidate]),
            "undo": self.desk.take_back,
            "look": lambda: self._pin(candidate),
            "backdrop": lambda: self._toggle_backdrop(candidate),
            "previous": lambda: self.step(-1),
            "next": lambda: self.step(1),
            "drag": lambda: self._drag(candidate),
            "save": lambda: self._save(candidate),
            "copy": lambda: self._copy(candidate),
            "sharpen": lambda: self.sharpened.emit(candidate),
        }
        if what not in ("look", "backdrop", "previous", "next"):
            self.acting.emit()
            self._hide_preview()
        does[what]()

    def _insert(self, candidates: list[Candidate], **how: Any) -> None:
        if candidates:
            self.desk.insert(candidates, self._document(), **how)

    def _insert_all(self) -> None:
        there = self.desk.inserted()
        self._insert([one for one in self.desk.candidates() if one.key not in there])

    def _drag(self, drag: Any) -> None:
        window = Krita.instance().activeWindow()
        if window is not None:
            CanvasTarget(window.qwindow(), self._dropped).carry(drag)

    def _dropped(self, key: Key, position: Any) -> None:
        """The picture was let go over the canvas: its middle goes there."""
        window = Krita.instance().activeWindow()
        view = window.activeView() if window is not None else None
        candidate = next((one for one in (*self.desk.candidates(), *self.desk.history()) if one.key == key), None)
        if candidate is not None:
            self._insert([candidate], centre=place_on_canvas(view, position) if view is not None else None)

    def _save(self, candidate: Candidate) -> None:
        file_dialogs.ask_where_to_save(
            self._parent,
            f"{candidate.title} ({candidate.seed})",
            lambda path, suffix: self._session.save(candidate.job, path, suffix, (candidate.number,)),
        )

    def _copy(self, candidate: Candidate) -> None:
        entry = self._session.history.entries.get(candidate.job)
        if entry is not None:
            self.copied.emit({"task": entry.task, **entry.parameters, "seed": candidate.seed, "count": 1})

    # --- the large look ----------------------------------------------------------------------------------------------

    def _hovered(self, candidate: Candidate | None) -> None:
        if candidate is not None:
            self._show(candidate)
        elif not self._pinned:
            self._hide_preview()

    def _looked(self, candidate: Candidate) -> None:
        if candidate.job == self.desk.strip.job:
            self.desk.strip.choose(candidate.number)
            self.strip.list.look_at(candidate.key)
        if self._pinned:
            self._show(candidate)

    def _toggle_forming(self) -> None:
        self._forming = not (self._forming and self.preview.isVisible())
        if self._forming:
            self._show_forming()
        else:
            self._hide_preview()

    def _show_forming(self) -> None:
        if self._forming and self._pane.image is not None:
            self.preview.show_picture(self._pane.image, _("The picture as it forms"), self._parent)

    def _pin(self, candidate: Candidate) -> None:
        self._pinned = not (self._pinned and self.preview.isVisible())
        if self._pinned:
            self._show(candidate)
        else:
            self._hide_preview()

    def _toggle_backdrop(self, candidate: Candidate) -> None:
        self._on_canvas = not self._on_canvas
        self._pinned = True
        self._show(candidate)

    def _show(self, candidate: Candidate) -> None:
        picture = self.desk.large.get(candidate.key) or self.desk.small.get(candidate.key)
        self.desk.fetch(candidate)
        self._shown = candidate
        if picture is None:
            return
        words = [candidate.title, _("Seed {seed}").format(seed=candidate.seed)]
        if candidate.drawn is not None:
            words.append(size_words(candidate.drawn))
        words.append(_("B: on the canvas") if not self._on_canvas else _("B: on a checkerboard"))
        backdrop, place = self._backdrop(candidate) if self._on_canvas else (None, None)
        beside = self._parent if self._parent.isVisible() else self._parent.window()
        self.preview.show_picture(picture, " · ".join(words), beside, backdrop, place)

    def _backdrop(self, candidate: Candidate) -> tuple[Any, Any]:
        """What is painted where the picture would go, and the picture's place on it."""
        document = self._document()
        if document is None:
            return None, None
        layer, whole = candidate.shown, canvas.canvas_box(document)
        around = round(SURROUNDINGS * max(layer.width, layer.height))
        left, top = max(0, layer.x - around), max(0, layer.y - around)
        right = min(whole.width, layer.x + layer.width + around)
        bottom = min(whole.height, layer.y + layer.height + around)
        if right <= left or bottom <= top:
            return None, None
        scale = min(1.0, BACKDROP_SIDE / max(right - left, bottom - top))
        painted = document.thumbnail(max(1, round(whole.width * scale)), max(1, round(whole.height * scale)))
        seen = QtCore.QRect(*(round(scale * value) for value in (left, top, right - left, bottom - top)))
        width, height = right - left, bottom - top
        place = QtCore.QRectF((layer.x - left) / width, (layer.y - top) / height, layer.width / width, layer.height / height)
        return painted.copy(seen), place

    def end_forming(self) -> None:
        """The picture is finished: the large look at its forming ends."""
        if self._forming:
            self._hide_preview()

    @guarded
    def _enlarged(self, key: Key) -> None:
        if self._shown is not None and self._shown.key == key and self.preview.isVisible():
            self._show(self._shown)

    def _hide_preview(self) -> None:
        self._pinned, self._forming, self._shown = False, False, None
        self.preview.hide()

    @guarded
    def _thrown(self) -> None:
        self.undo_bar.show_thrown(len(self.desk.basket.held))

    def _document(self) -> Any:
        return self._parent.document()
