"""A single Ctrl+Z for a replaced layer. Knows Krita's undo actions and pairs of layers; knows no job.

Putting a layer in and taking another out are two entries of Krita's undo history, and Krita gives plug-ins no way to make one of
them. But undoing or redoing one entry does the same to the other, so that no one meets the state between them, in which both the
old layer and the new one are there.
"""

from __future__ import annotations

from typing import Any

from . import canvas
from .qt import QtCore, guarded

ATTEMPTS = 20
"""How often to trigger an action: Krita loses a trigger when it is busy."""
AGAIN_MS = 100
"""The wait after a trigger that was lost."""
REMEMBERED = 50
"""How many replacements are remembered, newest last; Krita's undo history is not endless either."""


class Replacements:
    """The replacements in all documents since Krita started: its undo history lives as long."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._pairs: list[tuple[str, str]] = []
        self._followed: list[Any] = []
        """The actions of each window, kept so that none is followed twice."""
        self._attempts = 0

    def add(self, old: str, new: str) -> None:
        """The layer `old` was taken out right after `new` was put in; identities."""
        self._pairs = [*self._pairs, (old, new)][-REMEMBERED:]
        for name in ("edit_undo", "edit_redo"):
            action = self._app.action(name)
            if action is not None and action not in self._followed:
                self._followed.append(action)
                action.triggered.connect(self._completer(action))

    def _completer(self, action: Any) -> Any:
        complete = guarded(lambda: self._complete(action))
        return guarded(lambda: QtCore.QTimer.singleShot(AGAIN_MS if self._attempts else 0, complete))

    def _complete(self, action: Any) -> None:
        """Undo or redo the second half, when the first one was."""
        document = self._app.activeDocument()
        if document is None or document.rootNode() is None:
            return
        document.waitForDone()  # Krita undoes in threads of its own
        there = canvas.identities(document)
        if not any(old in there and new in there for old, new in self._pairs):
            self._attempts = 0
        elif self._attempts < ATTEMPTS:
            self._attempts += 1
            action.trigger()  # which leads here again
