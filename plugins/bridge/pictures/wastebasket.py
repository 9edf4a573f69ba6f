"""Pictures that were thrown away and can be taken back for a while. Knows their names; knows no server and no clock.

Nothing is deleted before the basket is emptied: by the next picture that is thrown away, by time, or at the end of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..candidates import Candidate, Key


class Wastebasket:
    """Holds what was thrown away last. `discard(job, pictures)` deletes for good."""

    def __init__(self, discard: Callable[[str, Sequence[int]], None]) -> None:
        self._discard = discard
        self._held: tuple[Candidate, ...] = ()
        self._gone: set[Key] = set()
        """Those that the server was told to delete: they stay hidden until it has."""

    @property
    def held(self) -> tuple[Candidate, ...]:
        """What can be taken back."""
        return self._held

    def hides(self, candidate: Candidate) -> bool:
        """Whether the picture counts as deleted."""
        return candidate.key in self._gone or any(candidate.key == one.key for one in self._held)

    def throw(self, candidates: Sequence[Candidate]) -> None:
        """Hide the pictures; those that were thrown away before are deleted for good."""
        self.empty()
        self._held = tuple(candidates)

    def take_back(self) -> tuple[Candidate, ...]:
        """Show the pictures again that were thrown away last; returns them."""
        back, self._held = self._held, ()
        return back

    def empty(self) -> None:
        """Delete for good what is held."""
        going, self._held = self._held, ()
        for job in dict.fromkeys(one.job for one in going):
            self._discard(job, [one.number for one in going if one.job == job])
        self._gone |= {one.key for one in going}
