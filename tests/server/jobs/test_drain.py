"""While the server takes leave no job is started; those that run end, those that wait are there after the next start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acetate.protocol.messages import Submit
from acetate.server.jobs.jobs import JobRegistry

ONE, TWO = "job-number-1", "job-number-2"


def test_a_server_without_jobs_is_at_rest_at_once(jobs: JobRegistry) -> None:
    assert not jobs.drain.at_rest.is_set()
    jobs.drain.begin()
    assert jobs.drain.at_rest.is_set()


def test_the_running_job_is_waited_for_and_the_next_is_not_started(jobs: JobRegistry, listener: Any) -> None:
    client = listener()
    jobs.accept(client, Submit(ONE, "foreground"))
    jobs.accept(client, Submit(TWO, "foreground"))
    running = jobs.take("engine")
    assert running is not None
    jobs.drain.begin()
    assert jobs.take("engine") is None and not jobs.work["engine"].is_set(), "its lane waits, and does not ask again and again"
    assert not jobs.drain.at_rest.is_set()
    jobs.end(running, "finished")

    assert jobs.drain.at_rest.is_set() and [job.id for job in jobs.unfinished] == [TWO]


def test_a_job_that_comes_meanwhile_is_kept_for_the_next_start(
    jobs: JobRegistry, start: Callable[..., JobRegistry], listener: Any
) -> None:
    """Its client is told to go, and finds it again; a refusal would lose the artist's request."""
    jobs.drain.begin()
    jobs.accept(listener(), Submit(ONE, "foreground"))
    assert jobs.take("engine") is None

    again = start()
    taken = again.take("engine")
    assert taken is not None and taken.id == ONE


def test_a_job_whose_worker_is_lost_meanwhile_waits_for_the_next_start(jobs: JobRegistry, listener: Any) -> None:
    jobs.accept(listener(), Submit(ONE, "foreground"))
    running = jobs.take("engine")
    assert running is not None
    jobs.drain.begin()
    jobs.retry(running)
    assert jobs.drain.at_rest.is_set() and jobs.take("engine") is None


def test_whoever_wants_to_know_is_told_of_each_end(jobs: JobRegistry, listener: Any) -> None:
    told: list[tuple[str, str]] = []
    jobs.ended = lambda task, state, seconds: told.append((task, state))
    client = listener()
    for job in (ONE, TWO):
        jobs.accept(client, Submit(job, "foreground"))
    jobs.cancel(client, TWO)
    running = jobs.take("engine")
    assert running is not None
    jobs.end(running, "finished")
    assert told == [("foreground", "cancelled"), ("foreground", "finished")]
