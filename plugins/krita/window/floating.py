"""What happens, said in the view while the docker is closed or behind a tab: painters work with keys, in canvas-only mode.

Knows the docker's window and the session's signals; the messages are Krita's own.
"""

from __future__ import annotations

import re
from typing import Any

from acetate.plugins.bridge.translations import _
from acetate.plugins.bridge.words import explained, short_prompt
from acetate.protocol import Failure
from krita import Krita

from ..qt import QtCore, guarded
from .front import is_in_sight, view_of

SECONDS = {"error": 8, "note": 5, "ready": 3, "progress": 2}
"""How long each kind stays."""
PRIORITY = {"error": 0, "note": 1, "ready": 1, "progress": 2}
"""Krita's: high, medium, low. A message gives way to one that is as important, or more."""
ICONS = {"error": "warning", "note": "selection-info", "ready": "select-layer", "progress": "acetate-none"}
QUARTER = 0.25
"""Progress is said at every further quarter of a job."""


class FloatingMessages(QtCore.QObject):
    """Tells one docker's window what the docker cannot, as nobody sees it."""

    def __init__(self, docker: Any, session: Any) -> None:
        super().__init__(docker)
        self._docker, self._session = docker, session
        self._told: tuple[str, str, int] = ("", "", 0)
        """The job, what it did and the quarter that was said last."""
        self._ready: set[str] = set()
        """The jobs whose results wait for the artist's hand or choice."""
        self.last = ""
        """What was said last."""
        session.failed.connect(self._failed)
        session.noted.connect(self._noted)
        session.inserted.connect(self._inserted)
        session.changed.connect(self._changed)

    def say(self, kind: str, text: str) -> None:
        """Show the text in the view, unless the docker is in sight and says it itself."""
        view = None if is_in_sight(self._docker) else view_of(self._docker)
        if view is not None:
            self.last = text
            view.showFloatingMessage(text, Krita.instance().icon(ICONS[kind]), 1000 * SECONDS[kind], PRIORITY[kind])

    @guarded
    def _failed(self, failure: Failure) -> None:
        self.say("error", _("Acetate: {text}").format(text=explained(failure)))

    @guarded
    def _noted(self, note: str) -> None:
        self.say("note", _("Acetate: {text}").format(text=note))

    @guarded
    def _inserted(self, result: Any) -> None:
        title = short_prompt(result.form.prompt) if result.form is not None else ""
        self.say("ready", _("Acetate: “{title}” is in the document").format(title=title) if title else _("Acetate: inserted"))

    @guarded
    def _changed(self) -> None:
        ready = {one.job for one in self._session.jobs.ready}
        if ready - self._ready:
            self.say("ready", _("Acetate: ready to insert"))
        self._ready = ready
        result = self._session.current
        if result is None:
            return
        status = result.status
        doing = re.split("[,，、]", status.text)[0]  # without the step and the time, which change all the time
        now = result.job, doing, int((status.fraction or 0.0) / QUARTER)
        if now != self._told:
            self._told = now
            self.say(
                "progress", _("Acetate: {text}").format(text=self._session.connection or self._session.queue.text_of(result))
            )
