"""Waiting jobs, fair between sessions: the one that was served longest ago gives its first. Knows ids only."""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import count

REMEMBERED = 1000
"""How many sessions' last turns are remembered while they have nothing waiting."""


class FairQueue:
    """Round robin over sessions; first come, first served within one, unless a job is put at the front."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[str]] = {}
        self._session_of: dict[str, str] = {}
        self._turns = count(1)
        self._served: OrderedDict[str, int] = OrderedDict()
        """When each session had its last turn; also kept for sessions that have nothing waiting just now."""

    def __len__(self) -> int:
        return len(self._session_of)

    def __contains__(self, job: str) -> bool:
        return job in self._session_of

    def put(self, job: str, session: str, *, front: bool = False) -> None:
        """Add a job; `front` puts it before the session's own others, never before another session's turn."""
        waiting = self._waiting.setdefault(session, deque())
        if front:
            waiting.appendleft(job)
        else:
            waiting.append(job)
        self._session_of[job] = session

    def put_back(self, job: str, session: str) -> None:
        """Put back a job that was taken, as the next one."""
        self.put(job, session, front=True)
        self._served[session] = 0

    def take(self, wanted: str | None = None) -> str | None:
        """Take out the next job, or the wanted one; its session's turn comes again after all others'. `None` when none waits."""
        if not self._waiting:
            return None
        session = self._turn_order()[0] if wanted is None else self._session_of[wanted]
        job = self._waiting[session][0] if wanted is None else wanted
        self.remove(job)
        self._served[session] = next(self._turns)
        self._served.move_to_end(session)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)
        return job

    def remove(self, job: str) -> bool:
        """Take a job out of its place; false if it does not wait."""
        session = self._session_of.pop(job, None)
        if session is None:
            return False
        self._waiting[session].remove(job)
        if not self._waiting[session]:
            del self._waiting[session]
        return True

    def of_session(self, session: str) -> list[str]:
        return list(self._waiting.get(session, ()))

    def order(self) -> list[str]:
        """All jobs in the order in which they will be taken."""
        rows = [list(self._waiting[session]) for session in self._turn_order()]
        longest = max(map(len, rows), default=0)
        return [row[turn] for turn in range(longest) for row in rows if turn < len(row)]

    def _turn_order(self) -> list[str]:
        return sorted(self._waiting, key=lambda session: self._served.get(session, 0))  # stable: newcomers as they came
