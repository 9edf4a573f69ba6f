"""What the next picture's size will be, said before the click. Knows the document's boxes and what the server offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate.plugins.bridge.candidates import size_words
from acetate.plugins.bridge.form import Form
from acetate.plugins.bridge.forms.offers import Offers
from acetate.plugins.bridge.pictures.expected_size import expected_size
from acetate.plugins.bridge.placement import target_box
from acetate.plugins.bridge.translations import _
from acetate.protocol import Box

from .. import canvas
from ..qt import QtCore, QtWidgets, guarded

LOOK_MS = 400
"""How often to look at selection, layer and form: Krita tells plug-ins of none of these."""


class SizeLine(QtWidgets.QLabel):
    """A line such as `512 × 512 px, drawn at 128 × 128, enlarged 4 ×`; empty where there is nothing to say."""

    def __init__(self, document: Callable[[], Any], form: Callable[[], Form], offers: Callable[[], Offers]) -> None:
        super().__init__(objectName="acetate_size_line", wordWrap=True)
        self._document, self._form, self._offers = document, form, offers
        self.setToolTip(_("The size of the next result, and the size that the model draws it at before it is enlarged"))
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(guarded(self.look))
        self._timer.start(LOOK_MS)

    def look(self) -> None:
        """Say what the next click would make, if anybody can see it."""
        if not self.parentWidget() or not self.parentWidget().isVisible():
            return
        text = self._text()
        if text != self.text():
            self.setText(text)

    def _text(self) -> str:
        document = self._document()
        if document is None or document.rootNode() is None:
            return ""
        form = self._form()
        box = expected_box(document, form)
        if box is None:
            return ""
        size = _("{width} × {height} px").format(width=box.width, height=box.height)
        drawn = expected_size(self._offers(), form, box)
        if drawn is None or (drawn.width, drawn.height) == (box.width, box.height):
            return size
        return _("{size}, drawn at {drawn}").format(size=size, drawn=size_words(drawn))


def expected_box(document: Any, form: Form) -> Box | None:
    """The box of the next result; `None` where a layer is wanted that is not there, or is empty."""
    task, whole = form.about, canvas.canvas_box(document)
    selection = canvas.selection_box(document)
    target = target_box(form.area, canvas=whole, selection=selection, layer=None, width=form.width, height=form.height)
    if task.takes not in ("source", "background"):
        return target
    active = canvas.active_layer(document)
    box = canvas.layer_box(document, active) if active is not None else None
    return form.result_box(box) if box is not None else None
