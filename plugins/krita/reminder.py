"""*Refine* and its like begin with the words that made the active layer.

Knows the form's panel and the document; knows no server.
"""

from __future__ import annotations

from typing import Any

from acetate.plugins.bridge.form import with_words_of
from krita import Krita

from . import canvas
from .host import made_with
from .qt import QtCore, guarded
from .widgets.form_panel import FormPanel

LOOK_MS = 300
"""Krita tells nobody that another layer was made the active one."""


class Reminder(QtCore.QObject):
    """Lives as long as the panel. What the artist has typed and not used yet stays."""

    def __init__(self, panel: FormPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._prompt = ""
        """As it was used or filled in last: any other one was typed since."""
        self._layer = ""
        """Identity of the layer that was looked at last."""
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_MS)

    def used(self) -> None:
        """What stands in the form was generated or comes from elsewhere: a layer's own words may take its place."""
        self._prompt, self._layer = self._panel.prompt.text(), ""

    @guarded
    def look(self) -> None:
        """Fill the form for another layer, where the task makes another version of it."""
        active = self._active()
        if active is None or canvas.identity(active[1]) == self._layer:
            return
        self._layer = canvas.identity(active[1])
        typed = self._panel.prompt.text()
        made = made_with(*active)
        if made and (typed == self._prompt or not typed.strip()):
            self._panel.set_form(with_words_of(made, self._panel.form()))
            self._prompt = self._panel.prompt.text()

    def _active(self) -> tuple[Any, Any] | None:
        """Document and layer; `None` while nobody looks or the task is another."""
        if not self._panel.isVisible() or not self._panel.form().about.replaces:
            return None
        document = Krita.instance().activeDocument()
        layer = canvas.active_layer(document) if document is not None else None
        return (document, layer) if layer is not None else None
