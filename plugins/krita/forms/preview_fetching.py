"""Brings the pictures of LoRAs to the list that shows them, one after the other, so that nothing else waits for them."""

from __future__ import annotations

from acetate.plugins.bridge.forms.lora_previews import lora_preview

from ..qt import QtCore, guarded
from ..session import Session
from ..widgets.lora_list import LoraList


class PreviewFetching(QtCore.QObject):
    """Works for as long as the list lives. A LoRA whose picture did not come is not asked for again."""

    def __init__(self, loras: LoraList, session: Session) -> None:
        super().__init__(loras)
        self._loras, self._session = loras, session
        self._waiting: list[str] = []
        self._asked: set[str] = set()
        self._asking = False
        loras.previews_wanted.connect(guarded(self._want))

    def _want(self, names: list[str]) -> None:
        self._waiting = [name for name in names if name not in self._asked]
        if not self._asking:
            self._next()

    def _next(self) -> None:
        self._asking = bool(self._waiting)
        if not self._waiting:
            return
        name = self._waiting.pop(0)
        self._asked.add(name)
        self._session.aside(lambda: lora_preview(name), lambda picture, _error: self._show(name, picture))

    def _show(self, name: str, picture: bytes | None) -> None:
        if picture is not None:
            self._loras.picker.show_preview(name, picture)
        self._next()
