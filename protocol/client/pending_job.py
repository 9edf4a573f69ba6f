"""One job of a client: what was asked for with which pictures, and how far it has come. Knows no connection."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from .. import messages as wire
from .transfers import Content, announce

MAX_OFFERS = 3
"""How often pictures are uploaded for one job: a server that forgets them at once has no room."""


def reference(index: int) -> str:
    """What the content of a reference is kept by; `index` counts from 0."""
    return f"reference {index}"


@dataclass(eq=False)
class PendingJob:
    """A job of this client, from being asked for to its last event."""

    asked: wire.Submit | wire.Insert | wire.Export | wire.Attach
    given: Mapping[str, Content | str] = field(default_factory=dict)
    """Its pictures by their role, or its file as `file`: contents, or hashes of what was uploaded before."""
    uploads: dict[str, Content] | None = None
    """The contents among them by hash; `None` until they are hashed. Emptied when the server has the job."""
    offers: int = 0
    """How often the server has said that it lacks a picture."""
    sent: bool = False
    """Whether the server was asked for it over this connection."""
    accepted: bool = False
    cancelled: bool = False
    layers: set[int] = field(default_factory=set)
    """Indices of layers that have arrived whole."""
    lost: set[int | None] = field(default_factory=set)
    """Indices of layers that the server cannot deliver; `None` for the file."""

    @property
    def job(self) -> str:
        return self.asked.job

    @property
    def is_named(self) -> bool:
        """Whether its pictures can be named without hashing."""
        return all(isinstance(content, str) for content in self.given.values())

    def names(self) -> dict[str, str]:
        """The hashes of its pictures by their role. Takes a moment: call it neither on the host's thread nor with a lock held."""
        return {role: found if isinstance(found, str) else announce(found).sha256 for role, found in self.given.items()}

    def take_names(self, names: Mapping[str, str]) -> None:
        """Write the names of the pictures into the message."""
        if isinstance(self.asked, wire.Submit):
            conditions = self.asked.conditions
            placed: dict[str, Any] = {
                role: replace(one, sha256=names[role]) for role, one in conditions.placed() if role in names
            }
            placed["references"] = tuple(
                replace(one, sha256=names[reference(index)]) for index, one in enumerate(conditions.references)
            )
            self.asked = replace(self.asked, conditions=replace(conditions, **placed))
        elif isinstance(self.asked, wire.Insert):
            self.asked = replace(self.asked, sha256=names["file"])
        self.uploads = {names[role]: content for role, content in self.given.items() if not isinstance(content, str)}

    def is_ready(self, uploaded: Set[str]) -> bool:
        """Whether the server has all of its pictures, so that the job can be asked for."""
        return self.uploads is not None and self.uploads.keys() <= uploaded

    def may_offer_again(self, evicted: Set[str]) -> bool:
        """Count an offer of pictures; returns whether another may follow: not after the last, nor of pictures of other jobs."""
        self.offers += 1
        return self.offers < MAX_OFFERS and self.uploads is not None and evicted <= self.uploads.keys()

    def to_attach(self, offsets: Mapping[str, int]) -> wire.Attach:
        """The message that asks for its story, without the layers that have arrived and the bytes of others that have."""
        format = "rgba8" if isinstance(self.asked, wire.Export) else self.asked.format
        return wire.Attach(self.job, tuple(sorted(self.layers)), format, offsets)
