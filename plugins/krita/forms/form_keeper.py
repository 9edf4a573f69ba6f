"""The panel's form as document and task want it, and as the layer does that *Refine* and the tasks like it work on.

Knows the form's panel and the documents; knows no server.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from acetate.plugins.bridge.form import Form, from_json
from acetate.plugins.bridge.forms.form_memory import FormMemory

from .. import canvas
from ..inserting.records import made_with
from ..qt import QtCore, guarded
from ..widgets.form_panel import FormPanel
from . import remembering

LOOK_MS = 300
"""How often to look for another active layer, as Krita does not tell plug-ins of it."""


class FormKeeper(QtCore.QObject):
    """Shows each document its own form for as long as the panel lives. What the artist has typed or chosen stays."""

    def __init__(self, panel: FormPanel, memory: FormMemory) -> None:
        """`memory` is that of all windows."""
        super().__init__(panel)
        self._panel, self._memory = panel, memory
        self._document: Any = None
        self._key = ""
        """The identity of the document whose form is shown; empty before the first."""
        self._layer = ""
        """The identity of the layer that was looked at last."""
        panel.task_left.connect(guarded(self._change_task))
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_MS)

    def show(self, document: Any) -> None:
        """Show the form of this document, after keeping that of the one before. Where none is open the form stays as it is."""
        root = document.rootNode() if document is not None else None
        key = canvas.identity(root) if root is not None else ""
        self._document = document if root is not None else None
        if not key or key == self._key:
            return
        present = self._panel.form()
        self._memory.keep(self._key, present)
        if not self._memory.knows(key):
            self._memory.learn(key, _brought(document))
        self._key, self._layer = key, ""
        self._panel.set_form(self._memory.form(key, present))

    def used(self, form: Form) -> Form:
        """The form is used now; returns what of it may be kept for other documents."""
        self._memory.keep(self._key, form)
        self._memory.used(self._key, form)
        self._layer = ""
        return self._memory.chosen(self._key, form)

    def present(self) -> Form:
        """What is filled in now, as far as it may be kept for other documents."""
        return self._memory.chosen(self._key, self._panel.form())

    @guarded
    def look(self) -> None:
        """Fill the form for another layer, where the task makes another version of it."""
        self._offer_layers()
        active = self._active()
        if active is None or canvas.identity(active) == self._layer:
            return
        self._layer = canvas.identity(active)
        if made := made_with(self._document, active):
            form = self._panel.form()
            self._panel.set_form(self._memory.following(self._key, form, self._panel.offers.chosen(made)))

    def _change_task(self, left: str) -> None:
        now = self._panel.form()
        before = replace(now, task=left)
        self._memory.keep(self._key, before)
        self._panel.set_form(self._memory.form(self._key, before, now.task))
        self._layer = ""
        self.look()

    def _offer_layers(self) -> None:
        """Keep the list of layers as the document's, while it is shown."""
        if self._document is not None and self._panel.isVisible() and self._panel.form().about.besides is not None:
            self._panel.offer_layers(canvas.layer_names(self._document))

    def _active(self) -> Any:
        """The active layer; `None` while the panel is hidden or the task makes no other version of one."""
        if self._document is None or not self._panel.isVisible() or not self._panel.form().about.replaces:
            return None
        return canvas.active_layer(self._document)


def _brought(document: Any) -> list[Form]:
    """The forms that a document was saved with, the last used one at the end."""
    record = remembering.remembered(document)
    kept, last = record.get("forms"), record.get("form")
    texts = [*(kept.values() if isinstance(kept, dict) else ()), last]
    return [from_json(text) for text in texts if isinstance(text, str)]
