"""*Refine* and the tasks like it start with the words that made the active layer.

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
"""How often to look for another active layer, as Krita does not tell plug-ins of it."""


class Reminder(QtCore.QObject):
    """Fills the panel's form for as long as the panel lives. What the artist has typed and not used yet stays."""

    def __init__(self, panel: FormPanel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._prompt = ""
        """The prompt that was used or filled in last: any other was typed since."""
        self._layer = ""
        """The identity of the layer that was looked at last."""
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_MS)

    def used(self) -> None:
        """Say that the form's words were used or came from elsewhere, so that a layer's own words may replace them."""
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
        """The document and the layer; `None` while the panel is hidden or the task is another."""
        if not self._panel.isVisible() or not self._panel.form().about.replaces:
            return None
        document = Krita.instance().activeDocument()
        layer = canvas.active_layer(document) if document is not None else None
        return (document, layer) if layer is not None else None
