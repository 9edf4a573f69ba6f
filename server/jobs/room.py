"""How many jobs a client may have: of its session, of its person, of all. Knows counts; knows no store and no queue."""

from __future__ import annotations

from collections.abc import Collection

from acetate.protocol import ProtocolError

from ..delivery.subscriber import Subscriber
from ..people.fair_share import leaves_as_much
from ..settings import Settings
from .job import Job


def check_room(watcher: Subscriber, jobs: Collection[Job], settings: Settings) -> None:
    """Raise `ProtocolError` if there is no place for another job of the client beside those that wait or run."""
    hint = "Wait for some, or cancel them."
    here = sum((job.person, job.session) == (watcher.person, watcher.session) and not job.running for job in jobs)
    if here >= settings.jobs_per_session:
        raise ProtocolError("too-many", f"{here} jobs of this session wait already", hint)
    if len(jobs) >= settings.jobs:
        raise ProtocolError("too-many", f"{len(jobs)} jobs wait already", hint)
    mine = sum(job.person == watcher.person for job in jobs)
    if mine >= settings.jobs_per_person or not leaves_as_much(1, mine, len(jobs), settings.jobs):
        raise ProtocolError("too-many", f"{mine} of the {len(jobs)} jobs are yours; the places left are for others", hint)
