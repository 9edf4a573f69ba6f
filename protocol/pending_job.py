"""One job of a client, and the pictures that the server needs for it. Knows no connection."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from . import messages as wire
from .transfers import Content, announce

Given = Mapping[str, tuple[Content | str, int, int]]

MAX_OFFERS = 3
"""How often pictures are uploaded for one job: a server that forgets them at once has no room."""


@dataclass
class PendingJob:
    """A job of this client, from being asked for to its last event."""

    asked: wire.Submit | wire.Insert | wire.Export | wire.Attach
    given: Given
    """Pictures by their role: content (or hash) and canvas place."""
    uploads: dict[str, Content] | None = None
    """By hash; `None` until hashed. Emptied when the server has the job."""
    offers: int = 0
    """How often the server has said that it lacks a picture."""
    accepted: bool = False
    cancelled: bool = False
    layers: set[int] = field(default_factory=set)
    """Indices of layers that have arrived whole."""

    def prepare(self) -> None:
        """Hash the pictures and write their names into the message. Takes a moment: not on the host's thread."""
        if self.uploads is not None:
            return
        uploads: dict[str, Content] = {}
        placed: dict[str, wire.Placed] = {}
        for role, (content, x, y) in self.given.items():
            sha256 = content if isinstance(content, str) else announce(content).sha256
            if not isinstance(content, str):
                uploads[sha256] = content
            placed[role] = wire.Placed(sha256, x, y)
        if isinstance(self.asked, wire.Submit):
            self.asked = replace(self.asked, conditions=wire.Conditions(**placed))
        elif isinstance(self.asked, wire.Insert):
            self.asked = replace(self.asked, sha256=placed["file"].sha256)
        self.uploads = uploads

    def is_ready(self, uploaded: Set[str]) -> bool:
        """Whether the server has all of its pictures, so that the job can be asked for."""
        return self.uploads is not None and self.uploads.keys() <= uploaded

    def may_offer_again(self, evicted: Set[str]) -> bool:
        """Counts the offer; false for the last one, and for pictures that are not this job's to give."""
        self.offers += 1
        return self.offers < MAX_OFFERS and self.uploads is not None and evicted <= self.uploads.keys()

    def to_attach(self) -> wire.Attach:
        """Asks for the rest of its story, over another connection."""
        format = "rgba8" if isinstance(self.asked, wire.Export) else self.asked.format
        return wire.Attach(self.asked.job, tuple(sorted(self.layers)), format)
