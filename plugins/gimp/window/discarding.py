"""Throwing pictures away with a way back: they are hidden at once, and deleted in a while, or when the window closes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acetate.plugins.bridge.candidates import Candidate
from acetate.plugins.bridge.pictures.wastebasket import Wastebasket
from acetate.plugins.bridge.translations import _
from gi.repository import GLib

from ..widgets.message_row import MessageRow, Offer

SECONDS = 15
"""How long what was thrown away can be taken back."""


class Discarding:
    """Says what was thrown away and offers it back. `discard(job, pictures)` deletes for good."""

    def __init__(self, discard: Callable[[str, Sequence[int]], None], message: MessageRow) -> None:
        self._basket, self._message = Wastebasket(discard), message
        self._offer = Offer(_("Undo"), _("Show again what was thrown away (Ctrl+Z)"), self.take_back)
        self._timer = 0
        self._watchers: list[Callable[[], None]] = []

    def watch(self, changed: Callable[[], None]) -> None:
        """`changed` is called whenever other pictures are hidden than before."""
        self._watchers.append(changed)

    def hides(self, candidate: Candidate) -> bool:
        """Whether the picture counts as deleted."""
        return self._basket.hides(candidate)

    def throw(self, candidate: Candidate) -> None:
        """Hide the picture; what was thrown away before it is deleted for good."""
        self._stop_timer()
        self._basket.throw([candidate])
        self._timer = GLib.timeout_add_seconds(SECONDS, self._on_time)
        text = _("“{title}” is thrown away, from the history as well. Layers that were made from it stay.")
        self._message.say(text.format(title=candidate.title), "edit-delete", self._offer)
        self._tell()

    def take_back(self) -> bool:
        """Show again what was thrown away last; returns whether there was anything."""
        back = self._basket.take_back()
        self._over()
        self._tell()
        return bool(back)

    def empty(self) -> None:
        """Delete for good what was thrown away."""
        self._basket.empty()
        self._over()

    def _on_time(self) -> bool:
        self._timer = 0
        self.empty()
        return False

    def _over(self) -> None:
        self._stop_timer()
        if self._message.offer is self._offer:
            self._message.say("")

    def _stop_timer(self) -> None:
        if self._timer:
            GLib.source_remove(self._timer)
            self._timer = 0

    def _tell(self) -> None:
        for changed in self._watchers:
            changed()
