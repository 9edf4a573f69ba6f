from __future__ import annotations

import pytest
from acetate.server.jobs.fair_queue import FairQueue


def filled(**sessions: str) -> FairQueue:
    """`a="123"`: a person with the only session `a` has put its jobs a1, a2, a3; `a_x` and `a_y` are sessions of one person."""
    queue = FairQueue()
    for session, jobs in sessions.items():
        for job in jobs:
            queue.put(session + job, session.split("_")[0], session)
    return queue


def drained(queue: FairQueue) -> list[str]:
    jobs = []
    while (job := queue.take()) is not None:
        jobs.append(job)
    return jobs


def test_sessions_take_turns() -> None:
    assert drained(filled(a="123", b="1", c="12")) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_the_announced_order_is_the_order_of_taking() -> None:
    queue = filled(a="1234", b="12", c="1")
    queue.take()
    queue.put("d1", "d", "d")

    assert queue.order() == drained(queue)


def test_who_has_just_had_a_turn_waits_for_the_others() -> None:
    queue = filled(a="12")
    assert queue.take() == "a1"
    queue.put("b1", "b", "b")

    assert drained(queue) == ["b1", "a2"]


def test_submitting_one_job_at_a_time_brings_no_advantage() -> None:
    queue = filled(a="123", b="1")
    taken = []
    for round_ in range(2, 5):
        taken += [queue.take(), queue.take()]
        queue.put(f"b{round_}", "b", "b")

    assert taken == ["a1", "b1", "a2", "b2", "a3", "b3"]


def test_the_front_is_before_ones_own_only() -> None:
    queue = filled(a="12", b="12")
    queue.put("b0", "b", "b", front=True)

    assert drained(queue) == ["a1", "b0", "a2", "b1", "b2"]


def test_a_job_that_is_advanced_is_before_its_persons_others_only() -> None:
    queue = filled(a="12", b_x="12", b_y="12")
    assert queue.advance("b_y2")

    assert drained(queue) == ["a1", "b_y2", "a2", "b_x1", "b_y1", "b_x2"]


def test_what_does_not_wait_cannot_be_advanced() -> None:
    queue = filled(a="1")
    queue.take()

    assert not queue.advance("a1")


def test_a_job_that_is_put_back_is_next() -> None:
    queue = filled(a="12", b="1")
    job = queue.take()
    assert job is not None
    queue.put_back(job, "a", "a")

    assert drained(queue) == ["a1", "b1", "a2"]


def test_a_removed_job_is_not_taken() -> None:
    queue = filled(a="12", b="1")

    assert queue.remove("a1") and queue.remove("b1")
    assert not queue.remove("b1") and not queue.remove("unknown")
    assert "a1" not in queue and len(queue) == 1
    assert drained(queue) == ["a2"]


def test_a_job_that_is_put_back_is_before_newcomers() -> None:
    queue = filled(a="1")
    job = queue.take()
    assert job is not None
    queue.put("b1", "b", "b")
    queue.put_back(job, "a", "a")

    assert queue.order() == drained(queue) == ["a1", "b1"]


def test_a_job_that_is_put_back_is_the_first_of_its_person() -> None:
    queue = filled(a_x="1", a_y="1", b="1")
    job = queue.take()
    assert job == "a_x1"
    queue.put_back(job, "a", "a_x")

    assert drained(queue) == ["a_x1", "b1", "a_y1"]


def test_more_sessions_bring_a_person_no_more_turns() -> None:
    queue = filled(a_x="12", a_y="12", a_z="1", b="123")

    assert queue.order() == drained(queue) == ["a_x1", "b1", "a_y1", "b2", "a_z1", "b3", "a_x2", "a_y2"]


def test_a_new_session_is_not_before_another_person() -> None:
    queue = filled(a_x="12", b="12")
    assert queue.take() == "a_x1"
    queue.put("a_new1", "a", "a_new")

    assert drained(queue) == ["b1", "a_new1", "b2", "a_x2"]


def test_sessions_of_the_same_name_are_of_their_persons() -> None:
    queue = FairQueue()
    queue.put("a1", "a", "same")
    queue.put("b1", "b", "same")

    assert queue.of_session("a", "same") == ["a1"] and queue.of_session("b", "same") == ["b1"]
    assert queue.of_session("c", "same") == []


@pytest.mark.parametrize("sessions", [1, 50])
def test_no_session_gets_more_than_its_share(sessions: int) -> None:
    queue = filled(**{f"s{number}_": "12345" for number in range(sessions)})
    turns = [job.partition("_")[0] for job in drained(queue)]

    for start in range(0, len(turns), sessions):
        assert len(set(turns[start : start + sessions])) == sessions
