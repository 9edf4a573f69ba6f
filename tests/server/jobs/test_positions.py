"""Places in the queue: the first told at once, and changes seldom enough, until the last of them has been told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from acetate.protocol import Queued
from acetate.protocol.messages import Submit
from acetate.server.jobs.job import Job
from acetate.server.jobs.positions import Positions


class Queue:
    """Waiting jobs of one client, and what it is told of their places."""

    def __init__(self, client: Any, count: int, most: int = 3, seconds: float = 0) -> None:
        self.client = client
        self.jobs = [self._job(f"job-number-{number}") for number in range(count)]
        self.positions = Positions(lambda: ((job, place) for place, job in enumerate(self.jobs)), seconds, most)
        for job in self.jobs:
            self.positions.tell(job, job.watchers)

    def told(self) -> Iterable[tuple[str, int]]:
        return [(queued.job.rpartition("-")[2], queued.position) for queued in self.client.heard()]

    def _job(self, name: str) -> Job:
        return Job(name, "anna", "a-session", "engine", Submit(name, "foreground"), None, watchers={self.client: "rgba8"})


@pytest.fixture
def queue(listener: Callable[..., Any]) -> Callable[..., Queue]:
    return lambda count, **limits: Queue(listener(), count, **limits)


def test_a_job_that_begins_to_wait_is_told_its_place_at_once(queue: Callable[..., Queue]) -> None:
    assert queue(3).told() == [("0", 0), ("1", 1), ("2", 2)]


def test_places_that_have_not_changed_are_not_told_again(queue: Callable[..., Queue]) -> None:
    waiting = queue(5)
    waiting.told()
    del waiting.jobs[3]

    assert not waiting.positions.tell_changed()
    assert waiting.told() == [("4", 3)]
    assert not waiting.positions.tell_changed() and waiting.told() == []


def test_the_front_is_told_first_and_the_rest_later_with_the_places_of_then(queue: Callable[..., Queue]) -> None:
    waiting = queue(6, most=2)
    waiting.told()
    del waiting.jobs[0]
    assert waiting.positions.tell_changed(), "some are left"
    assert waiting.told() == [("1", 0), ("2", 1)]
    del waiting.jobs[0]
    while waiting.positions.tell_changed():
        pass

    assert dict(waiting.told()) == {"2": 0, "3": 1, "4": 2, "5": 3}


def test_a_client_with_many_jobs_hears_of_a_few_each_time_and_another_is_not_kept_waiting(
    queue: Callable[..., Queue], listener: Callable[..., Any]
) -> None:
    waiting, other = queue(200), listener()
    waiting.jobs[-1].watchers[other] = "rgba8"
    waiting.told()
    del waiting.jobs[0]
    waiting.positions.tell_changed()

    assert len(list(waiting.told())) == 3
    assert other.heard() == [Queued("job-number-199", 198)]


def test_many_changes_between_two_turns_are_told_once(queue: Callable[..., Queue]) -> None:
    """In the server the telling is a task of its own; all changes of one turn of the loop are one for it."""

    async def scene() -> None:
        waiting = queue(50, most=100, seconds=0)
        telling = asyncio.create_task(waiting.positions.work())
        waiting.told()
        for _ in range(49):
            del waiting.jobs[0]
            waiting.positions.changed()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        telling.cancel()
        assert waiting.told() == [("49", 0)]

    asyncio.run(scene())
