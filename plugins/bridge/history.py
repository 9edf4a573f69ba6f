"""Finished jobs as the server lists them, page by page. Knows the protocol's events; knows no widget and asks for nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from acetate.protocol import Discarded, Event, HistoryEntry, HistoryPage, Image


@dataclass
class JobHistory:
    """Feed it every event with `take`; read the rest."""

    entries: dict[str, HistoryEntry] = field(default_factory=dict)
    """The finished jobs by their ids, newest first."""
    thumbnails: dict[str, Image] = field(default_factory=dict)
    _outdated: bool = False

    def renew(self) -> None:
        """Begin again with the next page: meanwhile others may have deleted jobs, and the server evicted some."""
        self._outdated = True

    def take(self, event: Event) -> bool:
        """Take in an event; returns whether it changed anything here."""
        if isinstance(event, HistoryPage):
            if self._outdated:
                self.entries, self.thumbnails, self._outdated = {}, {}, False
            known = {**self.entries, **{entry.job: entry for entry in event.entries}}
            self.entries = dict(sorted(known.items(), key=lambda item: -item[1].finished))
            self.thumbnails.update(event.thumbnails)
            return True
        if isinstance(event, Discarded):
            self.thumbnails.pop(event.job, None)
            return self.entries.pop(event.job, None) is not None
        return False

    @property
    def oldest(self) -> str | None:
        """The oldest job so far, after which the next page begins; `None` without any."""
        return next(reversed(self.entries), None)
