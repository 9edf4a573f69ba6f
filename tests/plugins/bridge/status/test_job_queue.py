"""The queue of one editor beside a server that lists jobs of others."""

from __future__ import annotations

import pytest
from acetate.plugins.bridge.status.job_queue import JobQueue
from acetate.protocol import Connected, Disconnected, Failure, JobLine, Jobs, Progress, Queued, Started


@pytest.fixture
def queue(stage):
    return JobQueue(stage.jobs, lambda: stage.client)


def lines(*of):
    """The server's answer: job, state, session, and whatever else."""
    return Jobs(tuple(JobLine(job, "foreground", state, session, **more) for job, state, session, more in of))


def shown(queue):
    return [(row.job, row.running, row.origin) for row in queue.rows]


def take(stage, queue, *events):
    for event in events:
        stage.take(event)
        queue.take(event)


def test_own_jobs_and_those_of_others_stand_in_the_servers_order(stage, queue):
    first, second = stage.generate(), stage.generate()
    take(stage, queue, Queued(first.job, 1), Queued(second.job, 2))
    queue.take(
        lines(
            ("of-gimp", "running", "gimps", {"client": "gimp 3.0", "prompt": "a fox", "fraction": 0.5, "seconds_left": 12.0}),
            ("left-behind", "waiting", "this-editor", {"prompt": "a hat"}),
            (second.job, "waiting", "this-editor", {}),
            (first.job, "waiting", "this-editor", {}),
            ("done", "finished", "gimps", {}),
        )
    )
    assert shown(queue) == [
        ("of-gimp", True, "other"),
        ("left-behind", False, "earlier"),
        (second.job, False, "own"),
        (first.job, False, "own"),
    ]
    of_gimp, left = queue.rows[:2]
    assert (of_gimp.title, of_gimp.whose, of_gimp.text, of_gimp.fraction) == ("a fox", "gimp 3.0", "12 s left", 0.5)
    assert (left.title, left.whose, left.first) == ("a hat", "from an earlier run", True)
    assert queue.summary == "1 running, 3 waiting"


def test_the_places_of_own_jobs_are_those_of_the_list(stage, queue):
    first, second = stage.generate(), stage.generate()
    take(stage, queue, Queued(first.job, 0), Queued(second.job, 1))
    moved = (second.job, "waiting", "this-editor", {}), (first.job, "waiting", "this-editor", {"position": 1})
    queue.take(lines(*moved))
    assert [(row.job, row.first, row.text) for row in queue.rows] == [
        (second.job, True, "Waiting to start"),
        (first.job, False, "Waiting, 1 ahead of this"),
    ]


def test_what_the_server_has_not_heard_of_yet_stands_last_and_nothing_is_said_of_nothing(stage, queue):
    assert (queue.rows, queue.summary) == ((), "")
    queue.take(lines(("of-gimp", "waiting", "gimps", {})))
    mine = stage.generate()
    assert [row.job for row in queue.rows] == ["of-gimp", mine.job]


def test_a_job_without_a_prompt_is_called_by_its_task(queue):
    queue.take(lines(("upscaling", "running", "gimps", {})))
    assert queue.rows[0].title == "Layer"


def test_the_list_is_asked_for_when_something_happens_to_a_job_and_once_at_a_time(stage, queue):
    take(stage, queue, Connected(None))
    mine = stage.generate()
    take(stage, queue, Queued(mine.job, 0), Started(mine.job))
    assert len(stage.client.asked("jobs")) == 1, "the answer is on its way"
    queue.take(lines())
    assert len(stage.client.asked("jobs")) == 2, "it was older than the news"
    queue.take(lines())
    take(stage, queue, Progress(mine.job, "denoise", 1, 2, 0.5))
    assert len(stage.client.asked("jobs")) == 2, "progress changes no place"


def test_without_a_connection_nothing_is_asked_and_what_others_do_is_unknown(stage, queue):
    queue.take(lines(("of-gimp", "running", "gimps", {})))
    queue.take(Disconnected(Failure("connection-lost", "gone"), 0.1))
    assert queue.rows == ()
    stage.client.connected = False
    queue.refresh()
    assert stage.client.asked("jobs") == []


def test_any_job_can_be_stopped_and_says_so_until_it_is_gone(stage, queue):
    mine = stage.generate()
    take(stage, queue, Queued(mine.job, 1))
    both = lines(("of-gimp", "running", "gimps", {}), (mine.job, "waiting", "this-editor", {}))
    queue.take(both)
    queue.cancel("of-gimp")
    queue.cancel(mine.job)
    assert stage.client.asked("cancel") == [(("of-gimp",), {}), ((mine.job,), {})]
    assert [(row.stopping, row.text) for row in queue.rows] == [(True, "Stopping"), (True, "Stopping")]
    queue.take(lines())
    assert [row.job for row in queue.rows] == [mine.job], "its end is still to come"


def test_stopping_everything_spares_other_programs(stage, queue):
    mine = stage.generate()
    queue.take(lines(("of-gimp", "running", "gimps", {}), ("left-behind", "waiting", "this-editor", {})))
    queue.cancel_all()
    assert [arguments for arguments, _ in stage.client.asked("cancel")] == [("left-behind",), (mine.job,)]


def test_a_job_is_put_in_front_by_the_server(stage, queue):
    queue.advance("left-behind")
    assert stage.client.asked("advance") == [(("left-behind",), {})]
    assert len(stage.client.asked("jobs")) == 1


def test_a_job_that_waits_for_somebody_elses_says_whose(stage, queue):
    mine = stage.generate()
    take(stage, queue, Queued(mine.job, 0))
    assert queue.text_of(mine) == "Waiting to start"
    queue.take(lines(("of-gimp", "running", "gimps", {"client": "gimp 3.0", "prompt": "a fox", "seconds_left": 12.0})))
    assert queue.text_of(mine) == "Waiting for “a fox” (gimp 3.0), 12 s left"
    take(stage, queue, Started(mine.job))
    assert queue.text_of(mine) == "Starting"
