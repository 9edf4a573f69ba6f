"""Finished jobs as the server lists them, page by page. Knows the protocol's events; knows no widget and asks for nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from acetate.protocol import Discarded, Event, HistoryEntry, HistoryPage, Image, Starred

from .candidates import Candidate, candidates_of, marked


@dataclass
class JobHistory:
    """Feed it every event with `take`; read the rest."""

    entries: dict[str, HistoryEntry] = field(default_factory=dict)
    """The finished jobs by their ids, newest first."""
    thumbnails: dict[tuple[str, int], Image] = field(default_factory=dict)
    """Small pictures of layers, by job and the layer's index."""
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
            return self._discarded(event)
        if isinstance(event, Starred) and (entry := self.entries.get(event.job)) is not None:
            self.entries[event.job] = replace(entry, layers=tuple(marked(entry.layers, event)))
            return True
        return False

    @property
    def oldest(self) -> str | None:
        """The oldest job so far, after which the next page begins; `None` without any."""
        return next(reversed(self.entries), None)

    def candidates(self) -> list[Candidate]:
        """Every picture of every job in which there is anything to see, newest job first."""
        return [one for entry in self.entries.values() for one in candidates_of(entry) if not one.empty]

    def _discarded(self, event: Discarded) -> bool:
        entry = self.entries.get(event.job)
        if entry is None:
            return False
        left = tuple(layer for layer in entry.layers if event.pictures and layer.picture not in event.pictures)
        for layer in entry.layers:
            if layer not in left:
                self.thumbnails.pop((event.job, layer.index), None)
        if left:
            self.entries[event.job] = replace(entry, layers=left)
        else:
            del self.entries[event.job]
        return True
