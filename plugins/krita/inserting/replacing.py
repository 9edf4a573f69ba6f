"""A single Ctrl+Z for a new version of a layer. Knows Krita's undo history and pairs of layers; knows no job.

Krita gives plug-ins no way to do two things in one step of its undo history, and hiding a layer is no step at all. So this
follows the history: a layer that was hidden is shown when its new version is undone, and hidden again when that is redone. Half
of a replacement takes the other with it, so that no one meets the state between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .. import canvas
from ..qt import QtCore, guarded

ATTEMPTS = 20
"""How often to trigger an action: Krita loses a trigger when it is busy."""
AGAIN_MS = 100
"""The wait after a trigger that was lost."""
LOOK_MS = 20
"""How often to look whether Krita is through: it undoes in threads of its own."""
REMEMBERED = 50
"""How many new versions are remembered in a document, newest last; Krita's undo history is not endless either."""


@dataclass
class Pair:
    """A layer and its new version, by their identities."""

    old: str
    new: str
    hides: bool = False
    """Whether the old one is hidden while the new one is there; otherwise it was taken out."""
    canvas: tuple[int, int] | None = None
    """The size of the canvas before it grew with the new layer."""
    there: bool = True
    """Whether the new one was there when that was looked at last."""

    def is_between(self, document: Any, new_there: bool) -> bool:
        """Whether only one half of what belongs together is done."""
        if not new_there:
            return False
        if self.canvas is not None and self.canvas == (document.width(), document.height()):
            return True
        return not self.hides and self.old != "" and canvas.find(document, self.old) is not None


class Replacements:
    """The new versions in all documents since Krita started: its undo history lives as long."""

    def __init__(self, app: Any, history_moved: Any) -> None:
        self._app = app
        self._pairs: dict[str, list[Pair]] = {}
        """By document."""
        self._followed: list[Any] = []
        """The actions of each window, kept so that none is followed twice."""
        self._attempts = 0
        self._timer = QtCore.QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(guarded(self._settle))
        self._again: Any = None
        """The action that may have to be triggered once more."""
        history_moved.connect(guarded(self._moved))

    def add(self, document: Any, pair: Pair) -> None:
        """The pair's new version was just put into the document."""
        key = _key(document)
        self._pairs[key] = [*self._pairs.get(key, ()), pair][-REMEMBERED:]
        for name in ("edit_undo", "edit_redo"):
            action = self._app.action(name)
            if action is not None and action not in self._followed:
                self._followed.append(action)
                action.triggered.connect(self._follower(action))

    def _follower(self, action: Any) -> Any:
        return guarded(lambda: self._moved(action))

    def _moved(self, action: Any = None) -> None:
        """Look, as soon as Krita is through, at a document in which layers have new versions; any other costs nothing."""
        document = self._app.activeDocument()
        if document is None or document.rootNode() is None or _key(document) not in self._pairs:
            return
        self._again = action if action is not None else self._again
        self._timer.start(LOOK_MS)

    def _settle(self) -> None:
        document = self._app.activeDocument()
        if document is None or document.rootNode() is None:
            return
        if not document.tryBarrierLock():
            self._timer.start(LOOK_MS)
            return
        document.unlock()
        pairs = self._pairs.get(_key(document), ())
        seen = [(pair, canvas.find(document, pair.new) is not None) for pair in pairs]
        self._show(document, seen)
        action, self._again = self._again, None
        if action is None or not any(pair.is_between(document, there) for pair, there in seen):
            self._attempts = 0
        elif self._attempts < ATTEMPTS:
            self._attempts += 1
            QtCore.QTimer.singleShot(AGAIN_MS if self._attempts > 1 else 0, guarded(lambda: action.trigger()))  # leads here again

    def _show(self, document: Any, seen: list[tuple[Pair, bool]]) -> None:
        """Show what was hidden for a version that is gone, hide it for one that has come back."""
        changed = False
        for pair, there in seen:
            if there != pair.there and pair.hides and (old := canvas.find(document, pair.old)) is not None:
                old.setVisible(not there)
                changed = True
            pair.there = there
        if changed:
            document.refreshProjection()


def _key(document: Any) -> str:
    return canvas.identity(document.rootNode())
