"""Finished jobs, newest first: a line for each, and below it every picture that it made. Knows candidates and widgets."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from acetate.plugins.bridge.candidates import Candidate, Key, candidates_of
from acetate.plugins.bridge.history import JobHistory
from acetate.plugins.bridge.tasks import BY_NAME
from acetate.plugins.bridge.translations import _, marked
from acetate.plugins.bridge.words import ago
from acetate.protocol import HistoryEntry

from ..qt import Signal, guarded
from .picture_list import Heading, PictureList
from .tile import HEADING, MARGIN, SIDE


class HistoryList(PictureList):
    """The list of results."""

    reached_end = Signal()

    def __init__(self) -> None:
        super().__init__("acetate_history", marked("Results appear here"))
        self.setAccessibleName(_("History"))
        self.setMinimumHeight(SIDE + 4 * MARGIN + self.fontMetrics().height())
        self.verticalScrollBar().valueChanged.connect(guarded(self._scrolled))

    def show_history(
        self, history: JobHistory, candidates: Sequence[Candidate], pictures: Mapping[Key, Any], inserted: Collection[Key]
    ) -> None:
        """Bring the list to this state."""
        rows: list[Candidate | Heading] = []
        for job, made in groupby(candidates, lambda one: one.job):
            several = list(made)
            entry = history.entries[job]
            rows.append(Heading(job, _line(several[0].title, entry), details(entry)))
            rows += several
        self.show_rows(rows, pictures, inserted)

    def headings(self) -> list[str]:
        """The lines above the pictures, as they are shown."""
        items = (self.item(row) for row in range(self.count()))
        return [str(item.text()) for item in items if item.data(HEADING) is not None]

    def tell_ages(self, history: JobHistory) -> None:
        """Say how old the results are now."""
        for item in (self.item(row) for row in range(self.count())):
            heading = item.data(HEADING)
            entry = history.entries.get(heading.job) if heading is not None else None
            if entry is not None:
                item.setText(_line(candidates_of(entry)[0].title, entry))

    def _scrolled(self, value: int) -> None:
        if value and value == self.verticalScrollBar().maximum():
            self.reached_end.emit()


def _line(title: str, entry: HistoryEntry) -> str:
    return f"{title} · {ago(time.time() - entry.finished)}"


def details(entry: HistoryEntry) -> str:
    """All parameters, for the tool tip."""
    lines = [_(BY_NAME[entry.task].label) if entry.task in BY_NAME else entry.task.capitalize()]
    for name, value in entry.parameters.items():
        if value not in (None, "", {}, (), []):
            lines.append(f"{name.replace('_', ' ')}: {value}")
    return "\n".join(lines[:30])
