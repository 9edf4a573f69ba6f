"""Waiting jobs, fair between persons, and for each between the sessions: who was served longest ago is next. Knows ids only."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable, Sequence
from itertools import chain, count
from typing import Generic, NamedTuple, TypeVar

REMEMBERED = 1000
"""How many last turns are remembered of persons, and of sessions, that have nothing waiting."""

Name = TypeVar("Name", bound=Hashable)


class Turns(Generic[Name]):
    """When each name had its last turn; also kept for those that have nothing waiting just now."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._served: OrderedDict[Name, int] = OrderedDict()

    def order(self, names: Iterable[Name]) -> list[Name]:
        """The names as they will have their turns; newcomers first, as they came."""
        return sorted(names, key=lambda name: self._served.get(name, 0))  # stable

    def served(self, name: Name) -> None:
        """The name has had a turn: all others are before it."""
        self._note(name, next(self._numbers))

    def is_next(self, name: Name) -> None:
        """The name is to have the next turn."""
        self._note(name, -1)

    def _note(self, name: Name, number: int) -> None:
        self._served[name] = number
        self._served.move_to_end(name)
        if len(self._served) > REMEMBERED:
            self._served.popitem(last=False)


class Place(NamedTuple):
    """Whose turn a job waits for."""

    person: str
    session: str


class FairQueue:
    """Round robin over persons and over each one's sessions; first come, first served within one, but for jobs put in front."""

    def __init__(self) -> None:
        self._waiting: dict[str, dict[Place, deque[str]]] = {}
        self._places: dict[str, Place] = {}
        self._persons: Turns[str] = Turns()
        self._sessions: Turns[Place] = Turns()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, job: str) -> bool:
        return job in self._places

    def put(self, job: str, person: str, session: str, *, front: bool = False) -> None:
        """Add a job; `front` puts it before the session's own others, never before another session's turn."""
        place = Place(person, session)
        waiting = self._waiting.setdefault(person, {}).setdefault(place, deque())
        if front:
            waiting.appendleft(job)
        else:
            waiting.append(job)
        self._places[job] = place

    def put_back(self, job: str, person: str, session: str) -> None:
        """Put back a job that was taken, as the next one."""
        self.put(job, person, session, front=True)
        self._persons.is_next(person)
        self._sessions.is_next(Place(person, session))

    def take(self, wanted: str | None = None) -> str | None:
        """Take out the next job, or the wanted one; its person's turn comes again after all others'. `None` when none waits."""
        if not self._waiting:
            return None
        if wanted is None:
            person = self._persons.order(self._waiting)[0]
            place = self._sessions.order(self._waiting[person])[0]
            job = self._waiting[person][place][0]
        else:
            job, place = wanted, self._places[wanted]
        self.remove(job)
        self._persons.served(place.person)
        self._sessions.served(place)
        return job

    def advance(self, job: str) -> bool:
        """Put a waiting job before all others of its person; false if it does not wait."""
        place = self._places.get(job)
        if place is None:
            return False
        waiting = self._waiting[place.person][place]
        waiting.remove(job)
        waiting.appendleft(job)
        self._sessions.is_next(place)
        return True

    def remove(self, job: str) -> bool:
        """Take a job out of its place; false if it does not wait."""
        place = self._places.pop(job, None)
        if place is None:
            return False
        sessions = self._waiting[place.person]
        sessions[place].remove(job)
        if not sessions[place]:
            del sessions[place]
        if not sessions:
            del self._waiting[place.person]
        return True

    def of_session(self, person: str, session: str) -> list[str]:
        """The waiting jobs of a session in their order."""
        return list(self._waiting.get(person, {}).get(Place(person, session), ()))

    def order(self) -> list[str]:
        """All jobs in the order in which they will be taken."""
        return _in_turn([self._order_of(person) for person in self._persons.order(self._waiting)])

    def _order_of(self, person: str) -> list[str]:
        sessions = self._waiting[person]
        return _in_turn([sessions[place] for place in self._sessions.order(sessions)])


def _in_turn(rows: Sequence[Sequence[str]]) -> list[str]:
    """One of each row, again and again, until all are empty."""
    longest = max(map(len, rows), default=0)
    return list(chain.from_iterable([row[turn] for row in rows if turn < len(row)] for turn in range(longest)))
